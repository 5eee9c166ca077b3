# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module `server_mode`: through the agent, or without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._module import server_mode
from tests.unit.agent_fakes import RunningAgent


def test_check_do_again(agent: RunningAgent, run: Any) -> None:
    checked = run("server_mode", check=True, mode="readonly")
    assert (checked["changed"], agent.engine.mode) == (True, "default")
    done = run("server_mode", mode="readonly")
    assert (done["changed"], done["via"], done["servers"]) == (True, "agent", {"CRDN-1": "readonly"})
    assert done["diff"] == checked["diff"] == {"before": {"mode": "default"}, "after": {"mode": "readonly"}}
    again = run("server_mode", mode="readonly")
    assert again["changed"] is False
    assert again["diff"]["before"] == again["diff"]["after"]


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """Options for going without an agent, and a source that remembers its mode under `modes`."""
    secret = tmp_path / "source.jwt"
    secret.write_text("s3cr3t")
    modes = {"CRDN-1": "readonly", "PRMR-1": "default"}

    def connect(endpoints: Any, ca_path: Any, key: bytes, *rest: Any) -> str:
        assert (endpoints, key) == (["https://s:1"], b"s3cr3t")
        return "source"

    def set_mode(source: Any, mode: str, deadline: Any) -> dict[str, str]:
        assert deadline.remaining() <= 60
        modes.update(dict.fromkeys(modes, mode))
        return dict(modes)

    monkeypatch.setattr(server_mode.topology, "connect_texts", connect)
    monkeypatch.setattr(server_mode.fence, "read_modes", lambda source: dict(modes))
    monkeypatch.setattr(server_mode.fence, "set_mode", set_mode)
    return {"source_endpoints": ["https://s:1"], "source_jwt_secret_path": str(secret), "modes": modes}


def test_without_an_agent(run: Any, direct: dict[str, Any]) -> None:
    modes = direct.pop("modes")
    gone = {"agent_endpoint": "https://127.0.0.1:1", **direct}
    checked = run("server_mode", check=True, mode="default", **gone)
    assert (checked["changed"], checked["diff"]["before"], modes["CRDN-1"]) == (True, {"mode": "mixed"}, "readonly")
    done = run("server_mode", mode="default", **gone)
    assert (done["changed"], done["via"]) == (True, "direct")
    assert modes == {"CRDN-1": "default", "PRMR-1": "default"}
    assert run("server_mode", mode="default", **gone)["changed"] is False


@pytest.mark.parametrize("code", ["CUT-STATE-3", "CUT-FLEET-1"])
def test_an_idle_or_joined_agent_is_passed_by_but_a_refusing_one_is_not(
    agent: RunningAgent, run: Any, direct: dict[str, Any], monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    direct.pop("modes")

    def idle() -> dict[str, Any]:
        raise CutoverError(code, "this agent has no source")

    monkeypatch.setattr(agent.engine, "server_mode", idle)
    assert run("server_mode", mode="default", **direct)["via"] == "direct"
    assert run("server_mode", mode="default", agent_token="wrong", **direct)["failure"]["code"] == "CUT-AGENT-10"


def test_no_agent_and_no_way_round_it(run: Any) -> None:
    result = run("server_mode", mode="default", agent_endpoint="https://127.0.0.1:1")
    assert result["failure"]["code"] == "CUT-AGENT-32"
    assert "source_jwt_secret_path" in result["failure"]["remedy"]


def test_an_agent_that_was_removed_leaves_no_files_behind(run: Any, direct: dict[str, Any]) -> None:
    direct.pop("modes")
    assert run("server_mode", mode="default", agent_ca_path="/no/such/ca.pem", **direct)["via"] == "direct"
    assert run("server_mode", mode="default", agent_ca_path="/no/such/ca.pem")["failure"]["code"] == "CUT-TLS-1"
