# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A target whose definitions can be followed, a source's inventory, and agents that restart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.cutover.arangodb.plugins.module_utils._engine import inventory as inv
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.definitions import problems
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.findings import Findings
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.schema import Schema
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.schema_map import SchemaMap
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import ShardId, ShardPlan
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.target_admin import TargetAdmin
from tests.unit.control_fakes import FakeStore
from tests.unit.front_fake import FakeFront, OpenGate, refusal

VERSION = (3, 12)
LAYOUT = {"type": 2, "numberOfShards": 1, "shardKeys": ["_key"], "shardingStrategy": "hash"}


class Plane:
    """Remembers what the data path was told, in order with the target's changes."""

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.plans: dict[ShardId, ShardPlan] = {}
        self.in_sync: set[ShardId] = set()
        self.suspect: set[ShardId] = set()
        self.relocated: dict[ShardId, str] = {}
        self.ignored: set[tuple[str, str]] = set()
        self.watched: set[tuple[str, str]] = set()

    def register(self, plans: list[ShardPlan], in_sync: bool = False, suspect: bool = False) -> None:
        """See ``DataPort``."""
        for plan in plans:
            self.plans[plan.id] = plan
            self.log.append(f"register {plan.collection}{' in-sync' if in_sync else ''}{' suspect' if suspect else ''}")
            if in_sync:
                self.in_sync.add(plan.id)
            if suspect:
                self.suspect.add(plan.id)

    def relocate(self, leaders: dict[ShardId, str]) -> None:
        """See ``DataPort``."""
        self.relocated.update(leaders)

    def quiesce(self, database: str, plan_id: str, _deadline: object) -> None:
        """See ``DataPort``."""
        self.log.append(f"quiesce {plan_id}")

    def forget(self, database: str, plan_id: str) -> None:
        """See ``DataPort``."""
        self.log.append(f"forget {plan_id}")
        self.plans = {key: value for key, value in self.plans.items() if key.plan_id != plan_id}

    def ignore(self, database: str, cuid: str) -> None:
        """See ``DataPort``."""
        self.ignored.add((database, cuid))

    def watch_users(self, cuids: set[tuple[str, str]]) -> None:
        """See ``DataPort``."""
        self.watched = cuids


class Target(FakeFront):
    """A deployment whose definitions are kept by name; ``before`` may crash at any change."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[str] = []
        self.before: Callable[[str], None] = lambda line: None
        self.serial = 100
        self.databases: dict[str, dict[str, Any]] = {"_system": self._empty("1")}
        self.on("GET (.+) /_api/replication/clusterInventory", self._inventory)
        self.on("GET (.+) /_api/analyzer", lambda name, **_o: {"result": self._analyzers(name)})
        self.on("GET _system /_api/database", lambda **_o: {"result": list(self.databases)})
        self.on("GET (.+) /_api/collection/(.+)/properties", self._properties)
        self.on("GET (.+) /_api/index", self._indexes)
        for pattern, handler in (
            ("POST _system /_api/database", self._create_database),
            ("DELETE _system /_api/database/(.+)", lambda name, **_o: self.databases.pop(name)),
            ("PUT (.+) /_api/replication/restore-collection", self._create_collection),
            ("PUT (.+) /_api/replication/restore-indexes", self._create_index),
            ("PUT (.+) /_api/replication/restore-view", self._put_view),
            ("PUT (.+) /_api/collection/(.+)/properties", self._change),
            ("POST (.+) /_api/analyzer", self._create_analyzer),
            ("DELETE (.+) /_api/analyzer/(.+)", lambda db, name, **_o: self.databases[db]["analyzers"].pop(name)),
            ("DELETE (.+) /_api/view/(.+)", lambda db, name, **_o: self.databases[db]["views"].pop(name)),
            ("DELETE (.+) /_api/collection/(.+)", self._drop_collection),
            ("DELETE (.+) /_api/index/(.+)/(.+)", self._drop_index),
        ):
            self.on(pattern, handler)

    @staticmethod
    def _empty(identity: str) -> dict[str, Any]:
        return {"id": identity, "collections": {}, "views": {}, "analyzers": {}}

    def json(self, method: str, path: str, **options: Any) -> Any:
        """Changes are logged, and may crash before they are carried out."""
        if method != "GET":
            line = f"{method} {path.removeprefix('/_api/').removeprefix('replication/')}"
            self.before(line)
            name = (options.get("body") or {}).get("parameters", options.get("body") or {}).get("name")
            self.log.append(f"{line} {name}" if name else line)
        return super().json(method, path, **options)

    def new_id(self) -> str:
        """Another one."""
        self.serial += 1
        return str(self.serial)

    def _inventory(self, name: str, **_options: Any) -> dict[str, Any]:
        if name not in self.databases:
            raise refusal(404, 1228)
        database = self.databases[name]
        return {
            "properties": {"id": database["id"]},
            "collections": [
                {"parameters": {**item["parameters"], "shards": {}}, "indexes": list(item["indexes"].values())}
                for item in database["collections"].values()
            ],
            "views": list(database["views"].values()),
        }

    def _analyzers(self, name: str) -> list[dict[str, Any]]:
        return [{**item, "name": f"{name}::{key}"} for key, item in self.databases[name]["analyzers"].items()]

    def _create_database(self, body: dict[str, Any], **_options: Any) -> dict[str, Any]:
        if body["name"] in self.databases:
            raise refusal(409, 1207)
        self.databases[body["name"]] = self._empty(self.new_id())
        return {}

    def _create_collection(self, database: str, body: dict[str, Any], **_options: Any) -> dict[str, Any]:
        name, collections = body["parameters"]["name"], self.databases[database]["collections"]
        if name in collections:
            raise refusal(409, 1207)
        identity = self.new_id()
        parameters = {**body["parameters"], "id": identity, "planId": identity}
        collections[name] = {"parameters": parameters, "indexes": {}}
        return {}

    def _properties(self, database: str, name: str, **_options: Any) -> dict[str, Any]:
        return dict(self.databases[database]["collections"][name]["parameters"])

    def _change(self, database: str, name: str, body: dict[str, Any], **_options: Any) -> dict[str, Any]:
        self.databases[database]["collections"][name]["parameters"].update(body)
        return {}

    def _indexes(self, database: str, query: dict[str, Any], **_options: Any) -> dict[str, Any]:
        return {"indexes": list(self.databases[database]["collections"][query["collection"]]["indexes"].values())}

    def _create_index(self, database: str, body: dict[str, Any], **_options: Any) -> dict[str, Any]:
        collection = self.databases[database]["collections"][body["parameters"]["name"]]
        for index in body["indexes"]:
            if index.get("refused"):
                raise refusal(400, 10, "bad index")
            collection["indexes"][index["name"]] = index
        return {}

    def _drop_index(self, database: str, name: str, identity: str, **_options: Any) -> dict[str, Any]:
        indexes = self.databases[database]["collections"][name]["indexes"]
        for key in [key for key, item in indexes.items() if item["id"] == identity]:
            del indexes[key]
        return {}

    def _drop_collection(self, database: str, identity: str, **_options: Any) -> dict[str, Any]:
        collections = self.databases[database]["collections"]
        for name in [name for name, item in collections.items() if item["parameters"]["id"] == identity]:
            del collections[name]
            return {}
        raise refusal(404, 1203)

    def _put_view(self, database: str, body: dict[str, Any], **_options: Any) -> dict[str, Any]:
        self.databases[database]["views"][body["name"]] = body
        return {}

    def _create_analyzer(self, database: str, body: dict[str, Any], **_options: Any) -> dict[str, Any]:
        definition = {name: value for name, value in body.items() if name != "name"}
        self.databases[database]["analyzers"][body["name"]] = definition
        return {}


def collection(name: str, plan_id: str, indexes: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    """An entry of the source's inventory."""
    parameters = {**LAYOUT, "id": plan_id, "planId": plan_id, "name": name, "globallyUniqueId": f"c{plan_id}/", **more}
    parameters["shards"] = {f"s{plan_id}": ["PRMR-1", "PRMR-2"]}
    return {"parameters": parameters, "indexes": indexes or []}


def index(name: str, **more: Any) -> dict[str, Any]:
    """A persistent index on one attribute."""
    return {"id": f"id-{name}", "name": name, "type": "persistent", "fields": [name], "unique": False, **more}


def source(**changes: Any) -> inv.Inventory:
    """A cluster with two databases."""
    system = {"properties": {"id": "1"}, "collections": [collection("_users", "2"), collection("_graphs", "3")]}
    shop: dict[str, Any] = {
        "properties": {"id": "50"},
        "collections": [
            collection("follower", "12", distributeShardsLike="things"),
            collection("edges", "11", type=3),
            collection(
                "things", "10", [index("a"), index("u", unique=True), index("t", type="ttl", expireAfter=5)]
            ),
            collection("_graphs", "13"),
            collection("_statistics", "14"),
        ],
        "views": [{"name": "v", "type": "arangosearch", "links": {"things": {}}}],
        **changes,
    }
    analyzer = {"name": "shop::low", "type": "norm", "properties": {"case": "lower"}, "features": []}
    return {
        "_system": inv.parse("_system", system, {"result": []}),
        "shop": inv.parse("shop", shop, {"result": [analyzer]}),
    }


class Case:
    """A target, a journal, and agents that restart."""

    def __init__(self) -> None:
        self.target = Target()
        self.store = FakeStore()
        self.findings = Findings()
        self.plane = Plane(self.target.log)

    def schema(self) -> Schema:
        """As after a restart."""
        self.plane = Plane(self.target.log)
        schema_map = SchemaMap(self.store)
        schema_map.load()
        admin = TargetAdmin(self.target, OpenGate(), settle=0.2, patience=1.0)
        return Schema(admin, self.plane, schema_map, self.findings.report, self.findings.resolve, VERSION)

    def check_equal(self, wanted: inv.Inventory, schema: Schema) -> None:
        """Everything is there but what the index builder was told; every shard is registered once."""
        missing = schema.missing["shop"][0]
        left = sorted(item["name"] for item in (*missing.unique, *missing.ordinary))
        assert left in (["u"], ["a", "u"])
        found = problems(wanted, inv_of(self.target), VERSION)
        assert found == [f"collection shop/things: index {name} is on one side only" for name in left]
        names = {plan.collection for plan in self.plane.plans.values()}
        assert names == {item.name for item in wanted["shop"].collections.values() if item.name != "_statistics"}
        assert [item.unique[0]["name"] for item in schema.missing["shop"]] == ["u"]


def inv_of(target: Target) -> inv.Inventory:
    """What the target has."""
    return {name: inv.read_database(target, name) for name in target.databases}


def source_without(name: str) -> list[dict[str, Any]]:
    """The entries of the source's database without one."""
    all_of_them = [
        collection("follower", "12", distributeShardsLike="things"),
        collection("edges", "11", type=3),
        collection("things", "10", [index("a"), index("u", unique=True), index("t", type="ttl", expireAfter=5)]),
        collection("_graphs", "13"),
        collection("_statistics", "14"),
    ]
    return [item for item in all_of_them if item["parameters"]["name"] != name]
