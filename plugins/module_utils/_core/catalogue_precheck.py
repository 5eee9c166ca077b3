# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Error codes of the prechecks."""

from __future__ import annotations

from .catalogue_entry import Entry

CODES: dict[str, Entry] = {
    "CUT-PRECHECK-2": Entry(
        "error", "operator", "Prechecks do not pass",
        "Correct what each listed check names, by its own remedy, or accept it by id with a reason where that is "
        "possible; then start again.",
    ),
}
