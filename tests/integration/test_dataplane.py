# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The data path between two emulated clusters: copy, follow, drain, compare."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline
from tests.integration.pair import Pair, wait_for, wait_in_sync


@contextmanager
def writing(pair: Pair, name: str, seed: int, keys: int = 200) -> Iterator[None]:
    """Write at random until the block ends: single and bulk inserts, replaces and removes on few keys."""
    stop = threading.Event()
    errors: list[BaseException] = []

    def work() -> None:
        draw = random.Random(seed)
        number = 0
        try:
            while not stop.is_set():
                number += 1
                some = [f"k{draw.randrange(keys)}" for count in range(draw.choice((1, 1, 1, 5)))]
                if draw.random() < 0.3:
                    pair.remove(name, sorted(set(some)))
                else:
                    pair.insert(name, [{"_key": key, "n": number} for key in dict.fromkeys(some)])
        except BaseException as error:  # noqa: BLE001 - shown by the test
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        assert not errors, errors


def test_copies_what_is_there_and_follows_what_comes(pair: Pair) -> None:
    pair.create("c")
    pair.insert("c", [{"_key": f"k{number}", "n": number} for number in range(3000)])
    with pair.plane() as plane:
        plane.register(pair.plans("c"))
        plane.start(pair.fresh())
        with writing(pair, "c", seed=1):
            wait_in_sync(plane)
            wait_for(lambda: plane.progress().operations_applied > 300, tell=lambda: str(plane.progress()))
        pair.drain(plane)
        assert pair.differences("c") == []
        assert not pair.findings
        assert plane.progress().documents_copied >= 2000


@pytest.mark.parametrize("dump", ["parallel", "old"])
def test_bytes_arrive_unchanged(pair: Pair, dump: str) -> None:
    """By either way of copying and by the log: numbers that no float can hold, escapes."""
    numbers = b'"a":1e-7,"b":12345678901234567890,"c":-0.0,"d":1.0,"g":0.100000000000000005551115123125782702118158340'
    texts = b'{"_key":"%s",' + numbers + b',"e":"\xc3\xa9\\u0041\\/","f":[1E5,{}]}'
    if dump == "old":
        pair.source.control.fault("status", path_regex="/_api/dump/start", status=404, errorNum=404, count=100)
    pair.create("c")
    pair.post("c", b"[" + b",".join(texts % b"copied%d" % number for number in range(20)) + b"]")
    with pair.plane() as plane:
        plane.register(pair.plans("c"))
        plane.start(pair.fresh())
        wait_in_sync(plane)
        pair.post("c", b"[" + b",".join(texts % b"followed%d" % number for number in range(20)) + b"]")
        pair.drain(plane)
    assert pair.differences("c") == []
    raw = pair.target.control.documents("_system", "c")
    for key in ("copied3", "followed3"):
        assert numbers in raw[key][1]


def test_copies_by_the_old_dump(pair: Pair) -> None:
    pair.source.control.fault("status", path_regex="/_api/dump/start", status=404, errorNum=404, count=100)
    pair.create("c")
    pair.insert("c", [{"_key": f"k{number}", "text": "x" * 500} for number in range(2000)])
    with pair.plane(batch_bytes=64 * 1024) as plane:
        plane.register(pair.plans("c"))
        plane.start(pair.fresh())
        with writing(pair, "c", seed=2):
            wait_in_sync(plane)
        pair.drain(plane)
        assert pair.differences("c") == []


def test_i2_a_restart_replays_and_does_not_copy_again(pair: Pair) -> None:
    pair.create("c")
    pair.insert("c", [{"_key": f"k{number}", "n": 0} for number in range(500)])
    with pair.plane() as plane:
        plane.register(pair.plans("c"))
        plane.start(pair.fresh())
        wait_in_sync(plane)
        ticks = plane.restart_ticks()
        with writing(pair, "c", seed=3):
            wait_for(lambda: plane.progress().operations_applied > 200)
    with writing(pair, "c", seed=4):
        wait_for(lambda: len(pair.differences("c")) > 50)
    with pair.plane() as plane:
        plane.register(pair.plans("c"), in_sync=True)
        plane.start(dict(ticks))
        with writing(pair, "c", seed=5):
            wait_in_sync(plane)
            assert plane.recheck_pending() > 0
        pair.drain(plane)
        assert pair.differences("c") == []
        assert plane.progress().documents_copied == 0
        wait_for(lambda: plane.recheck_pending() == 0)
        assert pair.differences("c") == []
        assert not pair.findings


def test_i1_requests_that_run_late_are_settled(pair: Pair) -> None:
    pair.create("c")
    pair.insert("c", [{"_key": f"k{number}", "n": 0} for number in range(300)])
    pair.target.control.fault("lost_answer", path_regex="restore-data", run="late", count=3)
    pair.target.control.fault("lost_answer", method="POST", path_regex="/_api/document/c", run="late", nth=3, count=6)
    pair.target.control.fault("lost_answer", method="DELETE", path_regex="/_api/document/c", run="late", nth=2, count=3)
    with pair.plane() as plane:
        plane.register(pair.plans("c"))
        plane.start(pair.fresh())
        with writing(pair, "c", seed=6, keys=60):
            wait_in_sync(plane)
            wait_for(lambda: plane.progress().operations_applied > 400)
        pair.drain(plane)
        assert plane.recheck_pending() > 0
        wait_for(lambda: plane.recheck_pending() == 0)
        assert pair.differences("c") == []
        assert not pair.findings


def test_truncate_of_shards_in_sync(pair: Pair) -> None:
    pair.create("c")
    pair.insert("c", [{"_key": f"k{number}", "n": 0} for number in range(900)])
    with pair.plane() as plane:
        plane.register(pair.plans("c"))
        plane.start(pair.fresh())
        wait_in_sync(plane)
        pair.clients.coordinators.request("PUT", "/_api/collection/c/truncate", database="_system")
        pair.insert("c", [{"_key": f"k{number}", "n": 1} for number in range(100)])
        pair.drain(plane)
        assert pair.differences("c") == []
        assert len(pair.target.control.documents("_system", "c")) == 100
        wait_in_sync(plane)


def test_a_repeated_copy_ends_with_a_sweep(pair: Pair) -> None:
    pair.create("c")
    pair.insert("c", [{"_key": f"k{number}", "n": 0} for number in range(300)])
    with pair.plane() as plane:
        plane.register(pair.plans("c"))
        plane.start(pair.fresh())
        wait_in_sync(plane)
    pair.remove("c", [f"k{number}" for number in range(100)])
    with pair.plane() as plane:
        plane.register(pair.plans("c", first_copy_into_empty=False))
        plane.start(pair.fresh())
        wait_in_sync(plane)
        assert pair.differences("c") == []
        wait_for(lambda: plane.recheck_pending() == 0)


def test_big_transactions_are_followed_in_parts(pair: Pair) -> None:
    pair.create("c")
    with pair.plane(tail_chunk_bytes=16 * 1024) as plane:
        plane.register(pair.plans("c"))
        plane.start(pair.fresh())
        wait_in_sync(plane)
        for turn in range(3):
            pair.insert("c", [{"_key": f"k{number}", "turn": turn, "text": "x" * 200} for number in range(1500)])
            pair.remove("c", [f"k{number}" for number in range(turn, 1500, 7)])
        pair.drain(plane)
        assert pair.differences("c") == []
        assert pair.source.control.get("/state/requests")


def test_custom_shard_keys_with_moves_between_shards(pair: Pair) -> None:
    pair.create("c", shardKeys=["region"])
    draw = random.Random(7)
    with pair.plane() as plane:
        plane.register(pair.plans("c"))
        plane.start(pair.fresh())
        wait_in_sync(plane)
        coordinators = pair.clients.coordinators
        for turn in range(300):
            answer = coordinators.json(
                "POST", "/_api/document/c", database="_system", body={"region": f"r{draw.randrange(9)}", "n": turn}
            )
            if draw.random() < 0.5:
                coordinators.request("DELETE", f"/_api/document/c/{answer['_key']}", database="_system")
        pair.drain(plane)
        assert pair.differences("c") == []
        assert len(pair.target.control.documents("_system", "c")) > 50


def test_late_writes_are_seen_after_the_drain(pair: Pair) -> None:
    pair.create("c")
    with pair.plane() as plane:
        plane.register(pair.plans("c"))
        plane.start(pair.fresh())
        wait_in_sync(plane)
        pair.insert("c", [{"_key": "before"}])
        pair.drain(plane)
        assert plane.late_markers().count == 0
        pair.insert("c", [{"_key": "after"}])
        wait_for(lambda: plane.late_markers().count == 1)
        assert plane.late_markers().samples[0].key == "after"
        pair.drain(plane)
        assert plane.late_markers().count == 0


def test_unknown_collections_are_named_until_explained(pair: Pair) -> None:
    with pair.plane() as plane:
        plane.start(pair.fresh())
        wait_for(lambda: all(server.read_tick for server in plane.progress().servers.values()))
        for database, cuid in plane.unknown_cuids():
            plane.ignore(database, cuid)
        pair.create("c")
        pair.insert("c", [{"_key": f"k{number}"} for number in range(100)])
        plans = pair.plans("c")
        wait_for(lambda: {("_system", plan.cuid) for plan in plans} <= plane.unknown_cuids())
        plane.register(plans)
        wait_in_sync(plane)
        pair.drain(plane)
        assert not {("_system", plan.cuid) for plan in plans} & plane.unknown_cuids()
        assert pair.differences("c") == []


def test_i3_a_purged_log_makes_shards_suspect_until_they_are_repaired(pair: Pair) -> None:
    pair.create("c")
    with pair.plane() as plane:
        plane.register(pair.plans("c"))
        plane.start(pair.fresh())
        wait_in_sync(plane)
        pair.insert("c", [{"_key": f"k{number}"} for number in range(50)])
        ticks = plane.restart_ticks()
    pair.insert("c", [{"_key": f"l{number}"} for number in range(50)])
    pair.remove("c", [f"k{number}" for number in range(20)])
    for server in pair.source.dbservers:
        pair.source.control.fault("purge_wal", server=server)
    with pair.plane() as plane:
        plane.register(pair.plans("c"), in_sync=True)
        plane.start(dict(ticks))
        leaders = {plan.leader for plan in pair.plans("c")}
        wait_for(lambda: leaders <= {change.server for change in plane.server_changed()})
        assert {change.kind for change in plane.server_changed()} == {"log-gap"}
        with writing(pair, "c", seed=3):
            wait_in_sync(plane)
        pair.drain(plane)
        plane.settle(Deadline(20.0))
        assert pair.differences("c") == []
        assert plane.progress().repaired > 0
        assert plane.progress().documents_copied == 0
        assert {(finding.code, finding.severity) for finding in pair.findings} == {
            ("CUT-DATA-5", "warning"),
            ("CUT-DATA-5", "info"),
        }
