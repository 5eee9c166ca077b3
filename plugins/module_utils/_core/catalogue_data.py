# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Error codes of the data part."""

from __future__ import annotations

from .catalogue_entry import Entry

CODES: dict[str, Entry] = {
    "CUT-DATA-1": Entry(
        "error",
        "fatal",
        "A server's log holds a line that is no known marker",
        "Check that the source's version is supported; report the line shown. Abort the migration: its log cannot be "
        "followed.",
    ),
    "CUT-DATA-2": Entry(
        "error",
        "operator",
        "The target answered a bulk request with another number of results",
        "Look for a proxy in front of the target that changes answers, then abort and start anew.",
    ),
    "CUT-DATA-3": Entry(
        "error",
        "operator",
        "The target refuses a document",
        "Change the document on the source so that the target takes it, or accept that it is missing there.",
    ),
    "CUT-DATA-4": Entry(
        "error",
        "operator",
        "Another document on the target holds a unique value",
        "Compare both documents on source and target; the one that the source lacks was written by somebody else.",
    ),
    "CUT-DATA-5": Entry(
        "warning",
        "transient",
        "A server's log has a gap",
        "Operations were purged before they were read: the server's shards are compared with the source and repaired "
        "by themselves. Give the source more room for its log, or keep the agent running.",
    ),
    "CUT-DATA-6": Entry(
        "warning",
        "transient",
        "A server has a new data directory",
        "Its positions mean nothing any more: its shards are compared with the source and repaired by themselves.",
    ),
    "CUT-DATA-7": Entry(
        "error",
        "operator",
        "A shard could not be kept in sync",
        "Read the reason and remove it: the shard is compared with the source again and again until it is in sync.",
    ),
    "CUT-DATA-8": Entry(
        "warning",
        "operator",
        "A server does not keep its log for this agent",
        "Its log may be purged while it is still needed: keep interruptions of the agent short.",
    ),
    "CUT-DATA-9": Entry(
        "error",
        "transient",
        "The agent's disk is full",
        "Free space in the agent's state directory: reading goes on by itself, nothing is lost.",
    ),
    "CUT-DATA-10": Entry(
        "error",
        "transient",
        "The logs were not drained in time",
        "The source's writes could not be applied before the deadline. Try again when the lag is small.",
    ),
    "CUT-DATA-11": Entry(
        "error",
        "transient",
        "Requests without an answer are not settled yet",
        "Wait: the keys are read back once a lost request has certainly run (option settle_after).",
    ),
    "CUT-DATA-12": Entry(
        "error",
        "operator",
        "The data path knows no such server",
        "The shard's leader is not among the DB-Servers that were found; check the source's health and start anew.",
    ),
    "CUT-DATA-13": Entry(
        "error",
        "transient",
        "A collection's shards could not be brought to rest in time",
        "They are still being copied or caught up; the step is tried again.",
    ),
    "CUT-DATA-14": Entry(
        "error",
        "fatal",
        "The data path met something that it does not expect",
        "This is an error of this software: please report it with the message.",
    ),
    "CUT-DATA-15": Entry(
        "error",
        "operator",
        "A large number of a document cannot be read exactly from this version of the source",
        "Compare the document on both sides, or upgrade the source to 3.11.12, 3.12.3 or newer; then write it again on "
        "the source, or accept the finding.",
    ),
}
