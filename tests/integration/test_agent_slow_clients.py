# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Five hundred slow clients on the agent of a live migration: its status stays quick, and the migration goes on."""

from __future__ import annotations

import json
import statistics
import threading
import time
from pathlib import Path

import trustme

from tests.e2e.agent import Agent
from tests.integration.engine_case import Fill, Writer, all_differences, finished, ready, request_of
from tests.integration.pair import TIME_SCALE, Pair, wait_for
from tests.unit.slow_clients import KINDS, SlowClients

COUNT = 500
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


class Looks:
    """Looks at the status again and again in a thread: how long each took, and what lag it told."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.took: list[float] = []
        self.lags: list[float] = []
        self.failed: list[str] = []

    def __enter__(self) -> Looks:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._end.set()
        self._thread.join(60.0)

    def _run(self) -> None:
        while not self._end.wait(0.02):
            began = time.monotonic()
            try:
                status = self._agent.status()
            except OSError as error:
                self.failed.append(repr(error))
                continue
            self.took.append(time.monotonic() - began)
            if status["state"] == "running":
                self.lags.append(status["replication"]["lag_seconds"] or 0.0)

    @property
    def middle(self) -> float:
        """The middle one of all times."""
        return statistics.median(self.took)


def test_slow_clients_change_nothing(pair: Pair, archive: Path, tmp_path: Path) -> None:
    """From before the copy until after the cutover; each of them is cut and comes again meanwhile."""
    fill = Fill(pair)
    fill.definitions()
    fill.documents(400)
    agent = Agent(archive, tmp_path / "agent", pair.source.jwt_secret_path, TIME_SCALE)
    keyfile = welcome_certificates(agent, tmp_path)
    agent.start()
    try:
        with Looks(agent) as alone:
            wait_for(lambda: len(alone.took) >= 30, 60.0)
        with SlowClients(agent.port, agent.ca_path, keyfile) as clients, Looks(agent) as looks, Writer(pair) as writer:
            agent.call("POST", "/v1/migration", request_of(pair, max_lag=MAX_LAG))
            before = agent.wait("ready under attack", ready, 60)
            written, applied = writer.count, before["replication"]["applied_total"]
            wait_for(lambda: all(opened > 2 * COUNT // len(KINDS) - 2 for opened in clients.opened.values()), 60.0)
            wait_for(lambda: writer.count > written + 50, 60.0)
            agent.wait("more applied", lambda now: now["replication"]["applied_total"] > applied + 100, 60)
            agent.call("POST", "/v1/migration/stop", {})
            status = agent.wait("completed", finished, 90)
        for name, seen in (("alone", alone), ("attacked", looks)):
            print(f"{name}: {len(seen.took)} looks, {seen.middle:.3f} s, at most {max(seen.took):.3f} s")
        print(f"opened: {clients.opened}; lag at most {max(looks.lags):.2f} s")
        assert looks.failed == []
        assert looks.middle < max(PROMISED, LOADED * alone.middle)
        assert statistics.median(looks.lags) < MAX_LAG
        assert status["cutover"]["last_attempt"]["result"] == "completed"
        assert all_differences(pair) == {}
    finally:
        agent.stop()
