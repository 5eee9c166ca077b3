# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Error codes of the verification."""

from __future__ import annotations

from .catalogue_entry import Entry

CODES: dict[str, Entry] = {
    "CUT-VERIFY-1": Entry(
        "warning", "operator", "A document on the target was not the source's and was repaired",
        "Nothing has to be done. If it comes back, find out what changes documents on the target.",
    ),
    "CUT-VERIFY-2": Entry(
        "error", "operator", "A document on the target is not the source's",
        "Let it be repaired (option repair, or the module verification with repair), or accept this very finding. If "
        "repairs do not help, somebody else writes on the target, or it refuses the document.",
    ),
    "CUT-VERIFY-3": Entry(
        "warning", "operator", "Somebody else has written on the target",
        "The document was put right. Find out who writes on the target and stop it: only this agent may before the "
        "opening.",
    ),
    "CUT-VERIFY-4": Entry(
        "warning", "transient", "The verification cannot go on",
        "It is tried again. If it stays, look at the message: source and target must answer, the disk must have room.",
    ),
    "CUT-VERIFY-5": Entry(
        "error", "operator", "A collection has to be repaired again and again",
        "Something else writes on the target, or the target changes documents or cannot hold them all (two documents "
        "of one revision in one shard, where its number of shards is another one). Remove the cause, then have it "
        "repaired with the module verification (repair); the next round that finds it equal ends this.",
    ),
    "CUT-VERIFY-10": Entry(
        "error", "transient", "The verification is not complete",
        "Wait: every collection is compared as a whole, and what was written since is read back.",
    ),
    "CUT-VERIFY-12": Entry(
        "error", "transient", "The verification did not end in time",
        "Allow a longer timeout, or a mode that reads less (counts, keys).",
    ),
    "CUT-VERIFY-11": Entry(
        "error", "transient", "What was written last could not be verified in time",
        "Try the cutover again at a quieter time, or allow a longer max_downtime.",
    ),
}
