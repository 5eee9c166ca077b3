# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module `migration_info`: only reads, in check mode too."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.agent_fakes import TOKENS, RunningAgent


@pytest.mark.parametrize("check", [False, True])
def test_status_alone(run: Any, check: bool) -> None:
    result = run("migration_info", check=check, agent_token=TOKENS["read"])
    assert (result["changed"], result["migration"]["state"]) == (False, "inactive")
    assert not {"shards", "findings", "report"} & set(result)


def test_everything(agent: RunningAgent, run: Any) -> None:
    result = run("migration_info", gather=["shards", "findings", "report"])
    assert result["shards"][0]["state"] == "in-sync"
    assert result["findings"][0]["code"] == "CUT-X-1"
    assert result["report"] is None
    agent.engine.document["state"] = "completed"
    assert run("migration_info", gather=["report"])["report"] == {"result": "completed"}


def test_wrong_token(run: Any) -> None:
    result = run("migration_info", agent_token="wrong")
    assert (result["failure"]["code"], result["failure"]["http_status"]) == ("CUT-AGENT-10", 401)


def test_changes_and_the_page(agent: RunningAgent, run: Any) -> None:
    agent.engine.document["state"] = "completed"
    result = run("migration_info", gather=["changes", "report_page"])
    assert result["changes"]["totals"] == {"created": 0, "changed": 0, "removed": 0}
    assert result["report_page"].startswith("<!DOCTYPE html>")
