# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A live migration, drawn by seed, whose agent is killed twice; it has to end with 0 differences."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.e2e.dataset import BIG, DOCUMENTS_OF_BIG
from tests.e2e.migration import Migration, in_sync

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

COPYING = r"(restore-data\?.*collection=|/_api/document/){}(&|\?|$)"
APPLYING = r"^/_db/shop/_api/document/(orders|counters|ledger|events|seats)"


def kill_while_half_copied(migration: Migration) -> list[int]:
    """SIGKILL between two batches of one shard; return counters of copies into collections that were in sync."""
    control = migration.clusters.target.control
    held = control.fault("delay", path_regex=COPYING.format(BIG), nth=2, count=1, seconds=6)["id"]
    migration.agent.call("POST", "/v1/migration", migration.request(early_readers=migration.draw.random() < 0.5))
    migration.await_fault("target", held)
    time.sleep(3)  # everything else gets in sync, and that is journaled
    done = [shard for shard in migration.agent.shards() if shard["database"] == "stock"]
    migration.agent.kill()
    there = len(control.documents("stock", BIG))
    assert 0 < there < DOCUMENTS_OF_BIG, f"{there} documents of {BIG} are on the target: not half copied"
    names = {shard["collection"] for shard in done}
    ready = {name for name in names if all(s["state"] == "in-sync" for s in done if s["collection"] == name)}
    assert ready, "nothing was in sync at the first kill"
    assert BIG not in ready
    return [
        control.fault("delay", path_regex=COPYING.format(name), count=10**6, seconds=0)["id"] for name in sorted(ready)
    ]


def kill_with_unacknowledged_writes(migration: Migration) -> None:
    """SIGKILL while the target sits on writes that it has not answered; it carries them out afterwards."""
    control = migration.clusters.target.control
    held = control.fault("delay", path_regex=APPLYING, count=2, seconds=2)["id"]
    lost = control.fault("lost_answer", path_regex=APPLYING, count=1, run="late")["id"]
    migration.await_fault("target", held, acted=2)
    begun = time.monotonic()
    migration.agent.kill()
    assert time.monotonic() - begun < 2, "the held requests were answered before the agent was dead"
    assert migration.acted("target", held) == 2
    migration.acted("target", lost)


def test_i3_i4_killed_twice_and_no_difference(seed: str, tmp_path: Path, archive: Path) -> None:
    """I3, I4, I6, I7: killed half-way through a shard, and with writes unacknowledged."""
    with Migration(tmp_path, archive, seed) as migration:
        migration.fill()
        workload = migration.begin_writing(speed=0.5)
        migration.agent.start()
        copies = kill_while_half_copied(migration)
        migration.agent.start()
        workload.define()
        workload.truncate()
        migration.wait_in_sync()
        kill_with_unacknowledged_writes(migration)
        migration.agent.start()
        migration.wait_in_sync()
        assert [migration.acted("target", counter) for counter in copies] == [0] * len(copies)
        workload.truncate()
        migration.cut_over()
        time.sleep(1.5)
        assert workload.figures()["writes"]["target"] > 0, "nobody writes to the opened target"
        migration.agent.wait("late indexes", lambda status: not status["late_indexes"]["pending"], 30)
        assert migration.differences() == []


def test_i5_altered_under_an_unchanged_revision_is_caught(tmp_path: Path, archive: Path) -> None:
    """I5, I6: a body that differs under the same `_rev` keeps the target closed, and the source is writable again."""
    with Migration(tmp_path, archive, "altered") as migration:
        migration.fill()
        migration.agent.start()
        migration.agent.call("POST", "/v1/migration", migration.request(repair=False))
        migration.wait_in_sync()
        migration.agent.wait("ready", lambda status: bool(status["cutover"]["ready"]), 60)
        body = {"group": 999999}
        migration.clusters.target.control.fault(
            "alter_document", database="stock", collection="parts", key="p1", body=body
        )
        migration.agent.call("POST", "/v1/migration/stop", {"wait_timeout": 60})
        status = migration.agent.wait(
            "the way back", lambda status: in_sync(status) and bool(status["cutover"]["last_attempt"]), 90
        )
        assert status["cutover"]["last_attempt"]["result"] != "completed"
        assert set(migration.agent.call("GET", "/v1/source/server-mode")["servers"].values()) == {"default"}
        source = migration.clusters.connect("source").database("stock").collection("parts")
        assert source.update({"_key": "p2", "group": 1})["_key"] == "p2"
