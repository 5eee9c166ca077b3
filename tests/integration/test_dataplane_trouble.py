# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The data path when servers fail, answers get lost, copies break off, collections vanish."""

from __future__ import annotations

import random
import time

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import ShardState
from tests.integration.pair import SETTLE, Pair, wait_for, wait_in_sync
from tests.integration.test_dataplane import writing


def test_a_server_that_restarts_with_its_log_is_followed_on(pair: Pair) -> None:
    pair.create("c")
    plans = pair.plans("c")
    with pair.plane() as plane:
        plane.register(plans)
        plane.start(pair.fresh())
        wait_in_sync(plane)
        pair.insert("c", [{"_key": f"k{number}"} for number in range(50)])
        for plan in plans:
            pair.source.control.fault("restart_server", server=plan.leader)
        wait_for(lambda: _answers(pair))
        pair.insert("c", [{"_key": f"l{number}"} for number in range(50)])
        pair.drain(plane)
        assert pair.differences("c") == []
        assert plane.server_changed() == []


def _answers(pair: Pair) -> bool:
    try:
        pair.ends()
    except CutoverError:
        return False
    return True


def test_i3_a_new_data_directory_makes_its_shards_suspect_until_they_are_repaired(pair: Pair) -> None:
    pair.create("c", replicationFactor=2)
    plans = pair.plans("c")
    server = plans[0].leader
    with pair.plane() as plane:
        plane.register(plans)
        plane.start(pair.fresh())
        wait_in_sync(plane)
        pair.insert("c", [{"_key": f"k{number}"} for number in range(50)])
        pair.drain(plane)
        pair.source.control.fault("kill_server", server=server, new_data_dir=True)
        time.sleep(0.3)
        pair.source.control.fault("restart_server", server=server)
        wait_for(lambda: [change.kind for change in plane.server_changed()] == ["new-data-directory"])
        moved = {plan.id: plan.leader for plan in pair.plans("c")}
        assert server not in moved.values()
        pair.insert("c", [{"_key": f"k{number}", "n": 2} for number in range(30)])
        plane.relocate(moved)
        assert {identity for identity, state in plane.states().items() if state is ShardState.SUSPECT} == {
            plan.id for plan in plans if plan.leader == server
        }
        wait_in_sync(plane)
        pair.drain(plane)
        assert pair.differences("c") == []


def test_a_copy_that_was_broken_off_is_repeated_and_swept(pair: Pair) -> None:
    pair.create("c")
    pair.insert("c", [{"_key": f"k{number}", "text": "x" * 300} for number in range(3000)])
    plans = pair.plans("c")
    pair.target.control.fault("delay", path_regex="restore-data", seconds=0.2, count=1000)
    with pair.plane(batch_bytes=32 * 1024) as plane:
        plane.register(plans)
        plane.start(pair.fresh())
        wait_for(lambda: plane.progress().documents_copied > 300)
        assert ShardState.COPYING in plane.states().values()
    pair.target.control.clear()
    pair.remove("c", [f"k{number}" for number in range(0, 3000, 2)])
    with pair.plane() as plane:
        plane.register(pair.plans("c", first_copy_into_empty=False))
        plane.start(pair.fresh())
        with writing(pair, "c", seed=8):
            wait_in_sync(plane)
        pair.drain(plane)
        wait_for(lambda: plane.recheck_pending() == 0)
        assert pair.differences("c") == []


def test_a_snapshot_that_is_lost_is_taken_again(pair: Pair) -> None:
    pair.create("c")
    pair.insert("c", [{"_key": f"k{number}", "text": "x" * 300} for number in range(2000)])
    pair.source.control.fault("status", path_regex="/_api/dump/next", status=404, errorNum=1600, nth=3, count=2)
    with pair.plane(batch_bytes=32 * 1024) as plane:
        plane.register(pair.plans("c"))
        plane.start(pair.fresh())
        with writing(pair, "c", seed=9):
            wait_in_sync(plane)
        pair.drain(plane)
        assert plane.progress().recopies > 0
        assert pair.differences("c") == []


def test_i9_a_document_that_restore_refuses_is_named(pair: Pair) -> None:
    pair.create("c", numberOfShards=1)
    pair.insert("c", [{"_key": f"k{number}", "u": number // 2} for number in range(10)])
    pair.clients.target.json(
        "POST", "/_api/index", database="_system", query={"collection": "c"},
        body={"type": "persistent", "fields": ["u"], "unique": True},
    )
    with pair.plane() as plane:
        plane.register(pair.plans("c"))
        plane.start(pair.fresh())
        wait_in_sync(plane)
        keys = {finding.key for finding in pair.findings}
        assert len(keys) == 5
        assert set(pair.differences("c")) == keys


def test_a_target_that_is_overloaded_is_waited_for(pair: Pair) -> None:
    pair.create("c")
    pair.insert("c", [{"_key": f"k{number}"} for number in range(200)])
    pair.target.control.fault("status", path_regex="restore-data", status=503, errorNum=21003, count=4)
    pair.target.control.fault("status", path_regex="/_api/document/c", status=503, errorNum=1478, nth=2, count=4)
    with pair.plane() as plane:
        plane.register(pair.plans("c"))
        plane.start(pair.fresh())
        with writing(pair, "c", seed=10):
            wait_in_sync(plane)
        pair.drain(plane)
        assert plane.progress().errors >= 4, "each coordinator is tried before it counts"
        assert plane.progress().waiting == ()
        assert pair.differences("c") == []


def test_dropped_and_created_again_under_one_name(pair: Pair) -> None:
    pair.create("c")
    pair.insert("c", [{"_key": f"k{number}", "old": True} for number in range(100)])
    old = pair.plans("c")
    with pair.plane() as plane:
        plane.register(old)
        plane.start(pair.fresh())
        wait_in_sync(plane)
        pair.target.control.fault("lost_answer", method="POST", path_regex="/_api/document/c", run="late", count=2)
        pair.insert("c", [{"_key": f"k{number}", "old": 2} for number in range(100)])
        wait_for(lambda: plane.recheck_pending() > 0)
        noted = time.monotonic()
        pair.clients.coordinators.json("DELETE", "/_api/collection/c", database="_system")
        plane.quiesce("_system", old[0].id.plan_id, Deadline(20.0))
        assert time.monotonic() - noted > SETTLE * 0.8, "requests without an answer are waited out"
        pair.clients.target.json("DELETE", "/_api/collection/c", database="_system")
        plane.forget("_system", old[0].id.plan_id)
        assert plane.recheck_pending() == 0
        pair.create("c")
        pair.insert("c", [{"_key": f"k{number}", "new": True} for number in range(10)])
        plane.register(pair.plans("c"))
        wait_in_sync(plane)
        pair.drain(plane)
        assert pair.differences("c") == []
        assert len(pair.target.control.documents("_system", "c")) == 10


def test_a_pause_writes_nothing(pair: Pair) -> None:
    pair.create("c")
    with pair.plane() as plane:
        plane.register(pair.plans("c"))
        plane.start(pair.fresh())
        wait_in_sync(plane)
        plane.pause()
        before = pair.target.control.documents("_system", "c")
        pair.insert("c", [{"_key": "k"}])
        with pytest.raises(CutoverError):
            plane.drain(pair.ends(), Deadline(1.0))
        assert pair.target.control.documents("_system", "c") == before == {}
        plane.resume()
        pair.drain(plane)
        assert pair.differences("c") == []


def test_the_log_is_kept_from_the_journaled_tick_on(pair: Pair) -> None:
    pair.create("c")
    server_id = pair.plans("c")[0].leader
    with pair.plane() as plane:
        plane.register(pair.plans("c"))
        plane.start(pair.fresh())
        wait_in_sync(plane)
        ticks = plane.restart_ticks()
        plane.checkpointed(ticks)
        for turn in range(5):
            pair.insert("c", [{"_key": f"k{turn}-{number}"} for number in range(50)])
        pair.drain(plane)
        wait_for(lambda: max(_served(pair, server_id)) > ticks[server_id])
        assert min(_served(pair, server_id)) == ticks[server_id]
        later = plane.restart_ticks()
        plane.checkpointed(later)
        wait_for(lambda: min(_served(pair, server_id)) == later[server_id])
        assert pair.findings == []


def _served(pair: Pair, server_id: str) -> set[int]:
    """The ticks from which a server keeps its log, by client (facts §5.7)."""
    state = pair.clients.servers[server_id].json("GET", "/_api/replication/logger-state", database="_system")
    return {int(client["lastServedTick"]) for client in state["clients"]}


@pytest.mark.parametrize("seed", range(3))
def test_random_faults_end_without_a_difference(pair: Pair, seed: int) -> None:
    draw = random.Random(seed)
    pair.create("c")
    pair.create("d", shardKeys=["region"])
    pair.insert("c", [{"_key": f"k{number}", "n": 0} for number in range(500)])
    for turn in range(12):
        path = draw.choice(["restore-data", "/_api/document/c", "/_api/cursor", "/_api/dump", "/_api/document/d"])
        side = pair.source if path == "/_api/dump" else pair.target
        side.control.fault("lost_answer", path_regex=path, run=draw.choice(["late", "now", "never"]), nth=turn + 1)
    ticks: dict[str, int] = {}
    with pair.plane() as plane:
        plane.register([*pair.plans("c"), *pair.plans("d")])
        plane.start(pair.fresh())
        with writing(pair, "c", seed=seed, keys=80):
            wait_in_sync(plane)
            ticks = plane.restart_ticks()
            wait_for(lambda: plane.progress().operations_applied > 150)
    with pair.plane() as plane:
        plane.register([*pair.plans("c"), *pair.plans("d")], in_sync=True)
        plane.start(dict(ticks))
        with writing(pair, "c", seed=seed + 100, keys=80):
            wait_in_sync(plane)
        pair.drain(plane)
        plane.settle(Deadline(30.0))
        assert pair.differences("c") == []
        assert pair.differences("d") == []
        assert pair.findings == []


def test_only_what_an_earlier_process_may_have_sent_is_compared_again(pair: Pair) -> None:
    pair.create("c")
    pair.insert("c", [{"_key": "k"}])
    for pending in (0, 1):
        with pair.plane() as plane:
            plane.register(pair.plans("c", first_copy_into_empty=False))
            assert plane.recheck_pending() == pending
            plane.start(pair.fresh())
            wait_in_sync(plane)
            plane.settle(Deadline(20.0))
            assert pair.differences("c") == []
