# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The daemon's own guarantees: one per state directory, ready after recovery, clean end."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.service import Service, serve, state_directory
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from tests.unit.agent_fakes import Certificates, FakeEngine, agent_config, passing_check


def test_two_agents_on_one_state_directory(tmp_path: Path) -> None:
    with state_directory(tmp_path / "state"):
        with pytest.raises(CutoverError) as caught, state_directory(tmp_path / "state"):
            pytest.fail("the directory was given twice")
        assert caught.value.code == "CUT-AGENT-6"
    with state_directory(tmp_path / "state"):
        assert (tmp_path / "state" / "agent.lock").exists()


def test_a_state_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CutoverError, match="file"), state_directory(tmp_path / "file" / "state"):
        pytest.fail("there is no such directory")


@pytest.mark.parametrize("content", [None, b"", b" \n", b"x" * 65])
def test_an_unusable_jwt_secret_ends_the_start(
    certificates: Certificates, tmp_path: Path, content: bytes | None
) -> None:
    config = agent_config(certificates, tmp_path)
    if content is not None:
        config.source_jwt_secret_path.write_bytes(content)
    with pytest.raises(CutoverError) as caught:
        serve(config, lambda: pytest.fail("it must not become ready"))
    assert caught.value.code.startswith("CUT-SECRET-")
    assert not config.state_directory.exists()


class SlowEngine(FakeEngine):
    """Recovers only when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def recover(self) -> None:
        self.go.wait(10)


def test_readiness_follows_recovery(certificates: Certificates, tmp_path: Path) -> None:
    engine = SlowEngine()
    service = Service(agent_config(certificates, tmp_path), engine, passing_check)
    ready = threading.Event()
    thread = threading.Thread(target=service.run, args=(ready.set,))
    thread.start()
    context = ssl.create_default_context(cafile=str(certificates.ca))

    def readiness() -> tuple[int, str]:
        connection = http.client.HTTPSConnection("127.0.0.1", service.port, context=context, timeout=10)
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        document = json.loads(answer.read())
        connection.close()
        return answer.status, document["status"]

    try:
        assert readiness() == (503, "not-ready")
        engine.go.set()
        assert ready.wait(10)
        assert readiness() == (200, "ready")
    finally:
        engine.go.set()
        service.end()
        thread.join(10)
    assert engine.closed
    assert not thread.is_alive()


def test_systemd_is_told_ready_alive_reloading_and_stopping(
    certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The status line is the migration's; it is alive as long as its main loop and the status are."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "100000")
        service = Service(agent_config(certificates, tmp_path), FakeEngine(), passing_check)
        thread = threading.Thread(target=service.run, args=(lambda: None,))
        thread.start()

        def told(word: str) -> dict[str, str]:
            """The next message with this field."""
            while True:
                fields = dict(line.split("=", 1) for line in manager.recv(4096).decode().splitlines())
                if word in fields:
                    return fields

        try:
            assert told("READY") == {"READY": "1", "STATUS": "ready"}
            for _time in range(3):
                assert told("WATCHDOG")["STATUS"].startswith("inactive | copied 50.0 %")
            service.reload()
            assert told("RELOADING")["MONOTONIC_USEC"].isdigit()
            assert told("READY") == {"READY": "1"}
        finally:
            service.end()
        assert told("STOPPING") == {"STOPPING": "1"}
        thread.join(10)
        assert not thread.is_alive()


class ObservedEngine(FakeEngine):
    """Remembers how long its end may take."""

    given = 0.0

    def close(self, timeout: float) -> None:
        self.given = timeout
        super().close(timeout)


def test_the_engine_ends_before_a_service_manager_loses_patience(certificates: Certificates, tmp_path: Path) -> None:
    """Ten seconds altogether; the rest is for the listener."""
    engine = ObservedEngine()
    service = Service(agent_config(certificates, tmp_path), engine, passing_check)
    service.end()
    service.run(lambda: None)
    assert 5.0 <= engine.given < 10.0
