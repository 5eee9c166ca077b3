# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Codes of what the migration costs both sides (design §4.10)."""

from __future__ import annotations

from .catalogue_entry import Entry

CODES: dict[str, Entry] = {
    "CUT-LOAD-1": Entry(
        "warning", "operator", "A source server's disk is nearly full",
        "Give the disk room. Copying pauses until a tenth of it is free again; replication goes on, so a cutover is "
        "possible as soon as everything is in sync.",
    ),
    "CUT-LOAD-2": Entry(
        "warning", "operator", "The source can keep the log that is still needed only for a short time",
        "The log grows faster than it is read or given back: raise the limits or the load of the migration, give the "
        "disk room, or write less. When the disk is full the source refuses writes of applications.",
    ),
    "CUT-LOAD-3": Entry(
        "warning", "operator", "Free disk and log of a source server are not known",
        "Allow GET /_admin/metrics on the DB-Servers, and see whether the server answers at all. Until then watch its "
        "disk yourself: the log that the migration still needs is kept there.",
    ),
    "CUT-LOAD-4": Entry(
        "warning", "operator", "The log that a source server keeps for the migration fills its disk",
        "Nothing has to be done at once: copying pauses until the log is read and given back, and goes on by itself. "
        "If it comes again, give the disk room or copy when less is written.",
    ),
}
