# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who may use which endpoint: the table of facts §1.3, row by row and caller by caller."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.testbed.client import Answer
from tests.testbed.inprocess import Direct, basic, superuser

CALLERS = {
    "nobody": "",
    "stranger": basic("stranger", "p"),  # no right on _system
    "reader": basic("reader", "p"),  # RO on _system
    "root": basic("root", ""),  # RW on _system
    "superuser": superuser(),
}
# Who is let in, by level; the others get 401 (no login, no right on the database) or 403 with errorNum 11.
ALLOWED = {
    "none": set(CALLERS),
    "authenticated": {"stranger", "reader", "root", "superuser"},
    "any": {"reader", "root", "superuser"},
    "admin": {"root", "superuser"},
    "super": {"superuser"},
}
COLLECTION = {"name": "made"}
RESTORED = {"parameters": {"name": "made", "type": 2}, "indexes": []}
TABLE: list[tuple[str, str, str, Any]] = [
    ("GET", "/", "none", None),
    ("POST", "/_open/auth", "none", {"username": "root", "password": ""}),
    ("GET", "/_admin/server/availability", "none", None),
    ("GET", "/_api/version", "any", None),
    ("GET", "/_admin/status", "hardened", None),
    ("GET", "/_admin/metrics", "hardened", None),
    ("GET", "/_admin/metrics/v2", "hardened", None),
    ("GET", "/_admin/statistics", "hardened", None),
    ("GET", "/_admin/license", "hardened", None),
    ("GET", "/_api/engine/stats", "hardened", None),
    ("GET", "/_admin/support-info", "admin", None),
    ("GET", "/_admin/server/id", "any", None),
    ("GET", "/_admin/server/role", "any", None),
    ("GET", "/_admin/server/mode", "any", None),
    ("GET", "/_admin/server/databaseDefaults", "any", None),
    ("GET", "/_admin/deployment/id", "any", None),
    ("GET", "/_admin/cluster/health", "any", None),
    ("GET", "/_admin/cluster/numberOfServers", "any", None),
    ("PUT", "/_admin/server/mode", "admin", {"mode": "default"}),
    ("GET", "/_admin/cluster/shardDistribution", "admin", None),
    ("PUT", "/_admin/cluster/collectionShardDistribution", "admin", {"collection": "_graphs"}),
    ("GET", "/_admin/cluster/shardStatistics", "admin", None),
    ("PUT", "/_admin/cluster/uniqId?number=1", "admin", None),
    ("PUT", "/_admin/cluster/numberOfServers", "admin", {}),
    ("PUT", "/_admin/cluster/maintenance", "admin", "off"),
    ("GET", "/_admin/cluster/maintenance", "admin", None),
    ("GET", "/_admin/cluster/maintenance/none", "admin", None),
    ("PUT", "/_admin/cluster/maintenance/none", "admin", {}),
    ("GET", "/_admin/cluster/rebalance", "admin", None),
    ("POST", "/_admin/cluster/rebalance", "admin", {}),
    ("PUT", "/_admin/cluster/rebalance", "admin", {}),
    ("POST", "/_admin/cluster/rebalance/execute", "admin", {}),
    ("POST", "/_admin/cluster/cleanOutServer", "admin", {}),
    ("POST", "/_admin/cluster/resignLeadership", "admin", {}),
    ("GET", "/_admin/cluster/queryAgencyJob?id=1", "admin", None),
    ("POST", "/_admin/cluster/moveShard", "any", {}),
    ("GET", "/_api/cluster/agency-dump", "admin", None),
    ("GET", "/_api/cluster/endpoints", "authenticated", None),
    ("GET", "/_api/replication/clusterInventory", "any", None),
    ("PUT", "/_api/replication/restore-collection", "admin", RESTORED),
    ("PUT", "/_api/replication/restore-data?collection=_graphs", "admin", None),
    ("POST", "/_api/collection", "admin", COLLECTION),
    ("GET", "/_api/user", "admin", None),
    ("POST", "/_api/user", "admin", {"user": "made"}),
    ("PUT", "/_api/user/stranger/database/none", "admin", {"grant": "rw"}),
    ("GET", "/_api/user/root", "admin", None),
    ("GET", "/_api/database", "admin", None),
    ("POST", "/_api/database", "admin", {"name": "made"}),
    ("DELETE", "/_api/database/made", "admin", None),
    ("GET", "/_api/database/user", "authenticated", None),
    ("PUT", "/_admin/compact", "super", None),
    ("GET", "/_admin/server/jwt", "super", None),
    ("POST", "/_admin/server/jwt", "super", None),
]
WAL = [("GET", path, "admin", None) for path in ("/_api/wal/range", "/_api/wal/lastTick", "/_api/wal/tail")]
REFUSED = (401, 403)
FORBIDDEN = (11, 401, 1004)  # 1004: documents of a collection that the caller may only read


def make(**wishes: Any) -> Direct:
    direct = Direct(**wishes)
    for name, level in (("stranger", "none"), ("reader", "ro")):
        direct("POST", "/_api/user", {"user": name, "passwd": "p"})
        direct("PUT", f"/_api/user/{name}/database/_system", {"grant": level})
    return direct


@pytest.fixture(scope="module")
def plain() -> Iterator[Direct]:
    with make(version="3.12.10") as direct:
        yield direct


@pytest.fixture(scope="module")
def hardened() -> Iterator[Direct]:
    with make(version="3.12.10", options={"harden": True}) as direct:
        yield direct


def refused(answer: Answer) -> bool:
    return answer.status in REFUSED and answer.json["errorNum"] in FORBIDDEN


def check(direct: Direct, method: str, target: str, body: Any, allowed: set[str]) -> None:
    outcomes = {name: direct(method, target, body, login=login) for name, login in CALLERS.items()}
    assert {name for name, answer in outcomes.items() if not refused(answer)} == allowed
    for name in {"nobody", "stranger"} - allowed:
        if name == "nobody" or not target.startswith("/_api/user"):
            assert outcomes[name].status == 401
    for name in {"reader", "root"} - allowed:
        assert outcomes[name].status == 403


@pytest.mark.parametrize(("method", "target", "level", "body"), TABLE)
def test_levels(plain: Direct, method: str, target: str, level: str, body: Any) -> None:
    check(plain, method, target, body, ALLOWED["any" if level == "hardened" else level])


@pytest.mark.parametrize(("method", "target", "level", "body"), TABLE)
def test_levels_of_a_hardened_server(hardened: Direct, method: str, target: str, level: str, body: Any) -> None:
    check(hardened, method, target, body, ALLOWED["admin" if level == "hardened" else level])


@pytest.mark.parametrize(("method", "target", "level", "body"), WAL)
def test_levels_of_the_log_on_a_single_server(method: str, target: str, level: str, body: Any) -> None:
    with make(flavour="single") as direct:
        check(direct, method, target, body, ALLOWED[level])


def test_db_servers_take_the_superuser_only(plain: Direct) -> None:
    server = plain.dbservers[0]
    for method, target, _level, _body in [*TABLE, *WAL]:
        for name in ("stranger", "reader", "root"):
            answer = plain(method, target, on=server, login=CALLERS[name])
            assert answer.status in (401, 404, 405) or target in ("/", "/_admin/server/availability")
        assert not refused(plain(method, target, on=server))


def test_a_version_says_less_to_users_of_a_hardened_server(plain: Direct, hardened: Direct) -> None:
    for direct, known in ((plain, True), (hardened, False)):
        answer = direct("GET", "/_api/version?details=true", login=CALLERS["reader"]).json
        assert ("version" in answer, "details" in answer) == (known, known)
        assert "version" in direct("GET", "/_api/version", login=CALLERS["root"]).json


@pytest.mark.parametrize(
    ("policy", "reading", "writing"),
    [("jwt-compat", True, True), ("jwt-write", True, False), ("jwt-all", False, False)],
)
def test_cluster_api_jwt_policy(policy: str, reading: bool, writing: bool) -> None:
    with make(version="3.12.10", options={"api_jwt_policy": policy}) as direct:
        for method, target, _level, body in TABLE:
            if target.startswith("/_admin/cluster/"):
                passes = reading if method == "GET" else writing
                assert refused(direct(method, target, body)) is not passes
                assert not refused(direct(method, target, body, login=superuser()))
        assert not refused(direct("GET", "/_api/cluster/endpoints"))


@pytest.mark.parametrize(
    ("policy", "allowed"),
    [
        ("disabled", set()),
        ("jwt", {"superuser"}),
        ("admin", {"root", "superuser"}),
        ("public", {"reader", "root", "superuser"}),
    ],
)
def test_options_api(policy: str, allowed: set[str]) -> None:
    with make(options={"options_api": policy}) as direct:
        for target in ("/_admin/options", "/_admin/options-description"):
            answers = {name: direct("GET", target, login=login) for name, login in CALLERS.items()}
            assert {name for name, answer in answers.items() if answer.status == 200} == allowed
            if not allowed:
                assert answers["superuser"].status == 404


def test_collections_of_the_system_follow_the_database(plain: Direct) -> None:
    """Facts §1.3: `_users` never, `_queues` RO, `_frontend` RW; what others may do depends on the database."""
    root = CALLERS["root"]
    plain("POST", "/_api/document/_graphs", {"_key": "g"}, login=root)
    assert plain("GET", "/_api/document/_graphs/g", login=CALLERS["reader"]).status == 200
    assert plain("PUT", "/_api/document/_graphs/g", {}, login=CALLERS["reader"]).json["errorNum"] == 1004
    assert plain("GET", "/_api/collection/_users/count", login=root).json["errorNum"] == 11
    assert plain("POST", "/_api/document/_queues", {}, login=root).json["errorNum"] == 1004
    assert plain("POST", "/_api/document/_frontend", {}, login=root).status == 202
    assert plain("GET", "/_api/collection/_users/count", login=superuser()).status == 200


def test_a_token_is_good_for_its_paths_only(plain: Direct) -> None:
    login = superuser(allowed_paths=["/_api/version"])
    assert plain("GET", "/_api/version", login=login).status == 200
    assert plain("GET", "/_admin/server/id", login=login).status == 401


def test_secrets_are_shown_as_hashes(plain: Direct) -> None:
    answer = plain("GET", "/_admin/server/jwt", login=superuser()).json["result"]
    assert (len(answer["active"]["sha256"]), answer["passive"]) == (64, [])


def test_agency_dump_has_plan_and_current(plain: Direct) -> None:
    plain("POST", "/_api/collection", {"name": "planned", "replicationFactor": 2})
    tree = plain("GET", "/_api/cluster/agency-dump").json["agency"]["arango"]
    collection = plain.deployment.database("_system").collection("planned")
    planned = tree["Plan"]["Collections"]["_system"][collection.id]
    assert planned["shards"] == {shard.name: shard.servers for shard in collection.shards}
    current = tree["Current"]["Collections"]["_system"][collection.id]
    assert {name: entry["servers"] for name, entry in current.items()} == planned["shards"]
