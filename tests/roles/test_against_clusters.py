# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The playbooks and the real agent, between two emulated clusters: what a user does, in a user's order."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from tests.integration.engine_case import all_differences
from tests.integration.pair import Pair
from tests.roles.conftest import Host, mode_of
from tests.roles.documented import differences

# Each test starts many processes one after another; on a busy machine that takes minutes.
pytestmark = pytest.mark.timeout(600)


def assert_results_as_documented(host: Host) -> None:
    """The real engine's documents have every key that RETURN names or shows in a sample."""
    connection = {"agent_ca_path": str(host.install_path("config/ca.pem")), "agent_token": "{{ agent_token }}"}
    everything = ("shards", "findings", "report")
    asked = {"cutover.arangodb.migration_info": {**connection, "gather": list(everything)}}
    (result,) = host.run_tasks([asked])
    assert differences("migration_info", result, asked=everything) == []


def test_a_cluster_is_moved_by_playbooks(real_host: Host, clusters: Pair) -> None:
    passed = real_host.play("precheck")
    assert passed.code == 0, passed.output
    for name in ("deploy_agent", "migrate", "status"):
        played = real_host.play(name)
        assert played.code == 0, played.output
    assert mode_of(clusters) == "default"
    done = real_host.play("cutover", gate_timeout=30)
    assert (done.code, done.changed) == (0, 1), done.output
    assert mode_of(clusters) == "readonly"
    status = real_host.play("status")
    assert "state            completed" in status.output
    assert_results_as_documented(real_host)
    assert all_differences(clusters) == {}
    assert real_host.play("cutover").changed == 0
    refused = real_host.play("migrate")
    assert refused.code != 0
    assert "completed" in refused.output
    gone = real_host.play("remove_agent")
    assert gone.code == 0, gone.output
    given_back = real_host.play("server_mode", server_mode="default")
    assert (given_back.code, given_back.changed) == (0, 1), given_back.output
    assert "asked direct" in given_back.output
    assert mode_of(clusters) == "default"


def test_the_precheck_reads_a_sample_and_tries_the_target_where_both_are_wanted(
    real_host: Host, clusters: Pair
) -> None:
    """What was tried is told, and nothing of it is left; in check mode the target is not tried."""
    path = real_host.directory / "checks.json"
    options: dict[str, Any] = {"sample_seconds": 1, "probe_target": True, "report_path": str(path)}
    without = real_host.play("precheck", "--check", **options)
    assert without.code == 0, without.output
    assert "skipped   target-trial: " in without.output
    passed = real_host.play("precheck", **options)
    assert passed.code == 0, passed.output
    found = json.loads(path.read_text())
    assert found["forecast"]["sample_seconds"] == 1
    tried = ("target-trial", "target-keeps-revisions", "target-restores-users")
    assert {check["id"]: check["status"] for check in found["checks"] if check["id"] in tried} == dict.fromkeys(
        tried, "passed"
    )
    assert set(clusters.target.control.get("/state/overview")["databases"]) == {"_system"}


@pytest.mark.usefixtures("real_agent")
def test_aborted_and_started_again(real_host: Host, clusters: Pair) -> None:
    started = real_host.play("migrate")
    assert started.code == 0, started.output
    aborted = real_host.play("abort")
    assert (aborted.code, aborted.changed) == (0, 1), aborted.output
    assert mode_of(clusters) == "default"
    assert real_host.play("abort").changed == 0
    again = real_host.play("migrate")
    assert (again.code, again.changed) == (0, 1), again.output


BAD_INPUT: tuple[tuple[dict[str, Any], str], ...] = (
    ({"target_password": "wrong-word"}, "target_password"),
    ({"source_endpoints": ["https://root:pw@127.0.0.1:1"]}, "source_endpoints"),
    ({"source_endpoints": ["127.0.0.1:8529"]}, "source_endpoints"),
    ({"source_endpoints": ["https://127.0.0.1:1"]}, "source_endpoints"),
    ({"source_ca_path": "/no/such/file"}, "source_ca_path"),
    ({"source_jwt_secret_path": "/no/such/file"}, "source_jwt_secret_path"),
)


def test_bad_input_is_named_by_the_precheck_and_touches_nothing(real_host: Host, clusters: Pair) -> None:
    before = clusters.clients.target.json("GET", "/_api/database")
    for change, word in BAD_INPUT:
        failed = real_host.play("precheck", **change)
        assert failed.code != 0, change
        assert word in failed.output, change
        assert "wrong-word" not in failed.output
    assert clusters.clients.target.json("GET", "/_api/database") == before


def test_the_port_in_use_is_named_by_the_precheck(real_host: Host) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        failed = real_host.play("precheck", agent_port=taken.getsockname()[1])
    assert failed.code != 0
    assert "agent-port" in failed.output
