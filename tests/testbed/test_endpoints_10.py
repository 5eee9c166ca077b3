# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Endpoints that came late or were removed: facts §10, over the same list of versions."""

from __future__ import annotations

import json

import pytest

from tests.testbed import versions
from tests.testbed.by_version import VERSIONS, create, over, status
from tests.testbed.inprocess import Direct, basic
from tests.testbed.options import parse_version

REMOVED_IN_4 = [
    ("GET", "/_admin/metrics/v2", None),
    ("GET", "/_admin/version", None),
    ("GET", "/_admin/job/done", None),
    ("GET", "/_api/endpoint", None),
    ("PUT", "/_api/collection/_graphs/load", None),
    ("PUT", "/_api/collection/_graphs/unload", None),
    ("PUT", "/_api/simple/all", {"collection": "_graphs"}),
    ("GET", "/_admin/aardvark/index.html", None),
    ("PUT", "/_admin/wal/flush", None),
    ("GET", "/_admin/wal/properties", None),
    ("GET", "/_admin/wal/transactions", None),
    ("GET", "/_api/tasks", None),
    ("GET", "/_api/aqlfunction", None),
]


@pytest.mark.parametrize(
    "path",
    ["applier-config", "applier-state", "logger-first-tick", "logger-tick-ranges", "server-id", "logger-follow?from=1"],
)
def test_applier_and_old_logger(path: str) -> None:
    names = ("3.10.14", "3.11.14", "3.12.9", "3.12.10", "4.0")
    probe = status("GET", f"/_api/replication/{path}")
    assert [found // 100 for found in over(names, probe, flavour="single")] == [2, 2, 2, 4, 4]


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("make-follower", {}, [(400, 1410), (501, 1470)]),
        ("make-follower", {"endpoint": "tcp://127.0.0.1:1", "includeSystem": True}, [(501, 9), (501, 1470)]),
        ("sync", {"endpoint": ""}, [(400, 400), (501, 1470)]),
        ("sync", {"endpoint": "tcp://127.0.0.1:1"}, [(501, 9), (501, 1470)]),
        ("applier-start", None, [(400, 1410), (501, 1470)]),
    ],
)
def test_copying_another_server(path: str, body: object, expected: list[tuple[int, int]]) -> None:
    """Until 3.12.9, on servers with data; a good order is refused in so many words, for nothing here carries it out."""

    def probe(direct: Direct) -> tuple[int, int]:
        answer = direct("PUT", f"/_api/replication/{path}", body)
        assert answer.status == 404 or direct("GET", "/_api/replication/" + path).status in (405, 501)
        return answer.status, answer.json["errorNum"]

    names = ("3.10.14", "3.11.14", "3.12.9", "3.12.10", "4.0")
    for flavour, answer in zip(("single", "selfhosted"), expected, strict=True):
        assert over(names, probe, flavour=flavour) == [answer] * 3 + [(404, 404)] * 2


def test_a_configured_applier_does_not_run() -> None:
    with Direct(version="3.11.14", flavour="single") as direct:
        direct("PUT", "/_api/replication/applier-config", {"endpoint": "tcp://127.0.0.1:1"})
        assert direct("PUT", "/_api/replication/applier-start").json["errorNum"] == 9
        assert direct("GET", "/_api/replication/applier-state").json["state"]["running"] is False


def test_jobs_under_their_old_name() -> None:
    """Facts §10: `/_admin/job` until 3.12; it is `/_api/job` under another name."""

    def probe(direct: Direct) -> list[int]:
        job = direct("GET", "/_api/version", headers={"x-arango-async": "store"}).headers["x-arango-async-id"]
        calls = [("GET", "done"), ("PUT", f"{job}/cancel"), ("PUT", job), ("DELETE", job), ("DELETE", "all")]
        return [direct(method, f"/_admin/job/{rest}").status for method, rest in calls]

    assert over(VERSIONS, probe) == [[200, 200, 200, 404, 200]] * 3 + [[404] * 5]


def test_the_old_logger_shows_ids_of_collections() -> None:
    with Direct(version="3.11.14", flavour="single") as direct:
        create(direct)
        tick = direct("GET", "/_api/wal/lastTick").json["tick"]
        direct("POST", "/_api/document/c", {"_key": "k"})
        answer = direct("GET", f"/_api/replication/logger-follow?from={tick}")
        marker = json.loads(answer.body)
        collection = direct.deployment.database("_system").collection("c")
    assert list(marker) == ["tick", "type", "database", "tid", "cid", "cname", "data"]
    assert (marker["database"], marker["cid"], marker["cname"]) == ("1", collection.id, "c")
    assert answer.headers["x-arango-replication-active"] == "true"


@pytest.mark.parametrize("path", ["range", "lastTick", "tail"])
def test_the_log_is_read_in_the_same_way(path: str) -> None:
    assert over(VERSIONS, status("GET", f"/_api/wal/{path}"), flavour="single") == [200] * 4


def test_open_transactions() -> None:
    probe = status("GET", "/_api/wal/open-transactions")
    assert over(VERSIONS, probe, flavour="single") == [204, 204, 204, 400]


@pytest.mark.parametrize(("method", "target", "body"), REMOVED_IN_4)
def test_endpoints_removed_in_4(method: str, target: str, body: object) -> None:
    found = over(VERSIONS, status(method, target, body))
    assert [number // 100 for number in found[:3]] == [2, 2, 2]
    assert found[3] == 404


def test_next_batch_of_a_cursor_by_put() -> None:
    def probe(direct: Direct) -> list[int]:
        body = {"query": "FOR i IN 1..10 RETURN i", "batchSize": 2}
        cursor = direct("POST", "/_api/cursor", body).json["id"]
        return [direct(method, f"/_api/cursor/{cursor}").status for method in ("PUT", "POST")]

    assert over(VERSIONS, probe) == [[200, 200], [200, 200], [200, 200], [404, 200]]


def test_javascript_transactions() -> None:
    assert over(VERSIONS, status("POST", "/_api/transaction", {"collections": {}, "action": "x"}))[3] == 404


def test_deployment_id() -> None:
    assert over(("3.11.14", "3.12.5", "3.12.6", "4.0"), status("GET", "/_admin/deployment/id")) == [404, 404, 200, 200]


def test_unique_ids() -> None:
    names = ("3.11.14", "3.12.5", "3.12.5-2", "3.12.5-3", "3.12.6", "4.0")
    probe = status("PUT", "/_admin/cluster/uniqId?number=5")
    assert over(names, probe) == [404, 404, 404, 200, 200, 200]


def test_access_tokens() -> None:
    user = "root"

    def probe(direct: Direct) -> int:
        made = direct("POST", "/_api/token/root", {"name": "t", "valid_until": 1 << 33})
        if made.status != 200:
            return made.status
        token = made.json["token"]
        assert token not in direct("GET", "/_api/token/root").body.decode()
        assert direct("POST", "/_open/auth", {"username": "root", "password": token}, login="").status == 200
        used = direct("GET", "/_api/version", login=basic("root", token)).status
        direct("DELETE", f"/_api/token/{user}/{made.json['id']}")
        return used if direct("GET", "/_api/version", login=basic("root", token)).status == 401 else 0

    assert over(VERSIONS, probe) == [404, 404, 200, 200]


def test_spans_name_versions_that_follow_each_other() -> None:
    for span in versions.SPANS:
        assert span.since < span.until
    assert versions.missing(parse_version("3.12.10")).match("GET /_api/replication/server-id")
    assert not versions.missing(parse_version("3.12.10")).match("GET /_api/replication/server-identity")
