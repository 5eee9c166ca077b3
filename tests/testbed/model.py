# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The deployment: servers, databases, and the ids that the agency gives out cluster-wide."""

from __future__ import annotations

import asyncio
import random
import uuid
from typing import TYPE_CHECKING, Any, Literal

from tests.testbed import hlc, versions
from tests.testbed.auth import Authenticator
from tests.testbed.collection import Collection, system_collections
from tests.testbed.errors import ArangoError
from tests.testbed.exactness import is_exact
from tests.testbed.options import Options, parse_version
from tests.testbed.wal import Wal
from tests.testbed.wal_markers import DATABASE_CREATE, DATABASE_DROP

if TYPE_CHECKING:
    from tests.testbed.control import Faults
    from tests.testbed.load import Load
    from tests.testbed.stale import StalePlan
    from tests.testbed.storage import Shard

Flavour = Literal["selfhosted", "managed", "single"]
Role = Literal["coordinator", "dbserver", "single"]
_PREFIX = {"coordinator": "CRDN", "dbserver": "PRMR", "single": "SNGL"}
_SHORT = {"coordinator": "Coordinator", "dbserver": "DBServer", "single": "Single"}
_FIRST_ID = 10_045
_ID_RANGE = 10_000  # ids are fetched from the agency in ranges, per server


class Server:
    """One server process of the cluster."""

    def __init__(self, deployment: Deployment, role: Role, number: int) -> None:
        self.deployment = deployment
        self.role: Role = role
        seed = random.Random(f"{deployment.name}/{role}/{number}")
        self.id = f"{_PREFIX[role]}-{uuid.UUID(int=seed.getrandbits(128), version=4)}"
        self.short_name = f"{_SHORT[role]}{number:04d}"
        self.host = deployment.options.host
        self.port = 0
        self.running = False
        self.down = False  # killed and not started again
        self.reboot_id = 1
        self.replication_id = str(seed.getrandbits(47))  # identifies the data directory (facts §5.1)
        self.mode_readonly = False  # the cluster's flag as this server has seen it
        self.disk_full = False
        self.thawed: asyncio.Event | None = None  # of a frozen process: set when it goes on
        self.load: Load | None = None
        self.stale: StalePlan | None = None
        self.clock = hlc.Clock()
        self.shards: dict[str, Shard] = {}
        self._ids = range(0)
        self._next_tid = seed.getrandbits(20) + 1000
        self.wal: Wal | None = None if role == "coordinator" else Wal.for_server(self)

    @property
    def readonly(self) -> bool:
        """Whether writes of users are refused: by the mode of the cluster, or by its license (facts §2.3, §2.4)."""
        return self.mode_readonly or self.deployment.license_readonly

    @property
    def writable(self) -> bool:
        """Whether its replicas can take writes."""
        return not self.down and not self.disk_full

    @property
    def log(self) -> Wal:
        """The write-ahead log of a server that holds data."""
        if self.wal is None:
            raise ValueError(f"{self.id} is a coordinator: it has no log")
        return self.wal

    @property
    def endpoint(self) -> str:
        """The endpoint as the cluster's health document has it."""
        return f"ssl://{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The endpoint as clients use it."""
        return f"https://{self.host}:{self.port}"

    def next_tid(self) -> str:
        """Id of a local transaction."""
        self._next_tid += 4
        return str(self._next_tid)

    def forget_ids(self) -> None:
        """A restart: what is left of the fetched range is never given out, the next one is fetched anew."""
        self._ids = range(0)

    def unique_id(self) -> int:
        """A cluster-wide unique id out of the range this server fetched (facts §3.4)."""
        return self.unique_ids(1)

    def unique_ids(self, number: int) -> int:
        """The first of so many ids in a row; too short a rest of the range is never given out."""
        if len(self._ids) < number:
            fetched = max(number, _ID_RANGE)
            start = self.deployment.reserve_ids(fetched)
            self._ids = range(start, start + fetched)
        value = self._ids[0]
        self._ids = self._ids[number:]
        return value


class Database:
    """A database; modules of views, analyzers and the like keep their objects in `objects` by kind."""

    def __init__(self, deployment: Deployment, identifier: str, name: str, options: dict[str, Any]) -> None:
        self.deployment = deployment
        self.id = identifier
        self.name = name
        self.sharding: str = options.get("sharding", "")
        self.replication_factor = options.get("replicationFactor", deployment.default_replication_factor)
        self.write_concern = options.get("writeConcern", 1)
        self.collections: dict[str, Collection] = {}
        self.objects: dict[str, dict[str, Any]] = {}

    def collection(self, name: str) -> Collection:
        """A collection by name or id; errorNum 1203 when there is none."""
        found = self.collections.get(name)
        if found is None and name.isdecimal():
            found = next((entry for entry in self.collections.values() if entry.id == name), None)
        if found is None:
            raise ArangoError(1203, f"collection or view not found: {name}")
        return found

    def planned(self, name: str) -> Collection:
        """The collection as the answering server's Plan has it (a stale coordinator's is an old one)."""
        return self.collection(name)

    def describe(self) -> dict[str, Any]:
        """Properties as `/_api/database/current` and the inventory show them."""
        values: dict[str, Any] = {"id": self.id, "name": self.name, "isSystem": self.name == "_system"}
        if self.deployment.version_tuple < (4, 0, 0):
            values["path"] = "" if self.deployment.clustered else f"/var/lib/arangodb3/databases/database-{self.id}"
        if self.deployment.clustered:
            values |= {
                "sharding": self.sharding,
                "replicationFactor": self.replication_factor,
                "writeConcern": self.write_concern,
                "replicationVersion": "1",
            }
        return values


class Deployment:
    """A whole cluster, or one single server."""

    faults: Faults

    def __init__(
        self,
        name: str,
        *,
        version: str = "3.11.14",
        flavour: Flavour = "selfhosted",
        coordinators: int = 2,
        dbservers: int = 3,
        root_password: str = "",
        secret: bytes = b"",
        options: Options | None = None,
    ) -> None:
        self.name = name
        self.version = version
        self.version_tuple = parse_version(version)
        self.missing = versions.missing(self.version_tuple)
        self.flavour: Flavour = flavour
        self.options = options or Options()
        self.prints_raw = is_exact(self.version_tuple) and not self.options.reads(2, "shard-ids")
        self.root_password = root_password
        self.clustered = flavour != "single"
        self.id = str(uuid.UUID(int=random.Random(f"deployment/{name}").getrandbits(128), version=4))
        self._next_id = _FIRST_ID
        self._next_leader = 0
        self.objects: dict[str, Any] = {}  # state of modules that is not tied to a database
        self.license_readonly = False
        self.leaving: set[str] = set()  # DB-Servers that are being cleaned out
        self.cleaned: set[str] = set()  # those that were
        self.servers: dict[str, Server] = {}
        if self.clustered:
            self._add("coordinator", coordinators)
            self._add("dbserver", dbservers)
        else:
            self._add("single", 1)
        self.databases: dict[str, Database] = {}
        self.authenticator = Authenticator(self, secret)
        self.create_database("_system", {}, identifier="1")

    def _add(self, role: Role, number: int) -> None:
        for _ in range(number):
            self._new_server(role)

    def _new_server(self, role: Role) -> Server:
        server = Server(self, role, len(self.by_role(role)) + 1)
        self.servers[server.id] = server
        return server

    def add_server(self, role: Role) -> Server:
        """A server that joins the running cluster; a DB-Server logs the databases it learns of."""
        server = self._new_server(role)
        if server.wal is not None:
            for database in self.databases.values():
                server.wal.append_ddl(DATABASE_CREATE, database.name, data={"id": database.id, "name": database.name})
        return server

    def by_role(self, role: Role) -> list[Server]:
        """Servers of one role in the order of their short names."""
        return [server for server in self.servers.values() if server.role == role]

    @property
    def data_servers(self) -> list[Server]:
        """Servers that hold shards."""
        return self.by_role("dbserver" if self.clustered else "single")

    @property
    def placeable(self) -> list[Server]:
        """Servers that get new shards: not those that are, or were, cleaned out."""
        return [server for server in self.data_servers if server.id not in self.cleaned | self.leaving]

    @property
    def extended_names(self) -> bool:
        """Whether databases and (since 3.11) collections may have names of any characters (facts §10)."""
        return self.options.extended_names or self.version_tuple >= (3, 12, 0)

    @property
    def default_replication_factor(self) -> int:
        """Of new collections without a wish of their own (facts §10; 0 counts as 1)."""
        return self.options.default_replication_factor or 1

    def sealed(self, server: Server) -> bool:
        """Whether a server cannot be reached by clients: the DB-Servers of a managed deployment (facts §9)."""
        return self.flavour == "managed" and server.role == "dbserver"

    def scaled(self, seconds: float) -> float:
        """A duration of the emulated world in real seconds."""
        return seconds * self.options.time_scale

    def reserve_ids(self, number: int) -> int:
        """Take ids from the agency's counter; answers the first."""
        first = self._next_id
        self._next_id += number
        return first

    def new_id(self) -> str:
        """Id of a new collection, shard, index, database or view, as text."""
        front = self.by_role("coordinator" if self.clustered else "single")[0]
        return str(front.unique_id())

    def choose_servers(self, replication_factor: int) -> list[Server]:
        """Leader and followers of the next shard, round robin over the running DB-Servers."""
        servers = self.placeable
        start = self._next_leader
        self._next_leader += 1
        return [servers[(start + offset) % len(servers)] for offset in range(min(replication_factor, len(servers)))]

    def database(self, name: str) -> Database:
        """A database by name; errorNum 1228 when there is none."""
        found = self.databases.get(name)
        if found is None:
            raise ArangoError(1228)
        return found

    def create_database(self, name: str, options: dict[str, Any], *, identifier: str | None = None) -> Database:
        """Create a database with its system collections; each data server logs it."""
        if name in self.databases:
            raise ArangoError(1207)
        database = Database(self, identifier or self.new_id(), name, options)
        self.databases[name] = database
        for server in self.data_servers:
            server.log.append_ddl(DATABASE_CREATE, name, data={"id": database.id, "name": name})
        for properties in system_collections(self, database):
            database.collections[properties["name"]] = Collection(database, properties)
        return database

    def drop_database(self, name: str) -> None:
        """Drop a database and everything in it."""
        database = self.database(name)
        for collection in sorted(database.collections.values(), key=lambda entry: entry.prototype is None):
            if collection.name in database.collections:  # hidden ones go with their collection
                collection.drop()
        del self.databases[name]
        for server in self.data_servers:
            server.log.append_ddl(DATABASE_DROP, name)
