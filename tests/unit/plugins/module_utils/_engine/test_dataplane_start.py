# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the data path doubts when it begins where another process ended."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.dataplane import DataPlane
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.dataplane_types import Settings
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import ShardId, ShardPlan, ShardState

PLANS = [ShardPlan(ShardId("d", plan, shard), "c", shard, "PRMR-1") for plan in "12" for shard in "ab"]


def plane(directory: Path, *, took_over: bool) -> DataPlane:
    """A data path that was not started."""
    source: Any = SimpleNamespace(servers={"PRMR-1": SimpleNamespace(label="PRMR-1")}, coordinators=None)
    gate: Any = SimpleNamespace(check=lambda: None)
    parts: dict[str, Any] = {"source": source, "target": None, "gate": gate, "report": lambda finding: None}
    directory.mkdir(exist_ok=True)
    return DataPlane(state_dir=directory, settings=Settings(), took_over=took_over, **parts)


def test_i1_after_a_take_over_every_collection_is_compared_once(tmp_path: Path) -> None:
    """Nobody knows which writes of the lost agent have an unknown outcome; a restart does not forget the doubt."""
    first = plane(tmp_path / "data", took_over=True)
    first.register(PLANS, in_sync=True)
    assert first.recheck_pending() == 2
    assert plane(tmp_path / "data", took_over=False).recheck_pending() == 2


def test_a_restart_on_the_same_host_knows_what_is_open(tmp_path: Path) -> None:
    """Its queue lies on the disk: what was in sync is not compared as a whole."""
    first = plane(tmp_path / "data", took_over=False)
    first.register(PLANS, in_sync=True)
    assert first.recheck_pending() == 0


def test_i3_no_shard_can_be_chosen_before_the_logs_routers_know_it(tmp_path: Path) -> None:
    """A copier that was quicker would read its position, and markers after it would be unknown, and so dropped."""
    made, free = plane(tmp_path / "data", took_over=False), []
    know = made._parts.lanes.know

    def slowly(shards: Any) -> None:
        looker = threading.Thread(target=lambda: free.append(made._parts.book.lock.acquire(blocking=False)))
        looker.start()
        looker.join()
        know(shards)

    made._parts.lanes.know = slowly  # type: ignore[method-assign]
    made.register(PLANS)
    assert free == [False], "whoever looks for shards waits"
    assert made.counts() == {ShardState.PENDING: len(PLANS)}


def test_what_is_told_of_collections_follows_every_change(tmp_path: Path) -> None:
    """It is remembered between two calls."""
    made = plane(tmp_path / "data", took_over=False)
    book, inspection = made._parts.book, made.inspection
    made.register(PLANS[:2])
    assert {name: standing.calm for name, standing in inspection.standings().items()} == {("d", "1"): False}
    for shard in book.all():
        for state in (ShardState.COPYING, ShardState.CATCHING_UP, ShardState.IN_SYNC):
            book.move(shard, state)
    made.register(PLANS[2:])
    assert {name: one.calm for name, one in inspection.standings().items()} == {("d", "1"): True, ("d", "2"): False}
    before = inspection.standings()["d", "1"].disturbance
    book.begin_anew(book.of("d", "1")[0])
    after = inspection.standings()["d", "1"]
    assert not after.calm
    assert after.disturbance > before
    book.remove(book.of("d", "1"))
    assert set(inspection.standings()) == {("d", "2")}
    for shard in book.of("d", "2"):
        book.let_go(shard)
    assert not inspection.standings()["d", "2"].calm


def test_i1_nothing_is_proved_while_other_agents_may_copy(tmp_path: Path) -> None:
    """Whatever the shards look like: what they still send may be old."""
    made = plane(tmp_path / "data", took_over=False)
    made.drain({}, Deadline(0.0))
    made._parts.lender._busy.add("other")  # type: ignore[arg-type]
    with pytest.raises(CutoverError) as refused:
        made.drain({}, Deadline(0.0))
    assert refused.value.code == "CUT-DATA-10"
