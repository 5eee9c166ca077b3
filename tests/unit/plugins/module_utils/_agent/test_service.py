# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The daemon's own guarantees: one per state directory, ready after recovery, clean end."""

from __future__ import annotations

import http.client
import json
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
