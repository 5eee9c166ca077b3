# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Error codes of the control part."""

from __future__ import annotations

from .catalogue_entry import Entry

CODES: dict[str, Entry] = {}
