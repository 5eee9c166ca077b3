# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Unique indexes are built while their collection is held, others in the background; a refusal is never silent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.findings import Findings
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.index_builder import IndexBuilder, IndexJob
from tests.unit.control_fakes import unreachable
from tests.unit.front_fake import refusal

UNIQUE = {"name": "u", "type": "persistent", "fields": ["u"], "unique": True}


class Target:
    """An admin that remembers, and a data path that can be held."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.errors: list[BaseException] = []
        self.pending = 0

    def create_index(self, database: str, collection: str, index: dict[str, Any]) -> None:
        """See ``TargetAdmin``."""
        background = " in background" if index.get("inBackground") else ""
        self.log.append(f"build {database}/{collection}/{index['name']}{background}")
        if self.errors:
            raise self.errors.pop(0)

    def hold(self, _database: str, plan_id: str, _reason: str, _deadline: object) -> None:
        """See ``DataPlane``."""
        self.log.append(f"hold {plan_id}")

    def release(self, _database: str, plan_id: str, _reason: str) -> None:
        """See ``DataPlane``."""
        self.log.append(f"release {plan_id}")

    def recheck_pending(self) -> int:
        """See ``DataPlane``; settled by being asked."""
        pending, self.pending = self.pending, 0
        return pending


@pytest.fixture
def target() -> Target:
    """Without errors."""
    return Target()


@pytest.fixture
def findings() -> Findings:
    """None."""
    return Findings()


@pytest.fixture
def builder(target: Target, findings: Findings) -> Iterator[IndexBuilder]:
    """At work."""
    made = IndexBuilder(target, target, findings.report, findings.resolve, lambda database: None)  # type: ignore[arg-type]
    made.start()
    yield made
    made.close(5.0)


def job(*indexes: dict[str, Any], held: bool = True) -> IndexJob:
    """For one collection."""
    return IndexJob("shop", "10", "things", indexes or (UNIQUE,), held)


def wait_for(condition: Callable[[], bool]) -> None:
    """A few seconds at most."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_held_while_it_is_built(builder: IndexBuilder, target: Target) -> None:
    """Released whatever happens."""
    builder.want([job()])
    wait_for(lambda: builder.counts() == (0, 1, 0))
    assert target.log == ["hold 10", "build shop/things/u", "release 10"]


def test_others_go_on_in_the_background(builder: IndexBuilder, target: Target) -> None:
    """Nothing is held."""
    builder.want([job({"name": "a"}, {"name": "b"}, held=False)])
    wait_for(lambda: builder.counts() == (0, 2, 0))
    assert target.log == ["build shop/things/a in background", "build shop/things/b in background"]


def test_i9_a_refusal_is_a_finding_and_not_tried_for_ever(
    builder: IndexBuilder, target: Target, findings: Findings
) -> None:
    """Two documents have the same values there."""
    target.errors = [refusal(409, 1210, "unique constraint violated")]
    builder.want([job()])
    wait_for(lambda: builder.counts() == (0, 0, 1))
    assert [(item["code"], item["where"]) for item in findings.blocking()] == [("CUT-SCHEMA-5", "index shop/things/u")]
    builder.want([job()])
    time.sleep(0.05)
    assert target.log.count("build shop/things/u") == 1
    assert target.log[-1] == "release 10"


def test_i9_the_finding_goes_with_the_index(builder: IndexBuilder, target: Target, findings: Findings) -> None:
    """One that is dropped on the source blocks nothing; made again with other fields it is another one."""
    target.errors = [refusal(409, 1210, "unique constraint violated")]
    builder.want([job()])
    wait_for(lambda: builder.counts() == (0, 0, 1))
    builder.want([])
    assert (builder.counts(), findings.all()) == ((0, 0, 0), [])
    builder.want([job({**UNIQUE, "fields": ["other"]})])
    wait_for(lambda: builder.counts() == (0, 1, 0))


def test_what_was_refused_is_tried_again(target: Target, findings: Findings) -> None:
    """After a while: the verification may have repaired the document that was in the way."""
    scaled = IndexBuilder(
        target, target, findings.report, findings.resolve, lambda database: None, time_scale=1e-4,  # type: ignore[arg-type]
    )  # fmt: skip
    scaled.start()
    target.errors = [refusal(409, 1210, "unique constraint violated")]
    scaled.want([job()])
    wait_for(lambda: scaled.counts() == (0, 0, 1))

    def built() -> bool:
        scaled.want([job()])
        return scaled.counts()[1] > 0

    wait_for(built)
    scaled.close(5.0)
    assert findings.all() == []


def test_a_conflict_while_outcomes_are_unknown_is_no_refusal_yet(
    builder: IndexBuilder, target: Target, findings: Findings
) -> None:
    """A late request may have brought an old unique value back; it is put right and the index built then."""
    target.errors = [refusal(409, 1210, "unique constraint violated")]
    target.pending = 1
    builder.want([job()])
    wait_for(lambda: builder.counts() == (0, 1, 0))
    assert findings.all() == []


@pytest.mark.parametrize("error", [unreachable(), CutoverError("CUT-LEASE-1", "late", retriable=True), KeyError("odd")])
def test_what_passes_is_tried_again(builder: IndexBuilder, target: Target, error: BaseException) -> None:
    """Also an error of our own; the collection is not left held meanwhile."""
    target.errors = [error]
    builder.want([job()])
    wait_for(lambda: builder.counts() == (0, 1, 0))
    assert target.log.count("hold 10") == target.log.count("release 10") == 2


def test_what_is_no_longer_wanted_is_not_tried_again(builder: IndexBuilder, target: Target) -> None:
    """The collection was dropped meanwhile."""
    target.errors = [unreachable()] * 100
    builder.want([job()])
    wait_for(lambda: bool(target.log))
    builder.want([])
    wait_for(lambda: not builder.busy)
    assert builder.counts() == (0, 0, 0)
    assert target.log.count("hold 10") == target.log.count("release 10") == 1
