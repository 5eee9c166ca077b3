# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who the servers of the source are, and connections to each of them (design §3, facts §2.1, §2.2).

The cluster's health document names every server by its inner address. Before a superuser token goes to an address,
the address must be allowed and must answer ``/_admin/server/id`` as the server it is said to be, asked with a token
that lives for seconds and tells who a server is, no more.
"""

from __future__ import annotations

import fnmatch
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Optional

from .._core.arango import Coordinators, Server, basic_auth
from .._core.endpoint import Endpoint, parse_endpoint, parse_endpoints
from .._core.errors import ArangoError, CutoverError
from .._core.http import HttpClient
from .._core.jwt import TokenSource, mint
from .._core.tls import client_context

if TYPE_CHECKING:
    from .spec import Spec

LOG = logging.getLogger(__name__)
ID_PATH = "/_admin/server/id"
_ROLE_PATH = "/_admin/server/role"
_ID_TOKEN_LIFETIME = 30.0
_ID_TIMEOUT = 15.0
_ROLES = {"coordinator": "coordinator", "dbserver": "dbserver", "agent": "agent"}
_PREFIXES = {"coordinator": "CRDN-", "dbserver": "PRMR-"}


@dataclass(frozen=True)
class Member:
    """One server as the health document describes it; ``role`` is ``coordinator``, ``dbserver`` or ``agent``."""

    id: str
    role: str
    status: str
    version: str
    short_name: str
    endpoint: Optional[Endpoint]


@dataclass(frozen=True)
class Access:
    """How the source's servers may be reached."""

    secret: bytes = field(repr=False)
    ca_path: Optional[str] = None
    endpoint_map: Mapping[str, str] = field(default_factory=dict)
    allowed_servers: Sequence[str] = ()
    allow_plaintext: bool = False


@dataclass
class Source:
    """The source cluster: every coordinator (``fronts``) and DB-Server (``servers``) by id, with superuser tokens.

    ``coordinators`` are all coordinators as one client with fail-over; ``unreached`` says why there is no connection to
    some that the cluster takes for good.
    """

    coordinators: Coordinators
    fronts: dict[str, Server]
    servers: dict[str, Server]
    members: dict[str, Member]
    cluster_id: str
    version: str
    connector: Connector
    former: list[Server] = field(default_factory=list)
    unreached: dict[str, CutoverError] = field(default_factory=dict)

    def labels(self) -> dict[str, Server]:
        """Every server that enforces or shows the server mode, by a name for humans: its id."""
        return {**self.fronts, **self.servers}

    def refresh(self) -> list[Member]:
        """Read the health document again, connect to servers that are new, and return all members.

        A new server that does not answer yet is connected to next time. Raises, when all others are connected, what
        forbids to connect to one: CUT-TOPO-1 to CUT-TOPO-5.
        """
        members = read_health(self.coordinators)[0]
        self.members = {member.id: member for member in members}
        unreached: dict[str, CutoverError] = {}
        for member in members:
            if member.status == "GOOD" and member.role in _PREFIXES and member.id not in self.labels():
                try:
                    self._add(member)
                except CutoverError as error:
                    unreached[member.id] = error
        self.unreached = unreached
        self._leave_out(set(self.members))
        for problem in unreached.values():
            if problem.code.startswith("CUT-TOPO"):
                raise problem
        return members

    def unconnected(self) -> list[str]:
        """Coordinators and DB-Servers that the cluster has not given up, and that nobody here can ask."""
        return [
            name
            for name, member in self.members.items()
            if member.role in _PREFIXES and member.status != "FAILED" and name not in self.labels()
        ]

    def _add(self, member: Member) -> None:
        server = self.connector.open(member)
        if member.role == "dbserver":
            self.servers = {**self.servers, member.id: server}
        else:
            self.fronts = {**self.fronts, member.id: server}
            self.coordinators.replace(list(self.fronts.values()))

    def _leave_out(self, present: set[str]) -> None:
        """Forget servers that are no part of the cluster any more; whoever still uses them may."""
        self.former.extend(server for name, server in self.labels().items() if name not in present)
        self.servers = {name: server for name, server in self.servers.items() if name in present}
        if set(self.fronts) - present and set(self.fronts) & present:
            self.fronts = {name: server for name, server in self.fronts.items() if name in present}
            self.coordinators.replace(list(self.fronts.values()))

    def present(self, servers: Mapping[str, Server]) -> dict[str, Server]:
        """Those of the servers that the cluster does not take for failed."""
        failed = {name for name, member in self.members.items() if member.status == "FAILED"}
        return {name: server for name, server in servers.items() if name not in failed}

    def close(self) -> None:
        """Close every connection."""
        self.coordinators.close()
        for server in [*self.labels().values(), *self.former]:
            server.close()


class Connector:
    """Opens connections to servers of the source, each only after its address was allowed and its id was checked."""

    def __init__(self, access: Access, seeds: Sequence[Endpoint]) -> None:
        self._access = access
        self._context = client_context(access.ca_path)
        self._tokens = TokenSource(access.secret)
        self._map = _parsed_map(access.endpoint_map)
        self._hosts = {endpoint.host for endpoint in seeds} | {endpoint.host for endpoint in self._map.values()}

    def address(self, member: Member) -> Endpoint:
        """Where a member is reached from here: by ``endpoint_map`` (server id or inner endpoint), else as it says."""
        mapped = self._map.get(member.id) or self._map.get(member.endpoint.url if member.endpoint else "")
        endpoint = mapped or member.endpoint
        if endpoint is None:
            raise CutoverError("CUT-TOPO-3", f"the source's health document gives no usable endpoint of {member.id}")
        return endpoint

    def check_allowed(self, endpoint: Endpoint, who: str) -> None:
        """Raise CUT-TOPO-1 or CUT-TOPO-2 unless a superuser token may be sent there."""
        if endpoint.scheme != "https" and not self._access.allow_plaintext:
            raise CutoverError(
                "CUT-TOPO-2", f"{who} at {endpoint.url} does not speak TLS, and a superuser token must not travel plain"
            )
        patterns = [pattern.lower() for pattern in self._access.allowed_servers]
        names = (endpoint.host, endpoint.origin, endpoint.url)
        if endpoint.host in self._hosts or any(fnmatch.fnmatchcase(name, pat) for name in names for pat in patterns):
            return
        raise CutoverError(
            "CUT-TOPO-1",
            f"{who} is at {endpoint.url}, which is neither a host of source_endpoints nor in allowed_servers or "
            "endpoint_map",
            details={"endpoint": endpoint.url, "server": who},
        )

    def _client(self, endpoint: Endpoint, authorization: Any) -> HttpClient:
        context = self._context if endpoint.scheme == "https" else None
        return HttpClient(endpoint, context=context, authorization=authorization)

    def identify(self, endpoint: Endpoint, who: str) -> str:
        """The id of the server at an address, asked with a token for that alone.

        Raises CUT-TOPO-4 for a single server (facts §2.1: it answers 500, as a coordinator in trouble may).
        """
        self.check_allowed(endpoint, who)
        paths = [ID_PATH, _ROLE_PATH]
        token = mint(self._access.secret, now=time.time(), lifetime=_ID_TOKEN_LIFETIME, allowed_paths=paths)
        client = self._client(endpoint, lambda: f"bearer {token}")
        server = Server(client, f"{who} ({endpoint.url})")
        try:
            return str(server.json("GET", ID_PATH, timeout=_ID_TIMEOUT)["id"])
        except ArangoError as error:
            if error.from_arangodb and error.status in (500, 501) and _is_single(server):
                raise CutoverError(
                    "CUT-TOPO-4", f"{endpoint.url} is not a server of a cluster", details={"endpoint": endpoint.url}
                ) from error
            raise
        except (KeyError, TypeError) as error:
            raise CutoverError("CUT-TOPO-3", f"{endpoint.url} answered {ID_PATH} without an id") from error
        finally:
            client.close()

    def open(self, member: Member, expected: Optional[str] = None) -> Server:
        """A connection to a member, after its id was checked. Raises CUT-TOPO-5 when another server answers there."""
        endpoint = self.address(member)
        found = self.identify(endpoint, member.id)
        if found != (expected or member.id):
            raise CutoverError(
                "CUT-TOPO-5",
                f"{endpoint.url} should be {member.id} but says that it is {found}",
                details={"endpoint": endpoint.url, "expected": member.id, "found": found},
            )
        return Server(self._client(endpoint, self._tokens), f"source-{member.role} {member.id} ({endpoint.url})")

    def open_seed(self, endpoint: Endpoint) -> tuple[str, Server]:
        """Id and connection of a coordinator that the operator named. Raises CUT-TOPO-6 if it is none."""
        found = self.identify(endpoint, "source coordinator")
        if not found.startswith(_PREFIXES["coordinator"]):
            raise CutoverError("CUT-TOPO-6", f"source_endpoints: {endpoint.url} is {found}, which is no coordinator")
        return found, Server(self._client(endpoint, self._tokens), f"source-coordinator {found} ({endpoint.url})")


def _is_single(server: Server) -> bool:
    """Whether a server says that it is no part of a cluster (facts §2.1)."""
    return bool(server.json("GET", _ROLE_PATH, timeout=_ID_TIMEOUT).get("role") == "SINGLE")


def _parsed_map(raw: Mapping[str, str]) -> dict[str, Endpoint]:
    """Keys as server ids or normalised inner endpoints."""
    parsed = {}
    for key, value in raw.items():
        name = parse_endpoint(key, "endpoint_map").url if "://" in key else key
        parsed[name] = parse_endpoint(value, "endpoint_map")
    return parsed


def read_health(coordinators: Coordinators) -> tuple[list[Member], str]:
    """The members and the cluster's id. Raises CUT-TOPO-3 for an answer that is no health document."""
    document = coordinators.json("GET", "/_admin/cluster/health")
    try:
        health = document["Health"]
        members = [_member(name, entry) for name, entry in health.items()]
        return members, str(document.get("ClusterId", ""))
    except (KeyError, TypeError, AttributeError) as error:
        raise CutoverError("CUT-TOPO-3", "the source's health document is not as expected") from error


def _member(name: str, entry: Mapping[str, Any]) -> Member:
    text = str(entry.get("Endpoint") or "")
    try:
        endpoint: Optional[Endpoint] = parse_endpoint(text, "health document") if text else None
    except CutoverError:
        endpoint = None
    return Member(
        id=name,
        role=_ROLES.get(str(entry.get("Role", "")).lower(), "unknown"),
        status=str(entry.get("Status") or "UNKNOWN").upper(),
        version=str(entry.get("Version") or ""),
        short_name=str(entry.get("ShortName") or name),
        endpoint=endpoint,
    )


def connect(endpoints: Sequence[Endpoint], access: Access) -> Source:
    """Connect to every coordinator and DB-Server of the source.

    Raises ``CutoverError``: CUT-TOPO-1 to CUT-TOPO-7, or what the first reachable coordinator answered. A server that
    cannot be reached is left out only when the cluster itself does not take it for GOOD: ``refresh`` connects to it
    when it is back.
    """
    connector = Connector(access, endpoints)
    seed = _first_seed(connector, endpoints)
    try:
        members, cluster_id = read_health(Coordinators([seed[1]]))
    except CutoverError:
        seed[1].close()
        raise
    opened: list[Server] = []
    try:
        fronts = {seed[0]: seed[1], **_open_all(connector, members, "coordinator", seed[0], opened)}
        servers = _open_all(connector, members, "dbserver", None, opened)
        if not servers:
            raise CutoverError("CUT-TOPO-7", "no DB-Server of the source can be reached", retriable=True)
    except CutoverError:
        for server in [seed[1], *opened]:
            server.close()
        raise
    versions = sorted({member.version for member in members if member.role != "agent" and member.version})
    by_id = {member.id: member for member in members}
    version = versions[0] if versions else ""
    return Source(Coordinators(list(fronts.values())), fronts, servers, by_id, cluster_id, version, connector)


def _first_seed(connector: Connector, endpoints: Sequence[Endpoint]) -> tuple[str, Server]:
    """The first named coordinator that answers; the error of the first one if none does."""
    first: Optional[CutoverError] = None
    for endpoint in endpoints:
        try:
            return connector.open_seed(endpoint)
        except CutoverError as error:
            first = first or error
    if first is None:
        raise CutoverError("CUT-SPEC-3", "source_endpoints: is required", details={"field": "source_endpoints"})
    raise first


def _open_all(
    connector: Connector, members: Sequence[Member], role: str, known: Optional[str], opened: list[Server]
) -> dict[str, Server]:
    servers: dict[str, Server] = {}
    for member in members:
        if member.role != role or member.id == known:
            continue
        try:
            server = connector.open(member)
        except CutoverError as error:
            if member.status == "GOOD":
                raise
            LOG.info("%s, which is %s, is left out for now: %s", member.id, member.status, error)
            continue
        opened.append(server)
        servers[member.id] = server
    return servers


TARGET_LABEL = "target coordinator"


class Credentials:
    """The target's Authorization header, whose user and password can be replaced while connections are open."""

    def __init__(self, username: str, password: str) -> None:
        self._lock = threading.Lock()
        self._value = basic_auth(username, password)

    def replace(self, username: str, password: str) -> None:
        """Use other credentials from the next request on."""
        with self._lock:
            self._value = basic_auth(username, password)

    def __call__(self) -> str:
        """The header's value."""
        with self._lock:
            return self._value()


def connect_target(
    endpoints: Sequence[Endpoint], ca_path: Optional[str], credentials: Credentials, *, ca_pem: Optional[str] = None,
    pool: int = 16,
) -> Coordinators:  # fmt: skip
    """The target's coordinators as the operator named them: their inner addresses are not reachable from here."""
    context = client_context(ca_path, ca_pem)
    servers = []
    for endpoint in endpoints:
        use = context if endpoint.scheme == "https" else None
        client = HttpClient(endpoint, context=use, authorization=credentials, pool=pool)
        servers.append(Server(client, f"{TARGET_LABEL} {endpoint.url}"))
    return Coordinators(servers)


def target_of(spec: Spec, credentials: Optional[Credentials] = None, *, pool: int = 16) -> Coordinators:
    """The target of a specification, with credentials of its own unless others are given. Raises CUT-TLS-1."""
    login = credentials or Credentials(spec.target_username, spec.target_password)
    return connect_target(spec.target_endpoints, spec.target_ca_path, login, ca_pem=spec.target_ca_pem, pool=pool)


def connect_texts(
    endpoints: Sequence[str],
    ca_path: Optional[str],
    secret: bytes,
    endpoint_map: Mapping[str, str],
    allowed_servers: Sequence[str],
    allow_plaintext: bool = False,
) -> Source:
    """``connect`` for callers that hold the options as texts."""
    access = Access(secret, ca_path, endpoint_map, allowed_servers, allow_plaintext)
    return connect(parse_endpoints(endpoints, "source_endpoints"), access)
