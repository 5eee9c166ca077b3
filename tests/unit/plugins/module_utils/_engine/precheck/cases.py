# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""For each row an answer of a server, or an option, that breaks it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.unit.plugins.module_utils._engine.precheck.rig import collection, inventory

GIB = 2**30
INVENTORY = "clusterInventory"


@dataclass(frozen=True)
class Pretended:
    """Answers by path on either side, and what the message must hold."""

    row: str
    says: str
    source: dict[str, object] = field(default_factory=dict)
    target: dict[str, object] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.row}: {self.says}"


def defined(
    row: str, says: str, *collections: Any, target: Any = "", properties: Any = None, **source: Any
) -> Pretended:
    """A case of definitions on the source, on a target of the given version."""
    version = {"server": "arango", "license": "community", "version": target}
    return Pretended(
        row,
        says,
        {INVENTORY: inventory(*collections, **(properties or {})), **source},
        {"/_api/version": version} if target else {},
    )


def disk(free: float, size: float = 1000.0, total: float = 100 * GIB) -> str:
    return (
        "# HELP rocksdb_free_disk_space x\n# TYPE rocksdb_free_disk_space gauge\n"
        f'rocksdb_free_disk_space{{role="DBSERVER",shortname="x"}} {free}\n'
        f"rocksdb_total_disk_space {total:e}\nrocksdb_estimate_live_data_size {size}\n"
    )


def index(kind: str, **more: object) -> list[dict[str, object]]:
    return [{"id": "5", "type": kind, "name": "i", "fields": ["a"], "unique": False, "sparse": False, **more}]


def unhealthy(role: str) -> dict[str, Any]:
    return {"ClusterId": "x", "Health": {"PRMR-1": {"Role": role, "Status": "FAILED", "Endpoint": "ssl://h:1"}}}


JOURNAL = {
    "/_api/collection/_cutover": {"name": "_cutover", "id": "1", "error": False, "code": 200},
}


def journal(key: str, **values: object) -> dict[str, object]:
    document = {"_key": key, "_id": f"_cutover/{key}", "_rev": "_jt3aNJe---", "schema": 1, **values}
    missing = {"error": True, "code": 404, "errorNum": 1202, "errorMessage": "document not found"}
    others = {name: missing for name in ("decision", "migration") if name != key}
    return {**JOURNAL, **{f"/_cutover/{name}$": body for name, body in {**others, key: document}.items()}}


FAILING = (
    Pretended("source-mode", "servers differ", {"/_admin/server/mode": {"mode": "readonly"}}, options={"one": True}),
    defined("source-in-sync", "_system/lagging", collection("lagging", in_sync=False)),
    defined("source-leaders", "_system/headless", collection("headless", ready=False)),
    Pretended("source-servers-good", "PRMR-1 is FAILED", {"/_admin/cluster/health": unhealthy("DBServer")}),
    Pretended("source-clock", "differs from this host's", {"/_admin/time": {"time": 1000.0}}),
    Pretended("source-license", "expired", {"/_admin/license": {"license": "x", "status": "expired"}}),
    Pretended("source-tasks", "nightly", {"/_api/tasks": [{"id": "7", "name": "nightly"}]}),
    Pretended("target-good", "PRMR-1 is FAILED", target={"/_admin/cluster/health": unhealthy("DBServer")}),
    Pretended("target-cluster", "role single", target={"/_admin/server/role": {"role": "SINGLE", "mode": "default"}}),
    Pretended(
        "target-cluster", "role coordinator",
        target={"/_admin/server/role": {"role": "COORDINATOR", "mode": "resilient"}},
    ),
    Pretended("target-mode", "readonly", target={"/_admin/server/mode": {"mode": "readonly"}}),
    Pretended("target-level", "level ro on _system", target={"/database/_system": {"result": "ro"}}),
    Pretended("target-license", "read-only", target={"/_admin/license": {"license": "x", "status": "read-only"}}),
    Pretended(
        "target-license", "good", target={"/_admin/license": {"diskUsage": {"limitReached": True, "status": "good"}}}
    ),
    Pretended("target-version", "older than", target={"/_api/version": {"version": "3.10.14"}}),
    Pretended("target-version", "oldest", target={"/_api/version": {"version": "3.9.1"}}),
    Pretended("target-version-new", "documentation", target={"/_api/version": {"version": "4.0.0"}}),
    Pretended(
        "target-compress", "3.11.14 does not take", target={"/_api/version": {"version": "3.11.14"}},
        options={"compress": "always"},
    ),
    Pretended(
        "target-journal", "completed at 2026-01-02",
        target=journal("decision", state="completed", completed_at="2026-01-02"),
    ),
    Pretended("target-journal", "completed at 2026", target=journal("migration", state="completed", since="2026")),
    Pretended(
        "target-journal", "(id abc)", target=journal("migration", state="completed", id="abc"),
        options={"overwrite_target": True, "replace_completed": "abcd"},
    ),
    Pretended("target-journal", "begun to open", target=journal("decision", state="opening")),
    Pretended("target-users", "eve", target={"/_api/user$": {"result": [{"user": "root"}, {"user": "eve"}]}}),
    Pretended(
        "target-own-user", "mover", {"/_api/user$": {"result": [{"user": "mover"}]}},
        options={"target_username": "mover"},
    ),
    Pretended("target-clock", "differs from this host's", target={"/_admin/time": {"time": 1000.0}}),
    Pretended("capacity-source-disk", "little free disk", {"/_admin/metrics": disk(1 * GIB)}),
    Pretended("capacity-source-disk", "little free disk", {"/_admin/metrics": disk(9 * GIB)}),
    Pretended(
        "capacity-target-disk", "0.5 GiB free", {"/_admin/metrics": disk(50 * GIB, size=5e9)},
        {"/_admin/metrics": disk(GIB / 2)},
    ),
    Pretended(
        "capacity-license", "exceed", {"/_admin/metrics": disk(50 * GIB, size=40 * GIB)},
        {"/_admin/license": {"diskUsage": {"bytesUsed": 0, "bytesLimit": 100 * GIB, "status": "good"}}},
    ),
    defined("capacity-dbservers", "_system/wide needs 7", collection("wide", replicationFactor=7)),
    defined("capacity-scale", "10001 shards", collection(shards={f"s{n}": ["PRMR-a"] for n in range(10_001)})),
    defined("features-index-types", "(mdi)", collection(indexes=index("mdi")), target="3.11.14"),
    defined("features-index-types", "(vector)", collection(indexes=index("vector")), target="3.12.3"),
    defined("features-index-types", "_system/c/i (fulltext)", collection(indexes=index("fulltext")), target="4.0.0"),
    defined("features-smart", "_system/s", collection("s", isSmart=True), target="3.12.4"),
    defined("features-smart", "_system/s", collection("s", smartJoinAttribute="x"), target="3.12.4"),
    defined("features-smart-edges", "_system/_local_e", collection("_local_e"), target="3.12.10"),
    defined("features-smart-edges", "_system/x", collection("x", isSmartChild=True), target="3.12.10"),
    defined("features-satellites", "_system/s", collection("s", replicationFactor="satellite"), target="3.11.14"),
    defined("features-oneshard", "_system", target="3.11.14", properties={"sharding": "single"}),
    defined(
        "features-strategies", "enterprise-compat", collection(shardingStrategy="enterprise-compat"), target="3.11.14"
    ),
    defined("features-same-shards", "3 declared, 1 listed", collection(numberOfShards=3)),
    defined("features-same-shards", "1 declared, 0 listed", collection(shards={})),
    defined("features-distribute-like", "_system/c like gone", collection(distributeShardsLike="gone")),
    Pretended(
        "features-patterns", "matches: crm, _system/b*", {INVENTORY: inventory(collection("a"))},
        options={"include": ["_system", "crm"], "exclude": ["_system/b*"]},
    ),
    Pretended(
        "features-copies", "more than the copies of _system/c", {INVENTORY: inventory(collection())},
        options={"write_concern": {"_system/*": 3}},
    ),
    Pretended(
        "capacity-dbservers", "_system/c needs 7", {INVENTORY: inventory(collection())},
        options={"replication_factor": {"_system": 7}},
    ),
    Pretended(
        "features-torn", "collection _system/b needs a",
        {INVENTORY: inventory(collection("a"), collection("b", distributeShardsLike="a"))},
        options={"exclude": ["_system/a"]},
    ),
    defined("features-revisions", "_system/old", collection("old", usesRevisionsAsDocumentIds=False)),
    Pretended(
        "features-layout", "_system/c (number_of_shards): 3 instead of 1 shards need rev_policy regenerate",
        {INVENTORY: inventory(collection())}, options={"number_of_shards": {"_system": 3}},
    ),
    Pretended(
        "features-layout", "_system/c (rev_policy): its shards are chosen by x",
        {INVENTORY: inventory(collection(shardKeys=["x"]))}, options={"rev_policy": {"_system/c": "regenerate"}},
    ),
    Pretended(
        "features-layout", "the contents of _system/c cannot be compared",
        {INVENTORY: inventory(collection()), "/_api/version": {"version": "3.11.11"}},
        options={"rev_policy": {"*": "regenerate"}},
    ),
    defined("features-extended-names", "_system/Käse", collection("Käse"), target="3.11.14"),
    defined(
        "features-foxx", "_system (2)", collection("_apps"), target="4.0.0", **{"/_apps/count": {"count": 2}}
    ),
    defined(
        "features-functions", "_system (3)", collection("_aqlfunctions"), target="4.0.0",
        **{"/_aqlfunctions/count": {"count": 3}},
    ),
    defined("features-queues", "_system (1)", collection("_jobs"), **{"/_jobs/count": {"count": 1}}),
    Pretended("features-exact-numbers", "rounds numbers", {"/_api/version": {"version": "3.11.11"}}),
    Pretended("features-exact-numbers", "rounds numbers", {"/_api/version": {"version": "3.12.2"}}),
    defined("features-generated-keys", "_system/t", collection("t", keyOptions={"type": "traditional"})),
)  # fmt: skip

PASSING = (
    defined("features-index-types", "every index type", collection(indexes=index("hash")), target="4.0.0"),
    defined("features-smart", "takes smart", collection("s", isSmart=True), target="3.12.5"),
    defined("features-satellites", "takes", collection("s", replicationFactor="satellite"), target="3.12.10"),
    defined("features-oneshard", "takes", target="3.12.10", properties={"sharding": "single"}),
    defined("features-extended-names", "takes extended", collection("Käse"), target="3.12.0"),
    defined("features-extended-names", "no extended", collection("ok_1"), target="3.11.14"),
    defined("features-foxx", "no Foxx", collection("_apps"), target="4.0.0", **{"/_apps/count": {"count": 0}}),
    defined("features-geo", "become", collection(indexes=index("geo1"))),
    defined("features-late-indexes", "_system/c/i (ttl)", collection(indexes=index("ttl", expireAfter=5))),
    defined("features-distribute-like", "followed", collection("a"), collection("b", distributeShardsLike="a")),
    Pretended(
        "features-distribute-like", "followed",
        {INVENTORY: inventory(collection("a"), collection("b", distributeShardsLike="a"))},
        options={"exclude": ["_system/a"]},
    ),
    Pretended(
        "features-torn", "accepted: collection _system/b",
        {INVENTORY: inventory(collection("a"), collection("b", distributeShardsLike="a"))},
        options={
            "exclude": ["_system/a"], "accept": [{"id": "features-torn:collection _system/b", "reason": "alone"}]
        },
    ),
    Pretended("features-torn", "nothing", {INVENTORY: inventory(collection("a"))}, options={"exclude": ["_system/b"]}),
    Pretended(
        "features-left-out", "collections: _system/a", {INVENTORY: inventory(collection("a"))},
        options={"exclude": ["_system/a"]},
    ),
    Pretended("features-left-out", "nothing", {INVENTORY: inventory(collection("a"))}, options={"include": ["_*"]}),
    Pretended(
        "features-revisions", "unique",
        {INVENTORY: inventory(collection("old", usesRevisionsAsDocumentIds=False))},
        options={"exclude": ["_system/old"]},
    ),
    Pretended(
        "features-revisions", "unique",
        {INVENTORY: inventory(collection("old", usesRevisionsAsDocumentIds=False))},
        options={"rev_policy": {"_system/old": "regenerate"}},
    ),
    Pretended(
        "features-layout", "revisions of its own for _system/c", {INVENTORY: inventory(collection())},
        options={"number_of_shards": {"*": 3}, "rev_policy": {"_system": "regenerate"}},
    ),
    Pretended(
        "features-layout", "no collection is chosen", {INVENTORY: inventory(collection())},
        options={"number_of_shards": {"*": 1}, "rev_policy": {"*": "keep"}},
    ),
    Pretended(
        "features-copies", "can be kept", {INVENTORY: inventory(collection())},
        options={"write_concern": {"_system": 3}, "replication_factor": {"_system/c": 3}},
    ),
    Pretended(
        "capacity-dbservers", "at most 1", {INVENTORY: inventory(collection("wide", replicationFactor=7))},
        options={"replication_factor": {"*": 1}},
    ),
    Pretended("target-compress", "auto is possible", target={"/_api/version": {"version": "3.11.14"}}),
    Pretended(
        "target-compress", "always is possible", target={"/_api/version": {"version": "3.12.0"}},
        options={"compress": "always"},
    ),
    Pretended("input-accept", "known", options={"accept": [{"id": "features-torn:graph a/b", "reason": "x"}]}),
    Pretended("features-exact-numbers", "exactly", {"/_api/version": {"version": "3.12.3"}}),
    Pretended("features-exact-numbers", "exactly", {"/_api/version": {"version": "3.11.12"}}),
    Pretended("source-mode", "kept as found", {"/_admin/server/mode": {"mode": "readonly"}}),
    Pretended("target-license", "does not hinder", target={"/_admin/license": {"license": "none"}}),
    Pretended("capacity-license", "not reached", target={
        "/_admin/license": {"diskUsage": {"bytesUsed": 0, "bytesLimit": 100 * GIB, "status": "good"}},
    }),
    Pretended(
        "target-journal", "will be replaced", target=journal("migration", state="completed", id="abc"),
        options={"overwrite_target": True, "replace_completed": "abc"},
    ),
    Pretended("target-journal", "earlier migration is known", target=journal("migration", state="aborted")),
    Pretended(
        "target-users", "will be removed: eve", target={"/_api/user$": {"result": [{"user": "eve"}]}},
        options={"overwrite_target": True},
    ),
    defined("source-dump", "old dump", **{"/_api/dump/next": {"error": True, "errorNum": 404}}),
)  # fmt: skip
