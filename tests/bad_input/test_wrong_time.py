# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Requests that are wrong only at their time: while a migration runs, after it was completed, on a read-only source."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.bad_input.commands import run_cli, start_flags
from tests.bad_input.playbooks import Operator
from tests.bad_input.sites import DOCUMENTS, Sites, untouched, wait_until_known
from tests.e2e.agent import Agent, Refused
from tests.testbed.client import Client
from tests.testbed.launch import TestCluster

MakeAgent = Callable[[str], Agent]
FENCED = ("cancel writers", "definitions", "drain", "proof")
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


def ready(status: Mapping[str, Any]) -> bool:
    """In sync, and a cutover would begin."""
    return bool(status["state"] == "running" and status["cutover"]["ready"])


def finished(status: Mapping[str, Any]) -> bool:
    """Nothing is left to be done."""
    return bool(status["state"] == "completed" and status["late_indexes"]["pending"] == 0)


def came_back(status: Mapping[str, Any]) -> bool:
    """A cutover was tried and undone."""
    attempt = status["cutover"]["last_attempt"]
    return bool(status["state"] == "running" and attempt and attempt["result"] == "rolled-back")


def refusal(agent: Agent, body: Mapping[str, Any]) -> Refused:
    """A start that the agent refuses."""
    with pytest.raises(Refused) as caught:
        agent.call("POST", "/v1/migration", body)
    assert caught.value.error["remedy"]
    return caught.value


def journal(target: TestCluster) -> dict[str, tuple[str, bytes]]:
    """The documents that say what is migrated and what was decided; the lease is renewed all the time."""
    documents = target.control.documents("_system", "_cutover")
    return {key: documents[key] for key in ("migration", "decision") if key in documents}


@pytest.fixture
def operator(installed: Path, tmp_path: Path) -> Operator:
    """Somebody with the installed collection."""
    return Operator(tmp_path, installed)


def host(agent: Agent, request: Mapping[str, Any]) -> dict[str, Any]:
    """Variables of a host for the playbooks."""
    return {
        "agent_endpoint": agent.endpoint, "agent_ca_path": str(agent.ca_path), "agent_token": agent.token, **request,
    }  # fmt: skip


def test_another_specification_while_one_runs(
    sites: Sites, make_agent: MakeAgent, archive: Path, operator: Operator
) -> None:
    agent, target = make_agent("agent"), sites.another_target()
    request = sites.request(target)
    agent.call("POST", "/v1/migration", request)
    agent.wait("ready", ready, 60)
    digest, known = agent.status()["migration"]["config_digest"], journal(target)
    assert "migration" in known
    refused = refusal(agent, {**request, "max_lag": 17.0, "early_readers": True})
    assert (refused.status, refused.error["code"]) == (409, "CUT-STATE-2")
    assert "is running with another specification: early_readers, max_lag differ" in refused.error["message"]
    assert "abort it first" in refused.error["remedy"]
    elsewhere = sites.request(sites.occupied, overwrite_target=True)
    with untouched(sites.occupied):
        refused = refusal(agent, elsewhere)
    assert "overwrite_target, target_ca_path, target_endpoints differ" in refused.error["message"]
    changed = {**request, "max_lag": 17.0}
    done = run_cli(archive, "start", *start_flags(changed), agent=agent, environment=changed)
    assert done.returncode == 3, done.stderr
    assert "max_lag differs (CUT-STATE-2). Remedy: " in done.stderr
    played, output = operator.play("migrate", {"host": host(agent, changed)})
    assert "state: started is not possible: the migration is running with another specification" in (
        played["host"].failure.get("msg", "")
    ), output
    status = agent.status()
    assert (status["state"], status["migration"]["config_digest"]) == ("running", digest)
    assert journal(target) == known
    assert agent.call("POST", "/v1/migration", request)["migration"]["config_digest"] == digest
    agent.call("POST", "/v1/migration/abort", {})
    agent.wait("aborted", lambda status: status["state"] == "aborted", 30)


def test_migrate_after_completed(sites: Sites, make_agent: MakeAgent, archive: Path, operator: Operator) -> None:
    agent, target = make_agent("agent"), sites.another_target()
    request = sites.request(target)
    agent.call("POST", "/v1/migration", request)
    agent.wait("ready", ready, 60)
    agent.call("POST", "/v1/migration/stop", {"wait_timeout": 20})
    try:
        status = agent.wait("completed", finished, 60)
        date = status["since"]
        assert DATE.match(date)
        other = make_agent("other")
        wait_released(target)
        with untouched(sites.source, target):
            for asked in (agent, other):
                for wanted in (request, {**request, "overwrite_target": True, "max_lag": 9.0}):
                    refused = refusal(asked, wanted)
                    assert (refused.status, refused.error["code"]) == (409, "CUT-STATE-3")
                    assert refused.error["message"].startswith("a migration into this target was completed at ")
                    assert_same_moment(refused.error["message"], date)
                    assert "replace_completed" in refused.error["remedy"]
            done = run_cli(archive, "start", *start_flags(request), agent=other, environment=request)
            assert done.returncode == 3
            assert_same_moment(done.stderr, date)
            played, output = operator.play(
                "migrate", {"known": host(agent, request), "other": host(other, {**request, "overwrite_target": True})}
            )
        assert "the migration is completed since " in played["known"].failure.get("msg", ""), output
        assert "was completed at " in played["other"].failure.get("msg", ""), output
        for one in played.values():
            assert_same_moment(one.failure["msg"], date)
            assert "Remedy: " in one.failure["msg"]
        assert other.status()["state"] == "inactive"
    finally:
        sites.set_mode("default")


def wait_released(target: TestCluster, seconds: float = 30.0) -> None:
    """Until the agent that has completed the migration has nothing more to write."""
    deadline = time.monotonic() + seconds
    while json.loads(target.control.documents("_system", "_cutover")["lease"][1])["owner"] is not None:
        assert time.monotonic() < deadline, "the lease is held for ever"
        time.sleep(0.05)


def assert_same_moment(text: str, date: str) -> None:
    """The text names the minute in which the migration was completed."""
    named = DATE.search(text)
    assert named, text
    moments = [time.mktime(time.strptime(one[:19], "%Y-%m-%dT%H:%M:%S")) for one in (named.group(), date)]
    assert abs(moments[0] - moments[1]) < 60, (text, date)


class Knocking:
    """Tries to write on the source all the time, as root and not as superuser; ``accepted`` counts what got through."""

    def __init__(self, cluster: TestCluster) -> None:
        self._cluster = cluster
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.accepted = self.refused = 0

    def _run(self) -> None:
        with Client.root(self._cluster) as root:
            while not self._stop.wait(0.02):
                status = root("POST", "/_db/shop/_api/document/items", {"knock": True}).status
                self.accepted += status < 300
                self.refused += status == 403

    def __enter__(self) -> Knocking:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join(10)


@contextmanager
def read_only(sites: Sites) -> Iterator[Knocking]:
    """The source is read-only before anything begins, and nobody can write there until the end."""
    sites.set_mode("readonly")
    try:
        with Knocking(sites.source) as knocking:
            yield knocking
        assert knocking.refused > 20
        assert knocking.accepted == 0, "the source was writable for a moment"
    finally:
        sites.set_mode("default")


def alter(target: TestCluster, number: int) -> None:
    """Other content under an unchanged revision on the target: the proof finds it, and the cutover is undone."""
    target.control.fault(
        "alter_document", database="shop", collection="items", key="k1", body={"number": number}
    )


def test_a_source_found_read_only_is_kept_so(sites: Sites, make_agent: MakeAgent) -> None:
    """I6: after a way back, after an abort, and after a cutover."""
    agent, target = make_agent("agent"), sites.another_target()
    request = sites.request(target, repair=False)
    with read_only(sites):
        checks = agent.call("POST", "/v1/precheck", request)
        found = finished_precheck(agent, checks["id"])
        assert (found["source-mode"]["status"], found["source-mode"]["message"]) == (
            "passed", "the source is read-only already; it is kept as found, also after a way back",
        )  # fmt: skip
        agent.call("POST", "/v1/migration", request)
        agent.wait("ready", ready, 60)
        alter(target, -1)
        agent.call("POST", "/v1/migration/stop", {})
        status = agent.wait("the way back", came_back, 60)
        assert status["cutover"]["last_attempt"]["code"] == "CUT-PROOF-1"
        wait_until_known(sites.source, "readonly", 1)
        agent.call("POST", "/v1/migration/abort", {})
        agent.wait("aborted", lambda status: status["state"] == "aborted", 30)
        wait_until_known(sites.source, "readonly", 1)
        agent.call("POST", "/v1/migration", request)
        agent.wait("ready again", ready, 60)
        agent.call("POST", "/v1/migration/stop", {"wait_timeout": 20})
        agent.wait("completed", finished, 60)
        wait_until_known(sites.source, "readonly", 1)
        assert len(target.control.documents("shop", "items")) >= DOCUMENTS


def test_a_source_found_read_only_is_kept_so_when_the_agent_dies(sites: Sites, make_agent: MakeAgent) -> None:
    """I6: killed while the source is fenced; the agent that comes back knows what it had found."""
    agent, target = make_agent("agent"), sites.another_target()
    with read_only(sites):
        agent.call("POST", "/v1/migration", sites.request(target))
        agent.wait("ready", ready, 60)
        alter(target, -2)
        target.control.fault("delay", path_regex="checksum", seconds=1.5, count=1000)
        agent.call("POST", "/v1/migration/stop", {})
        agent.wait("fenced", lambda status: status["cutover"]["step"] in FENCED, 30)
        agent.kill()
        target.control.clear()
        agent.start()
        status = agent.wait("the way back", lambda status: ready(status) or came_back(status), 60)
        assert status["state"] == "running"
        wait_until_known(sites.source, "readonly", 1)


def finished_precheck(agent: Agent, identifier: str) -> dict[str, dict[str, Any]]:
    """The checks of a precheck by id, as soon as it has finished."""
    deadline = time.monotonic() + 30
    while (run := agent.call("GET", f"/v1/precheck/{identifier}"))["state"] == "running":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return {check["id"]: check for check in run["result"]["checks"]}
