# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Facts about the source, each measured once and lazily, with superuser tokens that only checked servers get."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Optional

from ..._core.arango import Coordinators, Server
from ..._core.clock import Clock
from ..._core.endpoint import Endpoint
from ..._core.errors import CutoverError
from ..._core.http import HttpClient
from ..._core.jwt import load_secret, mint
from ..._core.tls import client_context
from ..selection import Selection
from ..spec import Spec
from ..topology import ID_PATH, Access, Connector, Member, read_health
from .measure import Version, metrics_of, version_of
from .outcome import BlockedError
from .trying import persistently

if TYPE_CHECKING:
    from .context import Memo

TIMEOUT = 10.0
_DAY = 86400.0
Gather = Callable[[Mapping[Any, Callable[[], Any]]], dict[Any, Any]]


@dataclass(frozen=True)
class Seed:
    """What came of one named endpoint: a coordinator, or the error."""

    endpoint: Endpoint
    server: Optional[Server] = None
    error: Optional[CutoverError] = None


@dataclass(frozen=True)
class DumpAnswer:
    """What a DB-Server answered when it was asked for a batch of a dump that does not exist (facts §4.3)."""

    there: bool
    status: int


@dataclass(frozen=True)
class Reached:
    """What came of one server of the health document."""

    member: Member
    server: Optional[Server] = None
    error: Optional[CutoverError] = None


class SourceFacts:
    """Reads the source. Methods raise ``BlockedError`` when another row already reports why there is no fact."""

    def __init__(self, spec: Spec, secret_path: str, memo: Memo, gather: Gather, clock: Clock) -> None:
        self._spec = spec
        self._secret_path = secret_path
        self._memo = memo
        self._gather = gather
        self._clock = clock
        self._opened: list[Server] = []

    def secret(self) -> bytes:
        """The JWT secret; raises CUT-SECRET-1 to 4."""
        return self._memo.get("secret", lambda: load_secret(self._secret_path))

    def trust(self) -> Any:
        """The TLS context; raises CUT-TLS-1."""
        return self._memo.get("trust", lambda: client_context(self._spec.source_ca_path))

    def _connector(self) -> Connector:
        def make() -> Connector:
            try:
                secret = self.secret()
                self.trust()
            except CutoverError as error:
                raise BlockedError("the secret or the CA file cannot be used") from error
            spec = self._spec
            access = Access(
                secret, spec.source_ca_path, spec.endpoint_map, spec.allowed_servers, spec.allow_plaintext_source
            )
            return Connector(access, spec.source_endpoints)

        return self._memo.get("connector", make)

    def seeds(self) -> list[Seed]:
        """Each named endpoint, connected and identified or with its error."""

        def make() -> list[Seed]:
            connector = self._connector()
            tries = self._gather({one: partial(connector.open_seed, one) for one in self._spec.source_endpoints})
            found = []
            for endpoint, result in tries.items():
                server = result.value[1] if result.value else None
                found.append(Seed(endpoint, server, result.error))
            self._opened.extend(seed.server for seed in found if seed.server is not None)
            return found

        return self._memo.get("seeds", make)

    def coordinators(self) -> Coordinators:
        """The named coordinators that can be used."""
        servers = [seed.server for seed in self.seeds() if seed.server is not None]
        if not servers:
            raise BlockedError("there is no usable connection to the source")
        return self._memo.get("coordinators", lambda: Coordinators(servers))

    def get(self, path: str, **options: Any) -> Any:
        """A GET on a coordinator."""
        coordinators = self.coordinators()
        return persistently(lambda: coordinators.json("GET", path, timeout=TIMEOUT, **options))

    def long_token_accepted(self, endpoint: Endpoint) -> bool:
        """Whether a token of a day, good for the id alone, is taken where one of seconds is not: clocks differ."""
        context = self.trust() if endpoint.scheme == "https" else None
        token = mint(self.secret(), now=time.time(), lifetime=_DAY, allowed_paths=[ID_PATH])
        client = HttpClient(endpoint, context=context, authorization=lambda: f"bearer {token}")
        try:
            answer = Server(client, "source").request("GET", ID_PATH, timeout=TIMEOUT, raise_for=False)
            return answer.status == 200
        except CutoverError:
            return False
        finally:
            client.close()

    def health(self) -> tuple[list[Member], str]:
        """Members and cluster id of the health document."""
        return self._memo.get("health", lambda: read_health(self.coordinators()))

    def members(self, role: str) -> list[Member]:
        """The members of one role."""
        return [member for member in self.health()[0] if member.role == role]

    def servers(self) -> dict[str, Reached]:
        """Every coordinator and DB-Server by id, connected and identified or with its error."""

        def make() -> dict[str, Reached]:
            connector = self._connector()
            members = {one.id: one for role in ("coordinator", "dbserver") for one in self.members(role)}
            tries = self._gather({name: partial(connector.open, member) for name, member in members.items()})
            found = {name: Reached(members[name], result.value, result.error) for name, result in tries.items()}
            self._opened.extend(one.server for one in found.values() if one.server is not None)
            return found

        return self._memo.get("servers", make)

    def dbservers(self) -> dict[str, Server]:
        """The DB-Servers that can be used."""
        found = self._of_role("dbserver")
        if not found:
            raise BlockedError("no DB-Server of the source can be reached")
        return found

    def fronts(self) -> dict[str, Server]:
        """The coordinators that can be used, each by itself."""
        return self._of_role("coordinator")

    def _of_role(self, role: str) -> dict[str, Server]:
        return {
            name: one.server
            for name, one in self.servers().items()
            if one.member.role == role and one.server is not None
        }

    def ask(self, servers: Mapping[str, Server], path: str, name: str) -> dict[str, Any]:
        """A GET on several servers at the same time, once; results by id (value or error)."""

        def make() -> dict[str, Any]:
            calls = {key: partial(one.json, "GET", path, timeout=TIMEOUT) for key, one in servers.items()}
            return self._gather(calls)

        return self._memo.get(name, make)

    def modes(self) -> dict[str, Any]:
        """The server mode of each coordinator and DB-Server that can be reached."""
        reached = {name: one.server for name, one in self.servers().items() if one.server is not None}
        return self.ask(reached, "/_admin/server/mode", "modes")

    def about(self) -> dict[str, Any]:
        """``/_api/version`` of a coordinator."""
        return self._memo.get("about", lambda: self.get("/_api/version"))

    def version(self) -> Version:
        """The version of a coordinator."""
        return version_of(self.about()["version"])

    def databases(self) -> list[str]:
        """Every database."""
        return self._memo.get("databases", lambda: list(self.get("/_api/database", database="_system")["result"]))

    def whole_inventory(self) -> dict[str, Any]:
        """clusterInventory by database (facts §3.2)."""

        def make() -> dict[str, Any]:
            path = "/_api/replication/clusterInventory"
            calls = {
                name: partial(self.get, path, database=name, query={"includeSystem": True}) for name in self.databases()
            }
            self.coordinators()
            return {name: result.get() for name, result in self._gather(calls).items()}

        return self._memo.get("inventory", make)

    def inventory(self) -> dict[str, Any]:
        """``whole_inventory`` without what the start request leaves out."""
        chosen = self._spec.selection
        if chosen.is_everything:
            return self.whole_inventory()
        return {
            name: {**document, "collections": _chosen(chosen, name, document)}
            for name, document in self.whole_inventory().items()
            if chosen.database(name)
        }

    def counts(self, collection: str) -> dict[str, int]:
        """Documents in the collection of that name in each database that has it."""

        def make() -> dict[str, int]:
            having = [
                name
                for name, document in self.inventory().items()
                if any(entry["parameters"]["name"] == collection for entry in document.get("collections", []))
            ]
            calls = {
                name: partial(self.get, f"/_api/collection/{collection}/count", database=name) for name in having
            }
            return {name: int(result.get()["count"]) for name, result in self._gather(calls).items()}

        return self._memo.get(f"counts-{collection}", make)

    def users(self) -> set[str]:
        """Names of all users."""
        return self._memo.get("users", lambda: {user["user"] for user in self.get("/_api/user")["result"]})

    def metrics(self) -> dict[str, dict[str, float]]:
        """Metrics of each DB-Server; raises the first error."""

        def make() -> dict[str, dict[str, float]]:
            calls = {
                name: partial(server.request, "GET", "/_admin/metrics", timeout=TIMEOUT)
                for name, server in self.dbservers().items()
            }
            answers = self._gather(calls)
            return {name: metrics_of(result.get().body.decode("utf-8")) for name, result in answers.items()}

        return self._memo.get("metrics", make)

    def parallel_dump(self) -> tuple[str, DumpAnswer]:
        """Whether the parallel dump is there, and which DB-Server was asked: the question changes nothing."""

        def make() -> tuple[str, DumpAnswer]:
            name, server = next(iter(self.dbservers().items()))
            answer = server.request(
                "POST", "/_api/dump/next/cutover-probe", database="_system", query={"batchId": 1},
                headers={"x-arango-dump-auth-user": "root"}, timeout=TIMEOUT, raise_for=False,
            )  # fmt: skip
            return name, DumpAnswer(answer.status == 404 and b"1600" in answer.body, answer.status)

        return self._memo.get("parallel-dump", make)

    def clock_offset(self) -> float:
        """Seconds that a coordinator's clock is ahead of this host's."""
        return clock_offset(lambda: self.get("/_admin/time"), self._clock)

    def close(self) -> None:
        """Close every connection."""
        for server in self._opened:
            server.close()


def _chosen(chosen: Selection, database: str, document: Mapping[str, Any]) -> list[Any]:
    entries = document.get("collections", [])
    return [entry for entry in entries if chosen.collection(database, str(entry["parameters"]["name"]))]


def clock_offset(ask: Callable[[], Any], clock: Clock) -> float:
    """Seconds that the answering server is ahead, taken at the middle of the request."""
    before = clock.wall()
    answer = ask()
    after = clock.wall()
    return float(answer["time"]) - (before + after) / 2
