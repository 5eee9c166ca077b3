# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The workload's record: true of a cluster that keeps what it acknowledges, also under faults; a lost write shows."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.compare.definitions import check_recorded, definitions
from tests.compare.documents import compare_documents
from tests.compare.side import Difference
from tests.demo.clusters import Clusters
from tests.e2e.dataset import ADMINISTRATOR, WRITER
from tests.e2e.seen import REMOVE, REQUESTS, TRUNCATE, WRITE, Frame, Logs, cycles, hand_overs, keep_logs, made, requests
from tests.workload.process import Workload, WorkloadConfig
from tests.workload.shop import SHOP

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

OPTIONS = {"time_scale": 0.2, "truncate_threshold": 300, "intermediate_commit_count": 50}
WRITING = r"/_api/(document|collection|index|user|database|view|gharial|analyzer|transaction)"


def work(clusters: Clusters, seed: str, until: Callable[[Workload], bool], seconds: float = 60) -> Workload:
    """Let everybody write to the source until enough has happened, at most so many seconds."""
    config = WorkloadConfig(
        source=clusters.endpoint("source", WRITER.name, WRITER.password),
        target=clusters.endpoint("target", WRITER.name, WRITER.password),
        watch=clusters.endpoint("target"), seed=seed, heap_size=400, speed=2.0,
        administrator=clusters.endpoint("source", ADMINISTRATOR.name, ADMINISTRATOR.password),
    )
    workload = Workload(config)
    workload.start()
    deadline = time.monotonic() + seconds
    try:
        workload.truncate()
        while not until(workload) and time.monotonic() < deadline:
            time.sleep(0.1)
    finally:
        workload.stop()
    assert until(workload), (workload.figures(), requests(clusters.source))
    return workload


def lost(clusters: Clusters, workload: Workload) -> list[Difference]:
    """What the source acknowledged and has not."""
    source = clusters.side("source")
    found = list(check_recorded(definitions(source), workload.record.definitions, workload.record.doubtful))
    for (database, name), entries in workload.record.entries().items():
        if ("collection", database, name) in workload.record.doubtful:
            continue
        stored, _wrong = source.check_reading(database, name)
        found += compare_documents(f"{database}/{name}", stored, stored, entries)
    return found


@contextmanager
def started(directory: Path) -> Iterator[Clusters]:
    """A source, and a target that knows none of the users."""
    both = Clusters(directory, options=OPTIONS)
    try:
        both.fill((SHOP,), (WRITER, ADMINISTRATOR), ())
        yield both
    finally:
        both.stop()


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clusters]:
    """Clusters without any fault."""
    with started(tmp_path_factory.mktemp("workload")) as both:
        yield both


@pytest.fixture(scope="module")
def starts(clusters: Clusters) -> dict[str, int]:
    """The ticks from which on the source's servers keep their logs; requests are recorded from now on, too."""
    clusters.source.control.fault("record")
    return keep_logs(clusters.source)


@pytest.fixture(scope="module")
def quiet(clusters: Clusters, starts: dict[str, int]) -> Workload:
    """A workload that nothing disturbed; the seed is one with which all kinds of changes come early."""
    assert starts

    def enough(workload: Workload) -> bool:
        figures = workload.figures()
        many = figures["writes"]["source"] > 3000 and workload.record.changes > 90 and figures["range_deletes"] > 0
        return many and set(requests(clusters.source)) == set(REQUESTS)

    return work(clusters, "quiet27", enough, 180)


@pytest.fixture(scope="module")
def logs(clusters: Clusters, quiet: Workload, starts: dict[str, int]) -> Logs:
    """What the source's servers logged while it worked."""
    assert quiet.record.changes
    return Logs(clusters.source, starts)


def test_nothing_is_lost_when_nothing_fails(clusters: Clusters, quiet: Workload) -> None:
    figures = quiet.figures()
    assert figures["errors"] == []
    assert [str(difference) for difference in lost(clusters, quiet)] == []


def test_definitions_of_every_kind_are_made_changed_and_dropped(clusters: Clusters, quiet: Workload) -> None:
    seen = requests(clusters.source)
    assert set(seen) == set(REQUESTS), seen
    kept = {thing[0] for thing, fields in quiet.record.definitions.items() if fields is not None}
    assert {"database", "collection", "user"} <= kept
    assert {"persistent", "ttl", "geo", "inverted", "zkd"} <= made(clusters.source, "index made", "type")
    assert made(clusters.source, "view made", "type") == {"arangosearch", "search-alias"}
    assert made(clusters.source, "collection made", "type") == {2, 3}
    assert len(made(clusters.source, "analyzer made", "type")) > 1


def kinds_of(frames: list[Frame]) -> Counter[int]:
    """How many markers there are of each type."""
    return Counter(marker["type"] for frame in frames for marker in frame)


def test_truncates_of_both_kinds(logs: Logs) -> None:
    """A range delete is one marker; a small collection is emptied by a frame of removals (facts §5.5)."""
    assert logs.complete
    [heap] = logs.frames(SHOP.name, "heap")
    assert kinds_of(heap)[TRUNCATE] > 0
    basket = [frame for shard in logs.frames(SHOP.name, "basket") for frame in shard]
    assert TRUNCATE not in kinds_of(basket)
    assert any(len(frame) > 20 and set(kinds_of([frame])) == {REMOVE} for frame in basket)


def test_hot_keys_are_written_again_and_again(logs: Logs) -> None:
    written = Counter(
        marker["data"]["_key"]
        for shard in logs.frames(SHOP.name, "counters") for frame in shard for marker in frame
        if marker["type"] == WRITE
    )
    assert len(written) <= 12
    assert max(written.values()) > 20


def test_unique_values_go_round_in_cycles(logs: Logs) -> None:
    """Swaps of two, longer cycles in one transaction, and cycles by way of a document that is removed meanwhile."""
    [accounts] = logs.frames(SHOP.name, "accounts")
    lengths = cycles(accounts, "email")
    assert max(lengths, default=0) > 2, lengths
    assert hand_overs(accounts, "email") > 0


def test_a_large_transaction_is_split_into_frames(logs: Logs) -> None:
    """Intermediate commits: frames of one transaction, each of its own (facts §5.5)."""
    for shard in logs.frames(SHOP.name, "frames"):
        by_transaction = Counter(frame[0]["tid"] for frame in shard if frame[0]["tid"] != "0")
        assert max(by_transaction.values()) > 1


def acknowledged(workload: Workload, collection: str) -> str:
    """A key whose last acknowledged state is a document."""
    entries = workload.record.entries()[(SHOP.name, collection)]
    return next(key for key, entry in sorted(entries.items()) if entry.acknowledged.get("source") and not entry.unknown)


@pytest.mark.parametrize(
    ("fault", "collection"),
    [("drop_document", "ledger"), ("drop_document", "counters"), ("alter_document", "accounts")],
)
def test_a_lost_acknowledged_write_shows(clusters: Clusters, quiet: Workload, fault: str, collection: str) -> None:
    key = acknowledged(quiet, collection)
    clusters.source.control.fault(fault, database=SHOP.name, collection=collection, key=key, body={"n": -1})
    found = [(one.kind, one.where) for one in lost(clusters, quiet)]
    assert ("lost before the fence", f"{SHOP.name}/{collection}/{key}") in found


def test_a_lost_definition_shows(clusters: Clusters, quiet: Workload) -> None:
    name = next(thing[1] for thing, fields in quiet.record.definitions.items() if thing[0] == "user" and fields)
    clusters.connect("source").database().delete_user(name)
    assert ("lost definition", f"user/{name}") in [(one.kind, one.where) for one in lost(clusters, quiet)]


def test_faults_are_no_loss(tmp_path: Path) -> None:
    """Lost answers, requests carried out late, errors that tell nothing: the record is right about all of it."""
    with started(tmp_path) as clusters:
        disturb(clusters)


def disturb(clusters: Clusters) -> None:
    control = clusters.source.control
    for number, run in enumerate(("late", "now", "never")):
        control.fault("lost_answer", path_regex=WRITING, probability=0.006, seed=number, run=run)
    control.fault("status", preset="cluster-timeout", path_regex=WRITING, probability=0.006, run="late")
    control.fault("status", preset="queue-full", path_regex=WRITING, probability=0.02)

    def enough(workload: Workload) -> bool:
        figures = workload.figures()
        return figures["writes"]["source"] > 3000 and figures["unknown"] > 20 and bool(workload.record.doubtful)

    workload = work(clusters, "faults", enough)
    control.clear()
    time.sleep(OPTIONS["time_scale"] * 3)  # what is carried out late is done
    assert workload.figures()["errors"] == []
    assert [str(difference) for difference in lost(clusters, workload)] == []
