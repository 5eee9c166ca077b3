# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Facts about the target, each measured once and lazily, with the operator's user. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Optional

from ..._core.arango import Coordinators, Server, segment
from ..._core.clock import Clock
from ..._core.endpoint import Endpoint
from ..._core.errors import ArangoError, CutoverError
from ..._core.retry import GONE
from ..._core.tls import client_context
from ..journal import NAMES, Journal
from ..schema_map import SchemaMap
from ..spec import Spec
from ..states import COMPLETED
from ..topology import target_of
from .measure import Version, has_enterprise_features, metrics_of, version_of
from .outcome import BlockedError
from .source_facts import TIMEOUT, Gather, clock_offset
from .trying import persistently

if TYPE_CHECKING:
    from .context import Memo

# Counting more collections than this would take longer than it tells.
_COUNTED = 2000
USERS_KEY = "users-map"


@dataclass(frozen=True)
class Answered:
    """What one target endpoint answered to ``/_api/version``."""

    endpoint: Endpoint
    server: Server
    version: Optional[Mapping[str, Any]] = None
    error: Optional[CutoverError] = None


@dataclass(frozen=True)
class Content:
    """What is in one database: collections of users, and their documents (None where not all were counted)."""

    collections: int
    documents: Optional[int]


@dataclass(frozen=True)
class Own:
    """What an unfinished migration has made on the target, by its journal: collections are ids, or names without."""

    databases: Mapping[str, frozenset[str]]
    users: frozenset[str]


class TargetFacts:
    """Reads the target. Methods raise ``BlockedError`` when another row already reports why there is no fact."""

    def __init__(self, spec: Spec, memo: Memo, gather: Gather, clock: Clock, ignored: str = "") -> None:
        self._spec = spec
        # A database that this run makes itself.
        self._ignored = ignored
        self._memo = memo
        self._gather = gather
        self._clock = clock
        self._opened: list[Server] = []

    def trust(self) -> Any:
        """The TLS context; raises CUT-TLS-1."""
        return self._memo.get("trust", lambda: client_context(self._spec.target_ca_path, self._spec.target_ca_pem))

    def answers(self) -> list[Answered]:
        """What each named endpoint answered."""

        def make() -> list[Answered]:
            spec = self._spec
            try:
                self.trust()
            except CutoverError as error:
                raise BlockedError("the target's CA file cannot be used") from error
            whole = target_of(spec)
            servers = dict(zip(spec.target_endpoints, whole.each()))
            self._opened.extend(servers.values())
            path = "/_api/version"
            tries = self._gather(
                {one: partial(server.json, "GET", path, timeout=TIMEOUT) for one, server in servers.items()}
            )
            return [Answered(one, servers[one], result.value, result.error) for one, result in tries.items()]

        return self._memo.get("answers", make)

    def coordinators(self) -> Coordinators:
        """The named endpoints that can be used."""
        servers = [answer.server for answer in self.answers() if answer.error is None]
        if not servers:
            raise BlockedError("there is no usable connection to the target")
        return self._memo.get("coordinators", lambda: Coordinators(servers))

    def get(self, path: str, **options: Any) -> Any:
        """A GET on a coordinator."""
        coordinators = self.coordinators()
        return persistently(lambda: coordinators.json("GET", path, timeout=TIMEOUT, **options))

    def about(self) -> Mapping[str, Any]:
        """``/_api/version`` of the first endpoint that answered."""
        self.coordinators()
        return next(answer.version for answer in self.answers() if answer.version is not None)

    def version(self) -> Version:
        """The target's version."""
        return version_of(self.about()["version"])

    def enterprise(self) -> bool:
        """Whether the target takes smart graphs, satellites and OneShard databases."""
        return has_enterprise_features(self.version(), str(self.about().get("license", "")))

    def role(self) -> dict[str, Any]:
        """``/_admin/server/role``."""
        return self._memo.get("role", lambda: self.get("/_admin/server/role"))

    def health(self) -> dict[str, Any]:
        """``/_admin/cluster/health``."""
        return self._memo.get("health", lambda: self.get("/_admin/cluster/health"))

    def members(self, role: str) -> dict[str, Mapping[str, Any]]:
        """Entries of the health document of one role (``dbserver`` or ``coordinator``) by server id."""
        entries = self.health()["Health"]
        return {name: entry for name, entry in entries.items() if str(entry.get("Role", "")).lower() == role}

    def level(self) -> str:
        """The level of our user on ``_system``: ``rw``, ``ro``, ``none`` or ``undefined``."""
        path = f"/_api/user/{segment(self._spec.target_username)}/database/_system"
        return str(self._memo.get("level", lambda: self.get(path))["result"])

    def mode(self) -> str:
        """The server mode."""
        return str(self._memo.get("mode", lambda: self.get("/_admin/server/mode"))["mode"])

    def license(self) -> dict[str, Any]:
        """``/_admin/license`` (facts §2.4)."""
        return self._memo.get("license", lambda: self.get("/_admin/license"))

    def users(self) -> set[str]:
        """Names of all users."""
        return self._memo.get("users", lambda: {user["user"] for user in self.get("/_api/user")["result"]})

    def contents(self) -> dict[str, Content]:
        """What was there before in each database that this migration has not made itself."""

        def make() -> dict[str, Content]:
            found = self._foreign_collections()
            counted = [(name, one) for name, mine in found.items() for one in mine]
            complete = len(counted) <= _COUNTED
            counts = self._gather({key: partial(self._count, *key) for key in counted}) if complete else {}
            return {
                name: Content(len(mine), sum(counts[(name, one)].get() for one in mine) if complete else None)
                for name, mine in found.items()
            }

        return self._memo.get("contents", make)

    def foreign_users(self) -> set[str]:
        """Users that this migration has not made itself."""
        before = self.own()
        return self.users() - before.users - self._own_now().users

    def _foreign_collections(self) -> dict[str, list[str]]:
        """Collections of users by database; empty databases too, but ``_system`` only if it has any.

        While an agent makes and drops them, its journal lists each of them before or after they are listed here.
        """
        before = self.own()
        names = [name for name in self.get("/_api/database", database="_system")["result"] if name != self._ignored]
        lists = self._gather({name: partial(self._collections, name) for name in names})
        answered = {name: result.get() for name, result in lists.items()}
        own = (before.databases, self._own_now().databases)
        found: dict[str, list[str]] = {}
        for name, collections in answered.items():
            known = frozenset[str]().union(*(one.get(name, ()) for one in own))
            there = [one for one in collections or () if not {str(one["id"]), one["name"]} & known]
            mine = [one["name"] for one in there if not one["name"].startswith("_") and one["name"] not in NAMES]
            ours = name == "_system" or collections is None or any(name in one for one in own)
            if mine or not ours:
                found[name] = mine
        return found

    def _collections(self, database: str) -> Optional[list[dict[str, Any]]]:
        """As listed; None when the database was dropped meanwhile."""
        try:
            listed: list[dict[str, Any]] = self.get("/_api/collection", database=database)["result"]
        except ArangoError as error:
            if error.error_num in GONE:
                return None
            raise
        return listed

    def own(self) -> Own:
        """What the journal of an unfinished migration lists as made by it."""
        return self._memo.get("own", self._own_now)

    def _own_now(self) -> Own:
        journal = self._journal()
        if journal is None or (self.journal("migration") or {}).get("state") == COMPLETED:
            return Own({}, frozenset())
        made = SchemaMap(journal)
        made.load()
        databases = {
            name: frozenset(one.target_id or one.name for one in database.collections.values())
            for name, database in made.databases.items()
        }
        users = journal.read(USERS_KEY)
        return Own(databases, frozenset((users.body if users else {}).get("users", {})))

    def _count(self, database: str, collection: str) -> int:
        return int(self.get(f"/_api/collection/{segment(collection)}/count", database=database)["count"])

    def _journal(self) -> Optional[Journal]:
        return self._memo.get("journal", lambda: Journal.find(self.coordinators()))

    def journal(self, key: str) -> Optional[dict[str, Any]]:
        """A document of a journal that is there from before, or None."""

        def make() -> Optional[dict[str, Any]]:
            journal = self._journal()
            entry = None if journal is None else journal.read(key)
            return None if entry is None else entry.body

        return self._memo.get(f"journal-{key}", make)

    def metrics(self) -> dict[str, dict[str, float]]:
        """Metrics of each DB-Server, fetched through a coordinator (facts §2.4); raises the first error."""

        def make() -> dict[str, dict[str, float]]:
            coordinators = self.coordinators()
            calls = {
                name: partial(
                    coordinators.request, "GET", "/_admin/metrics", query={"serverId": name}, timeout=TIMEOUT
                )
                for name in self.members("dbserver")
            }
            answers = self._gather(calls)
            return {name: metrics_of(result.get().body.decode("utf-8")) for name, result in answers.items()}

        return self._memo.get("metrics", make)

    def clock_offset(self) -> float:
        """Seconds that a coordinator's clock is ahead of this host's."""
        return clock_offset(lambda: self.get("/_admin/time"), self._clock)

    def close(self) -> None:
        """Close every connection."""
        for server in self._opened:
            server.close()
