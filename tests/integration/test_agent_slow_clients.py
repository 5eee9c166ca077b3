# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Five hundred slow clients on the agent of a live migration: its status stays quick, and the migration goes on."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

import trustme

from tests.build_agent import build
from tests.e2e.agent import Agent
from tests.integration.engine_case import Fill, Writer, all_differences, finished, ready, request_of
from tests.integration.pair import TIME_SCALE, Pair, wait_for
from tests.unit.slow_clients import KINDS, SlowClients

MAX_LAG = 5.0
# The promise is one second. A machine that is busy with others gets as much more as it takes without the attack.
PROMISED = 1.0
LOADED = 20.0


def welcome_certificates(agent: Agent, directory: Path) -> Path:
    """Let the agent ask for client certificates beside its token; the keyfile of a client."""
    authority, client_ca, keyfile = trustme.CA(), directory / "client-ca.pem", directory / "client.keyfile"
    authority.cert_pem.write_to_path(client_ca)
    authority.issue_cert("ops@example.com", common_name="ops").private_key_and_cert_chain_pem.write_to_path(keyfile)
    config = json.loads(agent.config_path.read_text())
    agent.config_path.write_text(json.dumps({**config, "client_ca": str(client_ca)}))
    return keyfile


def timed_status(agent: Agent, times: int) -> tuple[float, list[float]]:
    """The middle of the seconds that the status takes, and the lags that it tells."""
    took, lags = [], []
    for _time in range(times):
        began = time.monotonic()
        status = agent.status()
        took.append(time.monotonic() - began)
        lags.append(status["replication"]["lag_seconds"])
        assert status["state"] == "running", status
    print(f"status took {min(took):.3f} to {max(took):.3f} s, lag {min(lags):.2f} to {max(lags):.2f} s")
    return statistics.median(took), lags


def test_slow_clients_change_nothing(pair: Pair, tmp_path: Path) -> None:
    fill = Fill(pair)
    fill.definitions()
    fill.documents(400)
    archive = build(tmp_path / "cutover-agent.pyz")
    agent = Agent(archive, tmp_path / "agent", pair.source.jwt_secret_path, TIME_SCALE)
    keyfile = welcome_certificates(agent, tmp_path)
    agent.start()
    try:
        with Writer(pair) as writer:
            agent.call("POST", "/v1/migration", request_of(pair, max_lag=MAX_LAG))
            agent.wait("ready", ready, 60)
            alone, _lags = timed_status(agent, 20)
            with SlowClients(agent.port, agent.ca_path, keyfile) as clients:
                before, written = agent.status(), writer.count
                attacked, lags = timed_status(agent, 60)
                wait_for(lambda: writer.count > written + 50, 60.0)
                applied = before["replication"]["applied_total"]
                agent.wait("more applied", lambda now: now["replication"]["applied_total"] > applied + 100, 60)
                agent.wait("ready under attack", ready, 60)
                agent.call("POST", "/v1/migration/stop", {})
                status = agent.wait("completed", finished, 90)
                assert all(clients.opened[kind] >= 500 // len(KINDS) for kind in KINDS), clients.opened
        print(f"opened: {clients.opened}; middle of the status {alone:.3f} s alone, {attacked:.3f} s under attack")
        assert attacked < max(PROMISED, LOADED * alone)
        assert statistics.median(lags) < MAX_LAG
        assert status["cutover"]["last_attempt"]["result"] == "completed"
        assert all_differences(pair) == {}
    finally:
        agent.stop()
