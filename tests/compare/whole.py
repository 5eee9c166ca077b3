# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The whole comparison. It shares no code with the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from arango.exceptions import ArangoError

from tests.compare.definitions import compare_definitions
from tests.compare.documents import compare_documents
from tests.compare.side import Difference, Side
from tests.workload.clients import Connection
from tests.workload.record import Entry, Place

__all__ = ["Comparison", "Login", "compare"]

NOWHERE: Mapping[Place, int] = {}


@dataclass(frozen=True)
class Login:
    """A user's name and password, tried on both clusters: it has to open both or neither."""

    user: str
    source: Connection
    target: Connection

    def compare(self) -> list[Difference]:
        """The difference, if there is one."""
        answers = [opens(connection) for connection in (self.source, self.target)]
        if answers[0] == answers[1]:
            return []
        return [Difference("login", self.user, f"source {answers[0]}, target {answers[1]}")]


def opens(connection: Connection) -> str:
    """What a cluster says when the user asks for the databases he may see."""
    try:
        return str(sorted(connection.database().databases_accessible_to_user()))
    except ArangoError as error:
        return type(error).__name__


@dataclass
class Comparison:
    """What was compared and what differs."""

    documents: int = 0
    bytes: int = 0
    collections: int = 0
    differences: list[Difference] = field(default_factory=list)


def places(side: Side) -> set[Place]:
    """All collections of a cluster."""
    return {(database, one) for database in side.databases() for one in side.collections(database)}


def compare(
    source: Side, target: Side, record: Mapping[Place, Mapping[str, Entry]], logins: Sequence[Login] = (),
    regenerated: Mapping[Place, int] = NOWHERE,
) -> Comparison:
    """Compare everything; ``record`` is what the workload was told, ``logins`` are tried on both sides.

    ``regenerated``: collections with revisions of the target's own, and the number of shards it has to have of them.
    """
    result = Comparison()
    result.differences += compare_definitions(source, target, regenerated)
    for database, collection in sorted(places(source) | places(target) | set(record)):
        here, wrong_here = source.check_reading(database, collection)
        there, wrong_there = target.check_reading(database, collection)
        result.differences += [*wrong_here, *wrong_there]
        entries = record.get((database, collection), {})
        keeps_revisions = (database, collection) not in regenerated
        result.differences += compare_documents(f"{database}/{collection}", here, there, entries, keeps_revisions)
        result.collections += 1
        result.documents += len(there)
        result.bytes += sum(len(raw) for _revision, raw in there.values())
    for login in logins:
        result.differences += login.compare()
    return result
