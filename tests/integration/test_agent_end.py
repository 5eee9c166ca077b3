# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Signals to an agent under load: SIGTERM ends it, having written down where it is, SIGHUP renews its certificates."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.agent import Agent
from tests.integration.engine_case import Fill, Writer, all_differences, finished, ready, request_of
from tests.integration.pair import TIME_SCALE, Pair, wait_for


@pytest.fixture
def agent(pair: Pair, archive: Path, tmp_path: Path) -> Iterator[Agent]:
    """A running agent between a source that is filled and an empty target."""
    fill = Fill(pair)
    fill.definitions()
    fill.documents(400)
    agent = Agent(archive, tmp_path / "agent", pair.source.jwt_secret_path, TIME_SCALE)
    agent.start()
    yield agent
    agent.stop()


def test_sigterm_leaves_a_clean_checkpoint(pair: Pair, agent: Agent) -> None:
    """Twice: while it copies and while it follows. Within the ten seconds of a service manager by its own deadline."""
    with Writer(pair) as writer:
        agent.call("POST", "/v1/migration", request_of(pair))
        for goal in (lambda status: status["state"] != "inactive", ready):
            before = agent.wait("begun, then ready", goal, 60)
            began = time.monotonic()
            assert agent.stop() == 0, agent.log()
            log = agent.log()
            assert "ending: finishing the batch and writing a checkpoint" in log
            assert log.rstrip().endswith("ended"), f"after {time.monotonic() - began:.1f} s: {log}"
            assert "Traceback" not in log
            agent.start()
            assert agent.call("GET", "/v1/migration")["state"] != "inactive", before
        status = agent.wait("ready", ready, 60)
        assert status["progress"]["documents_copied"] == 0
        assert status["totals"]["recopies"] == 0
        count = writer.count
        wait_for(lambda: writer.count > count + 20, 60.0)
    agent.call("POST", "/v1/migration/stop", {})
    agent.wait("completed", finished, 60)
    assert all_differences(pair) == {}


def _trusted(agent: Agent) -> bool:
    """Whether it shows a certificate of the CA that its clients trust now."""
    try:
        agent.status()
    except ssl.SSLCertVerificationError:
        return False
    return True


def test_sighup_renews_the_certificates_and_drops_nothing(pair: Pair, agent: Agent) -> None:
    """Neither the migration nor a connection that is open."""
    with Writer(pair) as writer:
        agent.call("POST", "/v1/migration", request_of(pair))
        before = agent.wait("ready", ready, 60)
        context = ssl.create_default_context(cafile=str(agent.ca_path))
        kept = http.client.HTTPSConnection("127.0.0.1", agent.port, context=context, timeout=60)
        kept.request("GET", "/healthz")
        assert kept.getresponse().read()
        kept.auto_open = 0
        pid, count = agent.pid, writer.count
        agent.renew()
        wait_for(lambda: _trusted(agent), 60.0, agent.log)
        kept.request("GET", "/healthz")
        assert kept.getresponse().status == 200
        wait_for(lambda: writer.count > count + 20, 60.0)
        applied = before["replication"]["applied_total"]
        after = agent.wait("more applied", lambda now: now["replication"]["applied_total"] > applied, 60)
        assert (agent.pid, after["migration"]) == (pid, before["migration"])
        assert (after["totals"]["restarts"], after["totals"]["recopies"]) == (0, 0)
    agent.call("POST", "/v1/migration/stop", {})
    agent.wait("completed", finished, 60)
    assert all_differences(pair) == {}
