# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The control listener: faults that a test orders, and the launcher."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.testbed.client import Client
from tests.testbed.launch import Control, TestCluster

LATE = {"late_delay": 0.3}


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _lost(client: Client, method: str, target: str, body: object) -> None:
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        client(method, target, body)
    client.close()


def test_a_lost_request_runs_after_its_retry_and_later_writes(start: Callable[..., TestCluster]) -> None:
    cluster = start(options=LATE)
    with Client.root(cluster) as client:
        client("POST", "/_api/collection", {"name": "c"})
        cluster.control.fault("lost_answer", method="PUT", path_regex="/document/c/k")
        client("POST", "/_api/document/c", {"_key": "k"})
        _lost(client, "PUT", "/_api/document/c/k", {"v": "old"})
        assert "v" not in client("GET", "/_api/document/c/k").json
        client("PUT", "/_api/document/c/k", {"v": "old"})
        client("PUT", "/_api/document/c/k", {"v": "new"})
        _wait(lambda: cluster.control.get("/state/faults")[0]["pending"] == 0)
        assert client("GET", "/_api/document/c/k").json["v"] == "old"


def test_a_lost_request_can_run_right_after_its_retry_and_later_writes(cluster: TestCluster, client: Client) -> None:
    client("POST", "/_api/collection", {"name": "again"})
    client("POST", "/_api/document/again", {"_key": "k"})
    target = "/_api/document/again/k"
    cluster.control.fault("lost_answer", method="PUT", path_regex="again/k", run="after-retry", writes=2)
    _lost(client, "PUT", target, {"v": "old"})
    client("PUT", target, {"v": "before"})  # not its retry
    seen = []
    for value in ("old", "new", "newer", "newest"):
        client("PUT", target, {"v": value})
        seen.append(client("GET", target).json["v"])
    assert seen == ["old", "new", "old", "newest"]


def test_requests_that_may_write_are_recorded(cluster: TestCluster, client: Client) -> None:
    client("POST", "/_api/collection", {"name": "recorded"})
    assert cluster.control.fault("record")["result"] is True
    body = {"_key": "secret"}
    client("GET", "/_api/collection/recorded/count")
    client("POST", "/_api/document/recorded?waitForSync=true", body)
    client("HEAD", "/_api/document/recorded/secret")
    client("POST", "/_api/cursor", {"query": "RETURN 1"})
    with Client.superuser(cluster, cluster.coordinators[1]) as superuser:
        superuser("DELETE", "/_api/document/recorded/none")
    cluster.control.fault("record", on=False)
    client("POST", "/_api/document/recorded", body)
    found = cluster.control.get("/state/recorded")
    shown = [(entry["method"], entry["target"], entry["server"], entry["user"]) for entry in found]
    assert shown == [
        ("POST", "/_api/document/recorded?waitForSync=true", "Coordinator0001", "root"),
        ("POST", "/_api/cursor", "Coordinator0001", "root"),
        ("DELETE", "/_api/document/recorded/none", "Coordinator0002", ""),
    ]
    assert [entry["status"] for entry in found] == [201, 201, 404]
    assert json.loads(found[0]["body"]) == body
    cluster.control.fault("record")  # begins anew
    assert cluster.control.get("/state/recorded") == []
    cluster.control.fault("record", on=False)


@pytest.mark.parametrize(("run", "expected"), [("now", 200), ("never", 404)])
def test_a_lost_request_can_run_at_once_or_never(cluster: TestCluster, client: Client, run: str, expected: int) -> None:
    client("POST", "/_api/collection", {"name": "now"})
    cluster.control.fault("lost_answer", path_regex=f"/document/now.*{run}", run=run)
    _lost(client, "POST", f"/_api/document/now?x={run}", {"_key": run})
    _wait(lambda: cluster.control.get("/state/faults")[-1]["pending"] == 0)
    assert client("GET", f"/_api/document/now/{run}").status == expected


def test_errors_can_be_injected_by_count_and_position(cluster: TestCluster, client: Client) -> None:
    cluster.control.fault("status", status=503, errorNum=21003, path_regex="/_api/version", nth=2, count=2)
    answers = [client("GET", "/_api/version") for _ in range(5)]
    assert [answer.status for answer in answers] == [200, 503, 503, 200, 200]
    assert answers[1].json["errorNum"] == 21003
    cluster.control.fault("status", status=502, body="<html>", path_regex="/_api/version")
    assert (client("GET", "/_api/version").body, client("GET", "/_api/version").status) == (b"<html>", 200)
    cluster.control.clear()
    assert cluster.control.get("/state/faults") == []


def test_delays(cluster: TestCluster, client: Client) -> None:
    cluster.control.fault("delay", seconds=0.3, path_regex="/_api/version")
    begun = time.monotonic()
    assert client("GET", "/_api/version").status == 200
    assert time.monotonic() - begun >= 0.3


def test_a_document_altered_behind_the_api(cluster: TestCluster, client: Client) -> None:
    client("POST", "/_api/collection", {"name": "alter", "replicationFactor": 2})
    revision = client("POST", "/_api/document/alter", {"_key": "k", "v": 1}).json["_rev"]
    cluster.control.fault("alter_document", database="_system", collection="alter", key="k", body={"v": 2})
    assert client("GET", "/_api/document/alter/k").json == {"_key": "k", "_id": "alter/k", "_rev": revision, "v": 2}
    stored = cluster.control.documents("_system", "alter")
    assert stored["k"] == (revision, client("GET", "/_api/document/alter/k").body)


def test_bad_orders_are_refused(cluster: TestCluster) -> None:
    for order in ({"kind": "none"}, {"kind": "status", "path_regex": "("}, {"kind": "kill_server", "server": "none"}):
        with pytest.raises(RuntimeError):
            cluster.control.post("/fault", order)
    with pytest.raises(RuntimeError, match="401"):
        Control(cluster.control.url, "wrong").get("/state/overview")


def test_requests_are_counted(cluster: TestCluster, client: Client) -> None:
    client("GET", "/_db/_system/_api/database/current")
    assert cluster.control.get("/state/requests")["GET /_api/database/current"] >= 1


def test_a_killed_leader_takes_no_writes_and_a_killed_follower_catches_up(start: Callable[..., TestCluster]) -> None:
    cluster = start()
    with Client.root(cluster) as client:
        client("POST", "/_api/collection", {"name": "c", "replicationFactor": 2})
        client("POST", "/_api/document/c", [{"_key": "a"}, {"_key": "b"}])
        [(_shard, (leader, follower))] = client("GET", "/_api/collection/c/shards?details=true").json["shards"].items()
        cluster.control.fault("kill_server", server=follower)
        assert client("DELETE", "/_api/document/c/a").status == 202
        assert client("POST", "/_api/document/c", {"_key": "c"}).status == 202
        cluster.control.fault("restart_server", server=follower)
        replicas = cluster.control.get("/state/replicas", database="_system", collection="c")
        assert all(set(keys) == {"b", "c"} for shard in replicas.values() for keys in shard.values())
        with Client.superuser(cluster, cluster.dbservers[follower]) as server:
            body = server("GET", "/_api/wal/tail?global=true&includeSystem=true").body
        assert body.count(b'"type":2302') == 1
        cluster.control.fault("kill_server", server=leader)
        assert client("POST", "/_api/document/c", {"_key": "d"}).json["errorNum"] == 1478
        with pytest.raises(OSError), Client.superuser(cluster, cluster.dbservers[leader]) as server:
            server("GET", "/_api/version")
        cluster.control.fault("restart_server", server=leader)
        assert client("POST", "/_api/document/c", {"_key": "d"}).status == 202


def test_dbservers_of_a_managed_deployment_refuse_everything(start: Callable[..., TestCluster]) -> None:
    cluster = start(flavour="managed")
    with Client.root(cluster) as client:
        assert client("GET", "/_api/version").status == 200
    for url in cluster.dbservers.values():
        with pytest.raises((http.client.HTTPException, OSError)), Client.superuser(cluster, url) as server:
            server("GET", "/_api/version")


def test_it_ends_with_its_launcher(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib, os; from tests.testbed.launch import TestCluster;"
        "c = TestCluster.start(pathlib.Path(sys.argv[1]), name='x');"
        "print(c.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    pid = int(done.stdout)
    _wait(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().rsplit(")")[1])


def test_files_of_a_cluster_are_private(cluster: TestCluster) -> None:
    home = cluster.ca_path.parent
    for name in ("jwt.secret", "server.keyfile", "config.json"):
        assert os.stat(home / name).st_mode & 0o077 == 0


@pytest.mark.parametrize(("version", "error"), [("3.10.14", 1004), ("3.11.14", 1429), ("3.12.10", 1429)])
def test_write_concern_that_cannot_be_met(start: Callable[..., TestCluster], version: str, error: int) -> None:
    """Facts §7.8: too few replicas answer 1429, before 3.11 the 1004 of read-only mode."""
    cluster = start(version=version)
    with Client.root(cluster) as client:
        client("POST", "/_api/collection", {"name": "c", "replicationFactor": 2, "writeConcern": 2})
        [(_leader, follower)] = client("GET", "/_api/collection/c/shards?details=true").json["shards"].values()
        cluster.control.fault("kill_server", server=follower)
        answer = client("POST", "/_api/document/c", {"_key": "a"})
        assert (answer.status, answer.json["errorNum"]) == (403, error)
        cluster.control.fault("restart_server", server=follower)
        assert client("POST", "/_api/document/c", {"_key": "a"}).status == 202
