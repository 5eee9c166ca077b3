# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the status page promises while a cutover is under way."""

from __future__ import annotations

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.page_parts import verdict
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.cutover import Cutover


@pytest.mark.parametrize(
    ("step", "mode", "says"),
    [
        ("intent", "default", "The source still takes writes, and everything can still be taken back."),
        ("intent", "readonly", "The source does not take writes. Until the opening"),
        ("fence", "default", "The source does not take writes. Until the opening"),
        ("proof", "readonly", "The source does not take writes. Until the opening"),
        ("open", "readonly", "may be past taking back"),
        ("users", "readonly", "The target is open: applications may use it."),
        ("complete", "readonly", "no way back by itself"),
    ],
)
def test_each_step_of_a_cutover_tells_what_it_means(step: str, mode: str, says: str) -> None:
    at = Cutover.STEPS.index(step)
    steps = [
        {"name": name, "state": "done" if index < at else "running" if index == at else "pending"}
        for index, name in enumerate(Cutover.STEPS)
    ]
    kind, content = verdict({"state": "stopping", "source": {"mode": mode}, "cutover": {"step": step, "steps": steps}})
    assert kind == "busy"
    assert f"The cutover is under way: {step}" in content
    assert says in content


@pytest.mark.parametrize(("mode", "says"), [("readonly", "does not take writes"), ("default", "still takes writes")])
def test_before_any_step_is_known_the_sources_mode_decides(mode: str, says: str) -> None:
    assert says in verdict({"state": "stopping", "source": {"mode": mode}, "cutover": {"steps": []}})[1]
