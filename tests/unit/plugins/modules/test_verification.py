# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module `verification`: equal, different, repaired, and check mode."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.agent_fakes import TOKENS, RunningAgent

DIFFERENCE = {"database": "db", "collection": "c", "key": "k1", "kind": "missing"}


def test_equal(agent: RunningAgent, run: Any) -> None:
    result = run("verification", mode="documents", timeout=9)
    assert (result["changed"], result["verification"]["equal"]) == (False, True)
    assert "result           equal" in result["lines"]
    assert agent.engine.calls[-1] == ("verification", {"mode": "documents", "repair": False, "timeout": 9.0})


def test_differences_fail_the_task_unless_told_otherwise(agent: RunningAgent, run: Any) -> None:
    agent.engine.verified.update(equal=False, differences=[DIFFERENCE], differences_total=1)
    result = run("verification")
    assert result["failed"]
    assert "db/c k1: missing" in result["msg"]
    result = run("verification", fail_on_differences=False)
    assert result["verification"]["differences"] == [DIFFERENCE]


def test_a_repair_is_a_change(agent: RunningAgent, run: Any) -> None:
    agent.engine.verified.update(repaired=2)
    assert run("verification", repair=True)["changed"] is True


def test_check_mode_reads_no_cluster(agent: RunningAgent, run: Any) -> None:
    agent.engine.document["verification"] = {"state": "watching"}
    result = run("verification", check=True, repair=True)
    assert (result["changed"], result["verification"], result["rounds"]) == (False, None, {"state": "watching"})
    assert "verification" not in [name for name, _options in agent.engine.calls]


@pytest.mark.parametrize("name", ["mode", "timeout"])
def test_bad_options_are_refused_by_name(run: Any, name: str) -> None:
    result = run("verification", **{name: "soon"})
    assert result["failed"]
    assert name in result["msg"]


def test_reading_rights_are_not_enough(run: Any) -> None:
    assert run("verification", agent_token=TOKENS["read"])["failure"]["http_status"] == 403
