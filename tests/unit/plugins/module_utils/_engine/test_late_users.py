# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Users whom the target refused at the opening are opened as soon as it takes them."""

from __future__ import annotations

from collections.abc import Collection
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.findings import Finding, Findings
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.journal import Record
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.late_users import CODE, LateUsers
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.times import stamp
from tests.unit.control_fakes import FakeStore, HandClocks, unreachable


class Case:
    """A target that refuses some users, and an agent whose clock is moved by hand."""

    def __init__(self) -> None:
        self.refusing = {"app", "reader"}
        self.asked: list[set[str]] = []
        self.broken = False
        self.clocks: Any = HandClocks()
        self.findings = Findings()
        for name in sorted(self.refusing):
            self.findings.report(Finding(CODE, "warning", f"user {name}", "refused", ""))
        self.store = FakeStore()
        self.result = Record(self.store, "result")
        completed_at = stamp(self.clocks.wall())
        self.result.save({"opened_cleanly": True, "completed_at": completed_at, "late_users": ["app", "reader"]})
        self.start()

    def start(self) -> None:
        """By what the journal knows, also after a restart of the agent, or by another one."""
        self.result = Record(self.store, "result")
        world: Any = SimpleNamespace(users=self, result=self.result, settings=SimpleNamespace(time_scale=1.0))
        self.late = LateUsers(world, self.findings, self.clocks)

    def open_all(self, names: Collection[str]) -> list[tuple[str, str]]:
        self.asked.append(set(names))
        if self.broken:
            raise unreachable()
        return [(name, "the user should be active") for name in sorted(self.refusing & set(names))]

    def told(self) -> list[str]:
        return sorted(item["where"] for item in self.findings.all())

    def look(self, seconds: float = 60.0) -> None:
        self.clocks.pass_by(seconds)
        self.late.look()


@pytest.fixture
def case() -> Case:
    return Case()


def test_i9_refused_users_are_opened_later(case: Case) -> None:
    """Each as soon as it can be, and then it is no finding any more."""
    case.look()
    case.refusing = {"reader"}
    case.look()
    assert case.told() == ["user reader"]
    case.refusing = set()
    case.look()
    assert case.told() == []
    assert not case.late.pending
    case.look()
    assert case.asked == [{"app", "reader"}, {"app", "reader"}, {"reader"}]


def test_they_are_not_asked_for_all_the_time(case: Case) -> None:
    for _time in range(50):
        case.look(0.01)
    assert case.asked == []


def test_i9_what_cannot_be_opened_stays_a_finding(case: Case) -> None:
    """Nobody is tried for ever: the operator may have decided otherwise."""
    for _time in range(30):
        case.look()
    assert not case.late.pending
    assert 5 < len(case.asked) < 20
    assert case.told() == ["user app", "user reader"]


def test_i7_a_revocation_knows_of_requests_that_may_still_run(case: Case) -> None:
    """Before the first of them is made."""
    case.broken = True
    case.look()
    assert case.result.load()["opened_cleanly"] is False
    assert case.late.pending
    case.broken, case.refusing = False, set()
    case.look()
    assert case.told() == []


def test_i9_a_restart_goes_on_with_whom_is_left(case: Case) -> None:
    """Those who were opened are left alone."""
    case.refusing = {"reader"}
    case.look()
    case.start()
    case.look()
    assert case.asked == [{"app", "reader"}, {"reader"}]
    case.refusing = set()
    case.look()
    assert case.told() == []
    case.start()
    assert not case.late.pending


def test_a_restart_does_not_begin_the_time_anew(case: Case) -> None:
    """Also where the clock of the agent that goes on is behind."""
    case.look(400.0)
    case.start()
    case.look(199.0)
    assert case.late.pending
    case.look(2.0)
    assert not case.late.pending
    case.clocks.wall_now -= 3600.0
    case.start()
    assert case.late.pending
    case.look(601.0)
    assert not case.late.pending


def test_what_is_over_is_not_begun_again(case: Case) -> None:
    """Nothing is left for a restart, though somebody could not be opened."""
    case.clocks.pass_by(700.0)
    case.late.end()
    assert case.result.load()["late_users"] == []
    assert case.told() == ["user app", "user reader"]
