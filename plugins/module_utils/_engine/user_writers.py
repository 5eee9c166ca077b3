# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How user documents reach the target: restored with their password hashes, or made anew by its user API (facts §8)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Optional, Protocol

from .._core.arango import Coordinators, segment
from .._core.catalogue import lookup
from .._core.errors import ArangoError, CutoverError
from .dataplane_types import TargetGate
from .files import read_json, write_json
from .findings import Finding
from .parallel import gather

SYSTEM = "_system"
TIMEOUT = 60.0
_LEVELS = {(True, True): "rw", (True, False): "ro", (False, False): "none"}
_EVERYTHING = "*"
_UNDEFINED = "undefined"
_DUPLICATE_USER = 1702
_PASSWORD_BYTES = 24


def level(entry: Mapping[str, Any]) -> Optional[str]:
    """``rw``, ``ro``, ``none``, or None where nothing is said (facts §8)."""
    permissions = entry.get("permissions") or {}
    if "read" not in permissions and "write" not in permissions:
        return None
    return _LEVELS.get((bool(permissions.get("read")), bool(permissions.get("write"))))


def active(document: Mapping[str, Any]) -> bool:
    """Whether this user may log in."""
    return bool((document.get("authData") or {}).get("active"))


class UserWriter(Protocol):
    """Writes documents of ``_users``, given by name. An answer that was lost is always told, and never hidden by asking
    another coordinator: the request may run late.
    """

    def probe(self) -> None:
        """Raise CUT-USER-1 unless the target lets us; writes nothing."""

    def write(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        """Bring these users to these documents; what the target ignored is found by reading back."""

    def forget(self, name: str) -> None:
        """The user is gone."""


def _refused(error: ArangoError, what: str) -> CutoverError:
    return error if error.retriable else CutoverError("CUT-USER-1", f"the target refuses {what}: {error.message}")


class Restored:
    """``users: copy``: ``restore-data`` on ``_users`` keeps hashes, matches by name and ignores single errors."""

    def __init__(self, target: Coordinators, gate: TargetGate) -> None:
        self._target = target
        self._gate = gate

    def probe(self) -> None:
        """See ``UserWriter``: the body is empty."""
        try:
            self._restore(b"")
        except ArangoError as error:
            raise _refused(error, "the restore of users") from error

    def write(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        """See ``UserWriter``."""
        if documents:
            lines = [json.dumps({k: v for k, v in item.items() if k != "_id"}) for item in documents.values()]
            self._restore("\n".join([*lines, ""]).encode("utf-8"))

    def forget(self, name: str) -> None:
        """See ``UserWriter``: nothing is kept."""

    def _restore(self, body: bytes) -> None:
        """An empty body changes nothing: it may be asked again, of any coordinator."""
        self._gate.check()
        self._target.request(
            "PUT",
            "/_api/replication/restore-data",
            database=SYSTEM,
            query={"collection": "_users"},
            body=body,
            headers={"Content-Type": "application/x-arango-dump"},
            timeout=TIMEOUT,
            idempotent=not body,
        )


class Recreated:
    """``users: recreate``: new random passwords, handed out in a file (mode 0600) on the agent's host.

    A password is on the disk before it is on the target. Users who have none in this file, since another host made
    them, get another one here.
    """

    def __init__(
        self, target: Coordinators, gate: TargetGate, passwords: Path, report: Callable[[Finding], None]
    ) -> None:
        self._target = target
        self._gate = gate
        self._path = passwords
        self._report = report

    def probe(self) -> None:
        """See ``UserWriter``."""
        try:
            self._names()
        except ArangoError as error:
            raise _refused(error, "to show its users") from error

    def write(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        """See ``UserWriter``. Who he is comes before what he may: a level is raised only where that is wanted."""
        if not documents:
            return
        passwords = self._passwords(documents)
        present = self._names()
        gather({name: partial(self._user, item, passwords[name], name in present) for name, item in documents.items()})
        gather({name: partial(self._grants, name, item.get("databases") or {}) for name, item in documents.items()})

    def forget(self, name: str) -> None:
        """See ``UserWriter``."""
        known = read_json(self._path) or {}
        if known.pop(name, None) is not None:
            write_json(self._path, known)

    def _passwords(self, names: Mapping[str, object]) -> dict[str, str]:
        known: dict[str, str] = read_json(self._path) or {}
        new = [name for name in names if name not in known]
        if new:
            known.update({name: secrets.token_urlsafe(_PASSWORD_BYTES) for name in new})
            write_json(self._path, known)
        text = f"{len(known)} users have new passwords, which are in {self._path} on the agent's host"
        self._report(Finding("CUT-USER-4", "warning", "users", text, lookup("CUT-USER-4").remedy))
        return known

    def _names(self) -> set[str]:
        answer = self._target.json("GET", "/_api/user", database=SYSTEM, timeout=TIMEOUT)
        return {str(item["user"]) for item in answer["result"]}

    def _send(self, method: str, path: str, body: Optional[Mapping[str, Any]]) -> None:
        self._gate.check()
        self._target.json(method, path, database=SYSTEM, body=body, timeout=TIMEOUT, idempotent=False)

    def _user(self, document: Mapping[str, Any], password: str, present: bool) -> None:
        name = str(document["user"])
        fields = {"passwd": password, "active": active(document), "extra": document.get("userData") or {}}
        try:
            if not present:
                self._send("POST", "/_api/user", {"user": name, **fields})
                return
        except ArangoError as error:
            if error.error_num != _DUPLICATE_USER:
                raise
        self._send("PUT", f"/_api/user/{segment(name)}", fields)

    def _grants(self, name: str, databases: Mapping[str, Any]) -> None:
        for path, value in _wanted(databases).items():
            self._send_grant("PUT", name, path, value)
        # Where they are not known yet, what is not as wanted is found by reading back.
        for path in _unwanted(databases, shown_grants(self._target, name) or {}):
            self._send_grant("DELETE", name, path, None)

    def _send_grant(self, method: str, name: str, path: tuple[str, ...], value: Optional[str]) -> None:
        where = "/".join(segment(part) for part in path)
        try:
            self._send(method, f"/_api/user/{segment(name)}/database/{where}", {"grant": value} if value else None)
        except ArangoError as error:
            # A grant may outlive what it is for; one that is missed is found by reading back.
            if error.status != 404:
                raise


def shown_grants(target: Coordinators, name: str) -> Optional[dict[str, Any]]:
    """The grants of a user by database. None where one that is listed has none yet: a coordinator learns by its
    heartbeat of users that another one has made.
    """
    path = f"/_api/user/{segment(name)}/database"
    try:
        answer = target.json("GET", path, database=SYSTEM, query={"full": True}, timeout=TIMEOUT)
    except ArangoError as error:
        if error.status != 404:
            raise
        return None
    return dict(answer["result"])


def _wanted(databases: Mapping[str, Any]) -> dict[tuple[str, ...], str]:
    """Level by database, or by database and collection. System collections follow their database (facts §8)."""
    found: dict[tuple[str, ...], Optional[str]] = {}
    for database, entry in databases.items():
        found[(database,)] = level(entry)
        for collection, grant in (entry.get("collections") or {}).items():
            if not collection.startswith("_"):
                found[(database, collection)] = level(grant)
    return {path: value for path, value in found.items() if value is not None}


def _unwanted(databases: Mapping[str, Any], shown: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Grants that the target has and the document has not. A database's level is shown with its fallback."""
    wanted = _wanted(databases)
    fallback = wanted.get((_EVERYTHING,), "none")
    found: list[tuple[str, ...]] = []
    for database, entry in shown.items():
        if (database,) not in wanted and entry.get("permission") not in (fallback, _UNDEFINED, None):
            found.append((database,))
        for collection, value in (entry.get("collections") or {}).items():
            if value != _UNDEFINED and (database, collection) not in wanted and not collection.startswith("_"):
                found.append((database, collection))
    return found
