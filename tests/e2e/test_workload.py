# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The workload's record: true of a cluster that keeps what it acknowledges, also under faults; a lost write shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.compare.definitions import check_recorded, definitions
from tests.compare.documents import compare_documents
from tests.compare.side import Difference
from tests.demo.clusters import Clusters
from tests.e2e.dataset import ADMINISTRATOR, WRITER
from tests.workload.process import Workload, WorkloadConfig
from tests.workload.shop import SHOP

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

OPTIONS = {"time_scale": 0.2, "truncate_threshold": 300, "intermediate_commit_count": 50}
WRITING = r"/_api/(document|collection|index|user|database|view|gharial|analyzer|transaction)"


def work(clusters: Clusters, seed: str, until: Callable[[Workload], bool]) -> Workload:
    """Let everybody write to the source until enough has happened."""
    config = WorkloadConfig(
        source=clusters.endpoint("source", WRITER.name, WRITER.password),
        target=clusters.endpoint("target", WRITER.name, WRITER.password),
        watch=clusters.endpoint("target"), seed=seed, heap_size=400, speed=2.0,
        administrator=clusters.endpoint("source", ADMINISTRATOR.name, ADMINISTRATOR.password),
    )
    workload = Workload(config)
    workload.start()
    deadline = time.monotonic() + 60
    try:
        workload.truncate()
        while not until(workload) and time.monotonic() < deadline:
            time.sleep(0.1)
    finally:
        workload.stop()
    assert until(workload), workload.figures()
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
def quiet(clusters: Clusters) -> Workload:
    """A workload that nothing disturbed."""

    def enough(workload: Workload) -> bool:
        return workload.figures()["writes"]["source"] > 3000 and workload.record.changes > 90

    return work(clusters, "quiet", enough)


def test_nothing_is_lost_when_nothing_fails(clusters: Clusters, quiet: Workload) -> None:
    figures = quiet.figures()
    assert figures["errors"] == []
    assert [str(difference) for difference in lost(clusters, quiet)] == []
    assert figures["range_deletes"] > 0
    kinds = {thing[0] for thing, fields in quiet.record.definitions.items() if fields is not None}
    assert {"database", "collection", "user", "grant"} <= kinds


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
