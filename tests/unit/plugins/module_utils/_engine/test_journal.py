# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Compare-and-set over HTTP: lost answers are settled by the write's own id, late requests by the revision."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError, TransportError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import cutover
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.decision import Decision
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.journal import (
    Journal,
    JournalConflictError,
    Record,
)
from tests.unit.control_fakes import FakeWorld, unreachable
from tests.unit.front_fake import FakeFront, refusal


class Target(FakeFront):
    """A deployment with one journal; ``lose`` says which of the next writes' answers get lost, and when they run."""

    def __init__(self) -> None:
        super().__init__()
        self.documents: dict[str, dict[str, Any]] = {}
        self.collections: dict[str, dict[str, Any]] = {}
        self.refused: set[str] = set()
        self.lose: list[str] = []
        self.late: list[Callable[[], Any]] = []
        self._serial = 0
        self.on("GET _system /_api/collection/(.+)", self._collection)
        self.on("POST _system /_api/collection", self._create_collection)
        self.on("GET _system /_api/document/_cutover/(.+)", self._get)
        self.on("POST _system /_api/document/_cutover", self._post)
        self.on("PUT _system /_api/document/_cutover/(.+)", self._put)

    def _collection(self, name: str, **_options: Any) -> dict[str, Any]:
        if name not in self.collections:
            raise refusal(404, 1203)
        return self.collections[name]

    def _create_collection(self, body: dict[str, Any], **_options: Any) -> dict[str, Any]:
        if body["name"] in self.refused:
            raise refusal(403, 11)
        self.collections[body["name"]] = body
        return body

    def _get(self, key: str, **_options: Any) -> dict[str, Any]:
        if key not in self.documents:
            raise refusal(404, 1202)
        return self.documents[key]

    def _store(self, key: str, body: dict[str, Any]) -> dict[str, Any]:
        self._serial += 1
        self.documents[key] = {**body, "_key": key, "_rev": f"_{self._serial}"}
        return {"_key": key, "_rev": f"_{self._serial}"}

    def _post(self, body: dict[str, Any], **_options: Any) -> dict[str, Any]:
        def run() -> dict[str, Any]:
            if body["_key"] in self.documents:
                raise refusal(409, 1210)
            return self._store(body["_key"], body)

        return self._send(run)

    def _put(self, key: str, body: dict[str, Any], headers: dict[str, str], **_options: Any) -> dict[str, Any]:
        def run() -> dict[str, Any]:
            if key not in self.documents:
                raise refusal(404, 1202)
            if f'"{self.documents[key]["_rev"]}"' != headers["If-Match"]:
                raise refusal(412, 1200)
            return self._store(key, body)

        return self._send(run)

    def _send(self, run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        lost = self.lose.pop(0) if self.lose else ""
        if lost == "now":
            run()
        elif lost == "late":
            self.late.append(run)
        if lost:
            raise unreachable()
        return run()


@pytest.fixture
def target() -> Target:
    """With a journal."""
    made = Target()
    made.collections["_cutover"] = {"name": "_cutover"}
    return made


def test_made_on_two_servers_where_there_are_two() -> None:
    """With a name that a target may forbid."""
    for servers, copies in ((1, 1), (3, 2)):
        target = Target()
        assert Journal.find(target) is None
        assert target.lines("POST") == []
        assert Journal.ensure(target, servers).collection == "_cutover"
        made = target.collections["_cutover"]
        assert (made["replicationFactor"], made["writeConcern"], made["isSystem"]) == (copies, copies, True)
        assert Journal.ensure(target, servers).collection == "_cutover"
        assert len(target.lines("POST")) == 1


def test_another_name_where_the_first_is_forbidden() -> None:
    """And a clear error where both are."""
    target = Target()
    target.refused = {"_cutover"}
    assert Journal.ensure(target, 2).collection == "cutover_journal"
    assert target.collections["cutover_journal"]["isSystem"] is False
    target = Target()
    target.refused = {"_cutover", "cutover_journal"}
    with pytest.raises(CutoverError) as refused:
        Journal.ensure(target, 2)
    assert refused.value.code == "CUT-JOURNAL-1"


def test_changes_need_the_revision_that_was_read(target: Target) -> None:
    """The loser learns what is there."""
    one, other = Journal(target, "_cutover"), Journal(target, "_cutover")
    first = one.create("decision", {"state": "none"})
    with pytest.raises(JournalConflictError) as lost:
        other.create("decision", {"state": "fencing"})
    assert lost.value.current is not None
    assert lost.value.current.body["state"] == "none"
    one.replace("decision", {"state": "fencing"}, first.rev)
    with pytest.raises(JournalConflictError) as lost:
        other.replace("decision", {"state": "rolling-back"}, first.rev)
    assert lost.value.current is not None
    assert lost.value.current.body["state"] == "fencing"


@pytest.mark.parametrize("lost", [["now"], ["never"], ["now", "now"], ["late"]])
def test_lost_answers_are_settled(target: Target, lost: list[str]) -> None:
    """The write counts once, whether it ran before its repetition or runs after it."""
    journal = Journal(target, "_cutover")
    entry = journal.create("lease", {"epoch": 1})
    target.lose = lost
    entry = journal.replace("lease", {"epoch": 2}, entry.rev)
    entry = journal.replace("lease", {"epoch": 3}, entry.rev)
    for run in target.late:
        with pytest.raises(CutoverError):
            run()
    found = journal.read("lease")
    assert found is not None
    assert (found.body["epoch"], found.rev) == (3, entry.rev)


def test_patience_ends() -> None:
    """The outcome is unknown then, and the caller is told so."""
    target = Target()
    target.lose = ["never"] * 1000
    with pytest.raises(TransportError):
        Journal(target, "_cutover", patience=0.3).create("lease", {})


def test_documents_of_a_newer_schema_are_refused(target: Target) -> None:
    """An old agent must not misread a new journal."""
    target.documents["migration"] = {"_key": "migration", "_rev": "_1", "schema": 99}
    with pytest.raises(CutoverError) as refused:
        Journal(target, "_cutover").read("migration")
    assert refused.value.code == "CUT-JOURNAL-3"


def test_a_record_remembers_its_revision(target: Target) -> None:
    """And finds out when somebody else has written it."""
    journal = Journal(target, "_cutover")
    record = Record(journal, "ticks")
    assert record.load() == {}
    record.save({"a": 1})
    record.update(b=2)
    assert {name: record.values[name] for name in ("a", "b")} == {"a": 1, "b": 2}
    other = Record(journal, "ticks")
    other.save({"a": 5})
    with pytest.raises(JournalConflictError):
        record.update(b=3)


def test_i7_what_a_former_owner_wrote_late_is_told_and_then_replaced(target: Target) -> None:
    """By what the holder of the lease knows, not mixed with it: otherwise it would wait for ever."""
    journal = Journal(target, "_cutover")
    record, late = Record(journal, "ticks"), Record(journal, "ticks")
    record.save({"a": 1, "b": 1})
    late.save({"a": 7, "c": 7})
    with pytest.raises(JournalConflictError):
        record.update(b=2)
    record.update(b=2)
    assert {name: Record(journal, "ticks").load().get(name) for name in "abc"} == {"a": 1, "b": 2, "c": None}


def test_a_record_that_somebody_removed_is_made_again(target: Target) -> None:
    record = Record(Journal(target, "_cutover"), "ticks")
    record.save({"a": 1})
    del target.documents["ticks"]
    with pytest.raises(JournalConflictError):
        record.save({"a": 2})
    record.save({"a": 2})
    assert target.documents["ticks"]["a"] == 2


def dropped(target: Target) -> None:
    """Somebody has dropped the journal's collection, or a coordinator does not know it."""

    def gone(*_groups: str, **_options: Any) -> None:
        raise refusal(404, 1203)

    target.collections.clear()
    for route in ("GET _system /_api/document/_cutover/(.+)", "POST _system /_api/document/_cutover",
                  "PUT _system /_api/document/_cutover/(.+)"):  # fmt: skip
        target.on(route, gone)


def test_i7_a_journal_that_is_gone_is_not_a_journal_that_knows_of_nothing(target: Target) -> None:
    """Else a decided opening would be none."""
    journal = Journal(target, "_cutover", patience=0.0)
    entry = journal.create("decision", {"state": "opening"})
    dropped(target)
    calls: list[Callable[[], Any]] = [
        lambda: journal.read("decision"),
        lambda: journal.create("decision", {"state": "none"}),
        lambda: journal.replace("decision", {"state": "none"}, entry.rev),
    ]
    for call in calls:
        with pytest.raises(CutoverError) as failed:
            call()
        assert (failed.value.code, failed.value.retriable) == ("CUT-JOURNAL-4", True)


def test_i6_a_source_is_given_back_though_the_journal_is_gone(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutover, "_RECORD_PATIENCE", 0.0)
    world, stop = FakeWorld(), threading.Event()

    def after(name: str) -> None:
        if name == "cancel_writers":
            dropped(target)
        elif name == "set_mode default":
            stop.set()

    world.after = after
    watch = threading.Timer(10.0, stop.set)
    watch.start()
    decision = Decision(Journal(target, "_cutover", patience=0.0))
    with pytest.raises(cutover.StoppedError):
        cutover.Cutover(world, decision, stop).run(1, 60.0)
    watch.cancel()
    assert world.mode == "default"
