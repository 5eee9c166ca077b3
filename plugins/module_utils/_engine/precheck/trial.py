# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The throw-away database of ``probe_target``: its name cannot be mistaken, it is always removed."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from ..._core.arango import Coordinators, segment
from ..._core.clock import Deadline
from ..._core.errors import ArangoError, CutoverError, TransportError
from ..._core.http import Response
from ..._core.retry import call_with_retry
from .capability import Seen

PREFIX = "cutover_probe_"
_TIMEOUT = 20.0
# For making and trying; removing has a time of its own.
_PATIENCE = 5.0
_TRYING = 60.0
_REMOVING = 30.0
_NO_DATABASE = 1228
_DUPLICATE = 1207


def new_name() -> str:
    """A name that no database has."""
    return PREFIX + secrets.token_hex(8)


@dataclass(frozen=True)
class Tried:
    """What came of it. ``problem``: why nothing could be tried; ``left``: why the database may still be there."""

    database: str
    seen: Mapping[str, Seen] = field(default_factory=dict)
    problem: Optional[str] = None
    left: Optional[str] = None


class Room:
    """The database, for those who try something in it."""

    def __init__(self, target: Coordinators, database: str) -> None:
        self.target = target
        self.database = database

    def make(self, name: str, **properties: Any) -> None:
        """A collection with one copy of each document."""
        body = {"name": name, "numberOfShards": 1, "replicationFactor": 1, **properties}
        try:
            self.json("POST", "/_api/collection", body=body)
        except ArangoError as error:
            # Made by this attempt before an answer was lost.
            if error.error_num != _DUPLICATE:
                raise

    def request(self, method: str, path: str, **options: Any) -> Response:
        """A request to this database."""
        return self.target.request(method, path, database=self.database, timeout=_TIMEOUT, idempotent=True, **options)

    def json(self, method: str, path: str, **options: Any) -> Any:
        """The same, giving the JSON value."""
        return self.target.json(method, path, database=self.database, timeout=_TIMEOUT, idempotent=True, **options)


Try = Callable[[Room], Seen]


def try_out(target: Coordinators, database: str, tries: Mapping[str, Try]) -> Tried:
    """Make the database, try everything in it, remove it whatever happens. Raises nothing of the target's."""
    try:
        if database in _databases(target):
            return Tried(database, problem=f"a database {database} is there already, which is not touched")
        # Asked once: the answer to a repetition could not be told from that of a stranger's database.
        target.json("POST", "/_api/database", database="_system", body={"name": database}, timeout=_TIMEOUT)
    except CutoverError as error:
        made_perhaps = isinstance(error, (ArangoError, TransportError)) and error.outcome_unknown
        left = _remove(target, database, perhaps_later=True) if made_perhaps else None
        return Tried(database, problem=f"the database {database} could not be made: {error.message}", left=left)
    seen: dict[str, Seen] = {}
    try:
        room, deadline = Room(target, database), Deadline(_TRYING)
        for name, attempt in tries.items():
            seen[name] = Seen(None, "no time was left") if deadline.expired else _attempt(attempt, room)
    finally:
        left = _remove(target, database)
    return Tried(database, seen, left=left)


def _databases(target: Coordinators) -> list[str]:
    return list(target.json("GET", "/_api/database", database="_system", timeout=_TIMEOUT)["result"])


def _attempt(attempt: Try, room: Room) -> Seen:
    try:
        return call_with_retry(lambda: attempt(room), Deadline(_PATIENCE), threading.Event(), idempotent=True)
    except CutoverError as error:
        return Seen(None, error.message)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        return Seen(None, f"unexpected answer ({type(error).__name__}: {error})")


def _remove(target: Coordinators, database: str, perhaps_later: bool = False) -> Optional[str]:
    """Why it may still be there, None when it is gone for good."""

    def remove() -> bool:
        try:
            target.json(
                "DELETE", f"/_api/database/{segment(database)}", database="_system", timeout=_TIMEOUT, idempotent=True
            )
        except ArangoError as error:
            if error.error_num != _NO_DATABASE:
                raise
            return False
        return True

    try:
        was_there = call_with_retry(remove, Deadline(_REMOVING), threading.Event(), idempotent=True)
    except CutoverError as error:
        return error.message
    return None if was_there or not perhaps_later else "the request that was to make it may still run"
