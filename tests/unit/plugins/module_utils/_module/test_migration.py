# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One plan for check mode and the real run: what each state makes of each wish."""

from __future__ import annotations

import itertools

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.states import STATES
from ansible_collections.cutover.arangodb.plugins.module_utils._module.migration import plan

TABLE = {
    ("inactive", "started"): "start",
    ("initializing", "started"): "refresh",
    ("initial-sync", "started"): "refresh",
    ("running", "started"): "refresh",
    ("stopping", "started"): "refresh",
    ("completed", "started"): None,
    ("aborting", "started"): "refresh",
    ("aborted", "started"): "start",
    ("failed", "started"): "start",
    ("inactive", "stopped"): None,
    ("initializing", "stopped"): "stop",
    ("initial-sync", "stopped"): "stop",
    ("running", "stopped"): "stop",
    ("stopping", "stopped"): "none",
    ("completed", "stopped"): "none",
    ("aborting", "stopped"): "stop",
    ("aborted", "stopped"): None,
    ("failed", "stopped"): None,
    ("inactive", "aborted"): "none",
    ("initializing", "aborted"): "abort",
    ("initial-sync", "aborted"): "abort",
    ("running", "aborted"): "abort",
    ("stopping", "aborted"): "abort",
    ("completed", "aborted"): None,
    ("aborting", "aborted"): "none",
    ("aborted", "aborted"): "none",
    ("failed", "aborted"): "abort",
}


def test_the_table_is_complete() -> None:
    assert set(TABLE) == set(itertools.product(STATES, ("started", "stopped", "aborted")))


@pytest.mark.parametrize(("state", "wanted"), sorted(TABLE))
def test_plan(state: str, wanted: str) -> None:
    current = {"state": state, "since": "2026-11-23T08:00:00Z", "migration": {"config_digest": "d"}}
    expected = TABLE[state, wanted]
    if expected is None:
        with pytest.raises(CutoverError) as caught:
            plan(current, wanted, "d")
        assert caught.value.code == "CUT-AGENT-43"
        return
    chosen = plan(current, wanted, "d")
    assert chosen.action == expected
    assert chosen.changed == (expected in ("start", "stop", "abort"))


@pytest.mark.parametrize(("pending", "said"), [(0, "Nothing is left to do."), (2, "still to be built: 2. Let")])
def test_a_completed_migration_tells_whether_its_agent_is_needed(pending: int, said: str) -> None:
    with pytest.raises(CutoverError) as caught:
        plan({"state": "completed", "late_indexes": {"pending": pending}}, "started", "d")
    assert said in caught.value.remedy


PAUSED = {"state": "paused", "by": "operator"}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    ("wanted", "pause", "expected"),
    [
        ("paused", {"state": "none"}, "pause"),
        ("paused", PAUSED, "none"),
        ("paused", {"state": "paused", "by": "protection"}, "pause"),
        ("resumed", {"state": "none"}, "none"),
        ("resumed", PAUSED, "resume"),
        ("resumed", {"state": "pausing", "by": "operator"}, "resume"),
        ("resumed", {"state": "paused", "by": "protection"}, "none"),
    ],
)
def test_only_what_moves_is_paused_and_only_the_operators_pause_is_ended(
    state: str, wanted: str, pause: dict[str, str], expected: str
) -> None:
    current = {"state": state, "pause": pause}
    if state not in ("initial-sync", "running"):
        with pytest.raises(CutoverError) as caught:
            plan(current, wanted, None)
        assert caught.value.code == "CUT-AGENT-43"
        return
    assert plan(current, wanted, None).action == expected


def test_another_specification_is_refused_while_one_runs() -> None:
    current = {"state": "running", "migration": {"config_digest": "d"}}
    with pytest.raises(CutoverError, match="another specification"):
        plan(current, "started", "e")


def test_a_clean_up_is_asked_for_once() -> None:
    left = {"state": "aborted", "allowed_actions": ["start", "cleanup"]}
    assert plan(left, "aborted", None).action == "none"
    assert plan(left, "aborted", None, cleanup=True).changed
    assert not plan({**left, "allowed_actions": ["start"]}, "aborted", None, cleanup=True).changed


def test_a_completed_migration_is_replaced_only_by_its_id() -> None:
    current = {"state": "completed", "since": "2026-11-23T08:00:00Z", "migration": {"id": "one"}}
    for named in (None, "two"):
        with pytest.raises(CutoverError, match="id one"):
            plan(current, "started", "d", named)
    assert plan(current, "started", "d", "one").action == "start"
    with pytest.raises(CutoverError):
        plan({**current, "migration": {"id": None}}, "started", "d", None)


def test_starting_a_completed_migration_names_the_date() -> None:
    with pytest.raises(CutoverError, match="2026-11-23T08:00:00Z"):
        plan({"state": "completed", "since": "2026-11-23T08:00:00Z"}, "started", "d")
