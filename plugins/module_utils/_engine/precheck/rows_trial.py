# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prechecks that only ``probe_target`` allows: they write into a throw-away database of the target."""

from __future__ import annotations

from .context import Context
from .outcome import Outcome, Row, bad, good, skipped

_NOT_ALLOWED = "nothing is written to the target without probe_target"


def _trial(context: Context) -> Outcome:
    tried = context.trial()
    if tried is None:
        return skipped(_NOT_ALLOWED)
    if tried.left is not None:
        remedy = f"Look whether the target has a database {tried.database}, and remove it: it holds nothing of yours."
        return bad(
            f"the throw-away database {tried.database} may still be there: {tried.left}", remedy=remedy,
            database=tried.database,
        )  # fmt: skip
    if tried.problem is not None:
        return bad(tried.problem, database=tried.database)
    return good(f"{len(tried.seen)} probes were made in a database that was removed again", database=tried.database)


def _shown_by(context: Context, capability: str, needed: bool, wrong: str) -> Outcome:
    """What was tried, as a check; bad where it is ``needed`` and not there."""
    tried = context.trial()
    if tried is None:
        return skipped(_NOT_ALLOWED)
    seen = tried.seen.get(capability)
    if seen is None:
        return skipped("it could not be tried")
    return bad(f"{wrong}{seen.text}") if needed and seen.there is False else good(seen.text)


def _revisions(context: Context) -> Outcome:
    return _shown_by(context, "target-revisions-bulk", True, "the target makes revisions of its own: ")


def _users(context: Context) -> Outcome:
    return _shown_by(context, "target-users", context.spec.users == "copy", "")


ROWS = (
    Row(
        "target-trial", "target", "error", "The target can be tried in a throw-away database, which is gone again",
        _trial, "Correct what the message names, or leave out probe_target.",
        why="With probe_target a database cutover_probe_… is made on the target, what no documentation promises is "
        "tried in it, and it is removed, also after a failure. Without the option this is skipped.",
    ),
    Row(
        "target-keeps-revisions", "target", "error", "The target keeps the revisions of documents", _revisions,
        "Choose rev_policy: regenerate, or another target.",
        why="Documents are compared by their revisions. Tried only with probe_target.",
    ),
    Row(
        "target-restores-users", "target", "error", "The target lets users be restored, if they are to be copied",
        _users, "Choose users: recreate (new passwords) or users: skip.",
        why="The start of the migration is refused otherwise. Tried only with probe_target.",
    ),
)  # fmt: skip
