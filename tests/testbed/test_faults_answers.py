# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Faults of single requests and their answers: what a client sees of each."""

from __future__ import annotations

import http.client
import time

import pytest

from tests.testbed.client import Client
from tests.testbed.control_answers import KINDS, PRESETS
from tests.testbed.launch import TestCluster

VERSION = "/_api/version"


@pytest.fixture(autouse=True)
def no_faults_left(cluster: TestCluster) -> None:
    cluster.control.clear()


def test_a_body_cut_in_the_middle(cluster: TestCluster, client: Client) -> None:
    cluster.control.fault("cut", path_regex=VERSION, after=0.5)
    with pytest.raises(http.client.IncompleteRead) as caught:
        client("GET", VERSION)
    client.close()
    assert 0 < len(caught.value.partial) < len(client("GET", VERSION).body)


@pytest.mark.parametrize(("delta", "lengths"), [(7, None), (-7, -7)])
def test_a_wrong_content_length(cluster: TestCluster, client: Client, delta: int, lengths: int | None) -> None:
    whole = len(client("GET", VERSION).body)
    cluster.control.fault("content_length", path_regex=VERSION, delta=delta)
    if lengths is None:
        with pytest.raises(http.client.IncompleteRead):
            client("GET", VERSION)
        client.close()
    else:
        assert len(client("GET", VERSION).body) == whole + lengths
        client.close()


def test_a_slow_drip_is_whole_in_the_end(cluster: TestCluster, client: Client) -> None:
    expected = client("GET", VERSION).json
    cluster.control.fault("drip", path_regex=VERSION, bytes_per_second=2000)
    begun = time.monotonic()
    assert client("GET", VERSION).json == expected
    client.close()
    assert time.monotonic() - begun > 0.15


def test_a_stall_ends_in_a_cut(cluster: TestCluster, client: Client) -> None:
    cluster.control.fault("stall", path_regex=VERSION, after=0.3, seconds=0.4)
    begun = time.monotonic()
    with pytest.raises(http.client.IncompleteRead):
        client("GET", VERSION)
    client.close()
    assert time.monotonic() - begun > 0.35


def test_headers_can_lie(cluster: TestCluster, client: Client) -> None:
    identifier, url = next(iter(cluster.dbservers.items()))
    cluster.control.fault(
        "headers", path_regex="wal/tail", server=identifier, set={"x-arango-replication-frompresent": "false"}
    )
    with Client.superuser(cluster, url) as server:
        values = [server("GET", "/_api/wal/tail?global=true&from=1").headers for _ in range(2)]
    assert [value["x-arango-replication-frompresent"] for value in values] == ["false", "true"]


@pytest.mark.parametrize("name", PRESETS)
def test_presets(cluster: TestCluster, client: Client, name: str) -> None:
    preset = PRESETS[name]
    cluster.control.fault("status", preset=name, path_regex=VERSION)
    answer = client("GET", VERSION)
    assert answer.status == preset.status
    if preset.page:
        assert answer.headers["content-type"] == "text/html"
        assert preset.page.encode() in answer.body
    else:
        assert answer.json["errorNum"] == preset.error_num
        assert preset.message in (None, answer.json["errorMessage"])
    assert client("GET", VERSION).status == 200


def test_a_gateway_gives_up_but_the_request_runs(cluster: TestCluster, client: Client) -> None:
    client("POST", "/_api/collection", {"name": "gateway"})
    cluster.control.fault("status", preset="gateway-timeout", path_regex="document/gateway", run="now")
    assert client("POST", "/_api/document/gateway", {"_key": "a"}).status == 504
    assert client("GET", "/_api/document/gateway/a").status == 200


def test_by_probability(cluster: TestCluster, client: Client) -> None:
    cluster.control.fault("status", preset="queue-full", path_regex=VERSION, probability=0.3, seed=5)
    statuses = [client("GET", VERSION).status for _ in range(200)]
    assert 30 <= statuses.count(503) <= 90
    assert statuses.count(200) + statuses.count(503) == 200


def test_a_slow_answer_comes_after_the_deed(cluster: TestCluster, client: Client) -> None:
    client("POST", "/_api/collection", {"name": "slow"})
    cluster.control.fault("slow_answer", path_regex="document/slow", method="POST", seconds=0.3)
    begun = time.monotonic()
    revision = client("POST", "/_api/document/slow", {"_key": "a"}).json["_rev"]
    assert time.monotonic() - begun > 0.25
    assert client("GET", "/_api/document/slow/a").json["_rev"] == revision


@pytest.mark.parametrize(
    "order", [{"kind": "status", "preset": "none"}, {"kind": "lost_answer", "run": "soon"}, {"kind": "sparks"}]
)
def test_bad_orders(cluster: TestCluster, order: dict[str, object]) -> None:
    with pytest.raises(RuntimeError, match="400"):
        cluster.control.post("/fault", order)


@pytest.mark.parametrize("kind", KINDS)
def test_every_fault_can_wait_for_the_nth_request(cluster: TestCluster, client: Client, kind: str) -> None:
    fields = {"seconds": 0.01, "bytes_per_second": 100_000, "set": {"x": "y"}, "delta": -1, "run": "never"}
    cluster.control.fault(kind, path_regex=f"{VERSION}.*{kind}", nth=3, count=2, **fields)
    acted, lost = [], []
    for number in range(6):
        try:
            client("GET", f"{VERSION}?{kind}")
        except (http.client.HTTPException, OSError):
            lost.append(number)
        client.close()
        client("GET", VERSION)  # is not counted
        acted.append(cluster.control.get("/state/faults")[0]["acted"])
    assert acted == [0, 0, 1, 2, 2, 2]
    assert lost == ([2, 3] if kind in ("lost_answer", "cut", "stall") else [])
