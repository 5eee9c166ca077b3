# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How each prerequisite is broken, row by row of the prechecks, and what becomes of a start that accepts it."""

from __future__ import annotations

import os
import resource
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.integration.broken_site import Site
from tests.integration.pair import PASSWORD, Pair

GIB = 2**30
INVENTORY = "shop/_api/replication/clusterInventory"
SECRET = "secret"  # a change that is no field of the request: another file of the source's JWT secret
# What an accepted start comes to.
REFUSED = "refused"  # the start itself ends with the code
BLOCKED = "blocked"  # it runs, and the gate refuses the cutover with the code
PROOF = "proof"  # a cutover may begin, and takes the way back
PAUSED = "paused"  # copying rests
WAITS = "waits"  # it waits for what the target answers, which holds the code
READY = "ready"  # nothing has to fail: what was accepted is what happens

Act = Callable[[Site, Pair], "Mapping[str, Any] | None"]


@dataclass(frozen=True)
class Broken:
    """One row, what breaks it and the end of a start that accepts it, with the rows of ``also`` that break with it.

    ``act`` gives changes of the start request. ``late`` is done when the accepted start has begun. Without ``ends`` the
    row cannot be accepted, or it only warns.
    """

    row: str
    act: Act
    ends: str = ""
    code: str = ""
    also: tuple[str, ...] = ()
    late: Act | None = None
    source: str = "source"
    target: str = "target"

    def __str__(self) -> str:
        return self.row


def changes(**fields: Any) -> Act:
    """Another start request breaks it."""
    return lambda _site, _pair: fields


def untouched(_site: Site, _pair: Pair) -> None:
    """The clusters are what breaks it."""


# -- files, addresses and this host ----------------------------------------------------------------------------------


def _closed() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"https://127.0.0.1:{taken.getsockname()[1]}"


def _plain(side: str) -> Act:
    def act(_site: Site, pair: Pair) -> Mapping[str, Any]:
        urls = (pair.source if side == "source" else pair.target).coordinators
        return {f"{side}_endpoints": [url.replace("https", "http") for url in urls]}

    return act


def _foreign_ca(side: str) -> Act:
    def act(_site: Site, pair: Pair) -> Mapping[str, Any]:
        return {f"{side}_ca_path": str((pair.target if side == "source" else pair.source).ca_path)}

    return act


def _secret(content: bytes, mode: int = 0o600) -> Act:
    def act(site: Site, pair: Pair) -> Mapping[str, Any]:
        path = site.directory / "other.secret"
        path.write_bytes(content or pair.source.jwt_secret_path.read_bytes())
        path.chmod(mode)
        return {SECRET: str(path)}

    return act


def _no_cluster(site: Site, _pair: Pair) -> Mapping[str, Any]:
    single = site.cluster("single")
    return {
        "source_endpoints": single.coordinators, "source_ca_path": str(single.ca_path),
        SECRET: str(single.jwt_secret_path),
    }  # fmt: skip


def _other_name(_site: Site, pair: Pair) -> Mapping[str, Any]:
    return {"source_endpoints": [url.replace("127.0.0.1", "localhost") for url in pair.source.coordinators]}


def _mixed_up(_site: Site, pair: Pair) -> Mapping[str, Any]:
    first, second = list(pair.source.dbservers)[:2]
    return {"endpoint_map": {first: pair.source.dbservers[second]}}


def _into_itself(_site: Site, pair: Pair) -> Mapping[str, Any]:
    first, second = pair.source.coordinators
    return {"source_endpoints": [first], "target_endpoints": [second], "target_ca_path": str(pair.source.ca_path)}


def _full_host(site: Site, _pair: Pair) -> None:
    real = os.statvfs
    site.patch.setattr(os, "statvfs", lambda path: os.statvfs_result([*real(path)[:4], 10, *real(path)[5:]]))


# -- servers ---------------------------------------------------------------------------------------------------------


def _dead_server(site: Site, pair: Pair) -> None:
    name = next(iter(pair.source.dbservers))
    site.order(pair.source, "kill_server", {"kind": "restart_server", "server": name}, server=name)


def _refuses(path_regex: str, *, one: bool) -> Act:
    def act(site: Site, pair: Pair) -> None:
        name = next(iter(pair.source.dbservers)) if one else ""
        pair.source.control.fault("status", path_regex=path_regex, server=name, status=401, errorNum=401, count=0)
        site.undo.callback(pair.source.control.clear)

    return act


def _bad_health(side: str) -> Act:
    """The cluster says of one DB-Server that it is BAD, which goes on as before."""

    def act(site: Site, pair: Pair) -> None:
        api = pair.clients.coordinators if side == "source" else pair.clients.target
        document = api.json("GET", "/_admin/cluster/health", database="_system")
        next(one for one in document["Health"].values() if one["Role"].lower() == "dbserver")["Status"] = "BAD"
        site.pretend(pair.source if side == "source" else pair.target, "cluster/health", document)

    return act


def _lagging_follower(site: Site, pair: Pair) -> None:
    shards = pair.clients.coordinators.json("GET", "/_api/collection/things/shards", database="shop")["shards"]
    for shard in shards:
        where = {"database": "shop", "shard": shard}
        site.order(pair.source, "hold_replication", {"kind": "release_replication", **where}, **where)
    pair.insert("things", [{"_key": f"t{number}", "n": number} for number in range(40)], "shop")


def _says(side: str, path_regex: str, answer: object, *, one: bool = False) -> Act:
    """A cluster, or one of its DB-Servers, gives this answer."""

    def act(site: Site, pair: Pair) -> None:
        cluster = pair.source if side == "source" else pair.target
        site.pretend(cluster, path_regex, answer, next(iter(cluster.dbservers)) if one else "")

    return act


def _wrong_time(side: str) -> Act:
    return _says(side, "/_admin/time", {"time": time.time() + 3600})


def _read_only(site: Site, pair: Pair) -> None:
    site.set_mode(pair.target, "readonly")
    site.undo.callback(lambda: site.set_mode(pair.target, "default"))


def _license_over(site: Site, pair: Pair) -> None:
    site.order(pair.target, "license_readonly", {"kind": "license_readonly", "on": False}, on=True)


def _full_disks(site: Site, pair: Pair) -> None:
    for name in pair.target.dbservers:
        site.order(pair.target, "full_disk", {"kind": "full_disk", "server": name, "on": False}, server=name, on=True)


def _figures(free: float, size: float = 1000.0) -> str:
    return (
        f"rocksdb_free_disk_space {free}\nrocksdb_total_disk_space {100 * GIB}\n"
        f"rocksdb_estimate_live_data_size {size}\n"
    )


def _little_target(site: Site, pair: Pair) -> None:
    site.pretend(pair.source, "/_admin/metrics", _figures(50 * GIB, 5e9))
    site.pretend(pair.target, "/_admin/metrics", _figures(GIB / 2))


def _little_license(site: Site, pair: Pair) -> None:
    site.pretend(pair.source, "/_admin/metrics", _figures(50 * GIB, 40 * GIB))
    usage = {"bytesUsed": 0, "bytesLimit": 100 * GIB, "status": "good"}
    site.pretend(pair.target, "/_admin/license", {"diskUsage": usage})


def _task(site: Site, pair: Pair) -> None:
    body = {"name": "nightly", "command": "1", "period": 3600}
    task = pair.clients.coordinators.json("POST", "/_api/tasks", database="_system", body=body)
    site.asked(pair.source, "DELETE", f"/_api/tasks/{task['id']}", "_system")


# -- users and what is on the target ---------------------------------------------------------------------------------


def _user(name: str, level: str, *sides: str) -> Act:
    """A user of that level on ``_system``, with the password of root, on either side."""

    def act(site: Site, pair: Pair) -> Mapping[str, Any]:
        for side in sides:
            api = pair.clients.coordinators if side == "source" else pair.clients.target
            api.json("POST", "/_api/user", database="_system", body={"user": name, "passwd": PASSWORD})
            body = {"grant": level}
            api.json("PUT", f"/_api/user/{name}/database/_system", database="_system", body=body)
            site.asked(pair.source if side == "source" else pair.target, "DELETE", f"/_api/user/{name}", "_system")
        return {} if name == "eve" else {"target_username": name}

    return act


def _data_there(site: Site, pair: Pair) -> None:
    pair.clients.target.json("POST", "/_api/database", database="_system", body={"name": "billing"})
    site.asked(pair.target, "DELETE", "/_api/database/billing", "_system")


def _completed_before(site: Site, pair: Pair) -> None:
    body = {"name": "_cutover", "isSystem": True}
    pair.clients.target.json("POST", "/_api/collection", database="_system", body=body)
    document = {"_key": "decision", "schema": 1, "state": "completed", "completed_at": "2026-01-02"}
    pair.clients.target.json("POST", "/_api/document/_cutover", database="_system", body=document)
    site.asked(pair.target, "DELETE", "/_api/collection/_cutover?isSystem=true", "_system")


# -- definitions -----------------------------------------------------------------------------------------------------


def _collection(name: str = "extra", **properties: Any) -> Act:
    def act(site: Site, pair: Pair) -> None:
        site.collection(pair, name, **properties)

    return act


def _mdi(site: Site, pair: Pair) -> None:
    site.collection(pair, "extra")
    body = {"type": "mdi", "fields": ["x", "y"], "fieldValueTypes": "double"}
    pair.clients.coordinators.json("POST", "/_api/index", database="shop", query={"collection": "extra"}, body=body)


def _one_shard(site: Site, pair: Pair) -> None:
    body = {"name": "one", "options": {"sharding": "single"}}
    pair.clients.coordinators.json("POST", "/_api/database", database="_system", body=body)
    site.asked(pair.source, "DELETE", "/_api/database/one", "_system")


def _like_another(site: Site, pair: Pair) -> Mapping[str, Any]:
    site.collection(pair, "extra", distributeShardsLike="things")
    return {"exclude": ["shop/things"]}


def _damaged(**parameters: Any) -> Act:
    """The inventory shows other parameters of a collection than it has, or a state of its shards."""

    def act(site: Site, pair: Pair) -> None:
        document = pair.clients.coordinators.json(
            "GET", "/_api/replication/clusterInventory", database="shop", query={"includeSystem": True}
        )
        entry = next(one for one in document["collections"] if one["parameters"]["name"] == "things")
        for name, value in parameters.items():
            (entry if name in entry else entry["parameters"])[name] = value
        site.pretend(pair.source, INVENTORY, document)

    return act


def _stored(collection: str, document: Mapping[str, Any]) -> Act:
    def act(site: Site, pair: Pair) -> None:
        pair.insert(collection, [document], "shop")
        site.undo.callback(lambda: pair.remove(collection, [document["_key"]], "shop"))

    return act


CASES = (
    # given and this host
    Broken("input-options", changes(overwrite_target="yes")),
    Broken("input-secret", changes(**{SECRET: "/nowhere/secret"})),
    Broken("input-secret-private", _secret(b"", 0o644)),
    Broken("input-source-ca", changes(source_ca_path="/nowhere/ca.pem")),
    Broken("input-target-ca", changes(target_ca_path="/nowhere/ca.pem")),
    Broken("input-source-plaintext", _plain("source")),
    Broken("input-target-plaintext", _plain("target")),
    Broken("input-accept", changes(accept=[{"id": "no-such-row", "reason": "misspelt"}])),
    Broken("agent-python", lambda site, _pair: site.patch.setattr(sys, "version_info", (3, 8, 1, "final", 0))),
    Broken("agent-spool", _full_host, PAUSED),
    Broken("agent-state", lambda site, _pair: site.patch.setattr(os, "access", lambda _path, _mode: False)),
    Broken(
        "agent-files", lambda site, _pair: site.patch.setattr(resource, "getrlimit", lambda _which: (256, 4096))
    ),
    # the way to the source, and its servers
    Broken("source-reachable", lambda _site, _pair: {"source_endpoints": [_closed()]}),
    Broken("source-certificate", _foreign_ca("source")),
    Broken("source-jwt", _secret(b"the secret of another cluster")),
    Broken("source-cluster", _no_cluster),
    Broken("source-servers-good", _bad_health("source"), READY),
    Broken("source-servers-allowed", _other_name),
    Broken("source-servers-reachable", _dead_server),
    Broken("source-servers-identity", _mixed_up),
    Broken("source-servers-jwt", _refuses("server/id", one=True)),
    Broken("source-mode", _says("source", "/_admin/server/mode", {"mode": "readonly"}, one=True)),
    Broken("source-in-sync", _lagging_follower, READY),
    Broken("source-leaders", _damaged(isReady=False), READY),
    Broken("source-log", _refuses("/_api/wal/", one=False)),
    Broken("source-clock", _wrong_time("source"), READY),
    Broken("source-license", _says("source", "/_admin/license", {"license": "x", "status": "expired"})),
    Broken("source-tasks", _task),
    # the way to the target, and what is there
    Broken("target-reachable", lambda _site, _pair: {"target_endpoints": [_closed()]}),
    Broken("target-certificate", _foreign_ca("target")),
    Broken("target-credentials", changes(target_password="another")),
    Broken("target-cluster", untouched, target="single"),
    Broken("target-other-cluster", _into_itself),
    Broken("target-good", _bad_health("target"), READY),
    Broken("target-level", _user("reader", "ro", "target")),
    Broken("target-mode", _read_only, REFUSED, "CUT-ARANGO-2"),
    Broken(
        "target-license", _says("target", "/_admin/license", {"license": "x", "status": "read-only"}), WAITS,
        "errorNum 1004", late=_license_over,
    ),
    Broken("target-version", untouched, READY, source="modern"),
    Broken("target-version-new", untouched, source="modern", target="four"),
    Broken("target-compress", changes(compress="always")),
    Broken("target-journal", _completed_before),
    Broken("target-empty", _data_there),
    Broken("target-users", _user("eve", "rw", "target"), READY),
    Broken("target-own-user", _user("mover", "rw", "source", "target")),
    Broken("target-clock", _wrong_time("target")),
    # sizes
    Broken("capacity-source-disk", _says("source", "/_admin/metrics", _figures(GIB)), READY),
    Broken("capacity-target-disk", _little_target, WAITS, "errorNum 1104", late=_full_disks),
    Broken("capacity-license", _little_license, WAITS, "errorNum 1004", late=_license_over),
    Broken("capacity-dbservers", changes(replication_factor={"shop/things": 4}), BLOCKED, "CUT-SCHEMA-1"),
    Broken("capacity-scale", _damaged(shards={f"s{number}": ["PRMR-a"] for number in range(10_001)})),
    # definitions
    Broken(
        "features-index-types", _mdi, BLOCKED, "CUT-SCHEMA-5", also=("target-version",), source="modern"
    ),
    Broken(
        "features-smart", _collection(isSmart=True, numberOfShards=2, shardKeys=["_key:"]), BLOCKED, "CUT-SCHEMA-1",
        source="modern", target="community",
    ),
    Broken(
        "features-smart-edges", _collection(isSmart=True, type=3, numberOfShards=2, shardKeys=["_key:"]), BLOCKED,
        "CUT-SCHEMA-1", also=("features-smart",), source="modern", target="community",
    ),
    Broken(
        "features-satellites", _collection(replicationFactor="satellite"), READY, source="modern", target="community"
    ),
    Broken("features-oneshard", _one_shard, READY, source="modern", target="community"),
    Broken(
        "features-strategies", _collection(shardingStrategy="enterprise-compat", numberOfShards=2), READY,
        source="modern", target="community",
    ),
    Broken("features-same-shards", _damaged(numberOfShards=5), PROOF),
    Broken("features-distribute-like", _damaged(distributeShardsLike="gone"), BLOCKED, "CUT-SCHEMA-1"),
    Broken("features-revisions", _damaged(usesRevisionsAsDocumentIds=False), BLOCKED, "CUT-SCHEMA-4"),
    Broken("features-extended-names", _collection("Käse"), BLOCKED, "CUT-SCHEMA-1"),
    Broken("features-foxx", _stored("_apps", {"_key": "a", "mount": "/a"}), READY, source="modern", target="four"),
    Broken(
        "features-functions", _stored("_aqlfunctions", {"_key": "A::B", "name": "a::b", "code": "function () {}"}),
        READY, source="modern", target="four",
    ),
    Broken("features-queues", _stored("_jobs", {"_key": "j", "status": "pending"})),
    Broken("features-generated-keys", untouched),
    Broken("features-patterns", changes(include=["shop", "crm"]), READY),
    Broken("features-torn", _like_another),
    Broken("features-copies", changes(write_concern={"shop/things": 3}), READY),
    Broken("features-layout", changes(number_of_shards={"shop/things": 3})),
)  # fmt: skip

# Rows that nothing breaks here, and why.
LEFT_OUT = {
    "source-dump": "it only informs of one way of reading or the other",
    "features-geo": "it only informs; what it tells of is done",
    "features-late-indexes": "it only informs; what it tells of is done",
    "features-left-out": "it only informs of what the start request says",
    "features-exact-numbers": "it only informs; such documents are read once more",
    **dict.fromkeys(
        ("target-trial", "target-keeps-revisions", "target-restores-users"),
        "a start never asks it: only the module precheck with probe_target does, which test_trial.py breaks",
    ),
    "agent-port": "it is asked before an agent runs; one that cannot listen never starts a migration",
}
