# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Cutovers that must not open: the source comes back as it was, the reason is shown, and the next try succeeds."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import fence
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import inventory as inv
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.cutover_world import LiveWorld
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.definitions import problems
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.engine import Engine
from tests.integration.engine_case import (
    SOURCE_USERS,
    Fill,
    all_differences,
    as_user,
    finished,
    make_engine,
    ready,
    request_of,
    source_root,
    wait_status,
)
from tests.integration.pair import Pair, wait_for


@pytest.fixture
def engine(pair: Pair) -> Iterator[Engine]:
    """An engine whose migration is in sync."""
    fill = Fill(pair)
    fill.definitions()
    fill.documents(60)
    made = make_engine(pair)
    try:
        made.start(request_of(pair, repair=False))
        wait_status(made, ready)
        yield made
    finally:
        made.close(20.0)


def _rolled_back(status: dict[str, object], number: int = 1) -> bool:
    cutover = status["cutover"]
    assert isinstance(cutover, dict)
    return status["state"] == "running" and (cutover["last_attempt"] or {}).get("number") == number


def test_i5_a_document_altered_on_the_target_under_its_revision_is_caught(pair: Pair, engine: Engine) -> None:
    """Counts and revisions are equal: only data in the checksum, or the body, tells."""
    before = pair.target.control.documents("shop", "things")["t5"]
    pair.target.control.fault(
        "alter_document", database="shop", collection="things", key="t5", body={"n": 5, "text": "Thing S"}
    )
    engine.stop({})
    status = wait_status(engine, _rolled_back)
    attempt = status["cutover"]["last_attempt"]
    assert attempt["result"] == "rolled-back"
    assert attempt["code"] == "CUT-PROOF-1"
    assert "things" in attempt["reason"]
    assert engine.server_mode()["mode"] == "default"
    root = source_root(pair)
    root.json("POST", "/_api/document/things", database="shop", body={"_key": "still-open"})
    app = as_user(pair.target, "app", SOURCE_USERS["app"])
    assert app.request("GET", "/_api/document/things/t1", database="shop", raise_for=False).status == 401
    pair.insert("things", [{"_key": "t5", "n": 5, "text": "Thing 5 again"}], "shop")
    engine.stop({"wait_timeout": 10.0})
    wait_status(engine, finished)
    assert before != pair.target.control.documents("shop", "things")["t5"]
    assert all_differences(pair) == {}


def test_i5_a_fence_that_somebody_lifts_after_the_proof_prevents_the_opening(
    pair: Pair, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written then is on the source only; the next cutover brings it along."""
    late_writes = LiveWorld.late_writes

    def lifted(live: LiveWorld, deadline: Deadline) -> int:
        found = late_writes(live, deadline)
        monkeypatch.undo()
        root = source_root(pair)
        root.json("PUT", "/_admin/server/mode", body={"mode": "default"})
        wait_for(lambda: engine.server_mode()["mode"] == "default")
        root.json("POST", "/_api/document/things", database="shop", body={"_key": "unproved"})
        return found

    monkeypatch.setattr(LiveWorld, "late_writes", lifted)
    engine.stop({})
    attempt = wait_status(engine, _rolled_back)["cutover"]["last_attempt"]
    assert (attempt["result"], attempt["code"]) == ("rolled-back", "CUT-FENCE-5")
    app = as_user(pair.target, "app", SOURCE_USERS["app"])
    assert app.request("GET", "/_api/document/things/t1", database="shop", raise_for=False).status == 401
    engine.stop({"wait_timeout": 20.0})
    wait_status(engine, finished)
    assert "unproved" in pair.target.control.documents("shop", "things")
    assert all_differences(pair) == {}


DEFINED_BEHIND_THE_FENCE: dict[str, tuple[str, str, dict[str, object], dict[str, object]]] = {
    "view shop/search": (
        "PATCH", "/_api/view/search/properties", {}, {"links": {"orders": {"includeAllFields": True}}},
    ),
    "analyzer shop/late": ("POST", "/_api/analyzer", {}, {"name": "late", "type": "identity", "properties": {}}),
    "collection shop/things": (
        "PUT", "/_api/collection/things/properties", {}, {"schema": {"rule": {"type": "object"}, "level": "none"}},
    ),
    "collection shop/orders": (
        "POST", "/_api/index", {"collection": "orders"}, {"type": "persistent", "fields": ["x"], "name": "by_x"},
    ),
    "collection shop/late": ("POST", "/_api/collection", {}, {"name": "late"}),
}  # fmt: skip


@pytest.mark.parametrize("what", DEFINED_BEHIND_THE_FENCE)
def test_i5_what_a_superuser_defines_after_the_proof_prevents_the_opening(
    pair: Pair, engine: Engine, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """He is not fenced. The next cutover brings it along."""
    late_writes = LiveWorld.late_writes

    def defined(live: LiveWorld, deadline: Deadline) -> int:
        found = late_writes(live, deadline)
        monkeypatch.undo()
        method, path, query, body = DEFINED_BEHIND_THE_FENCE[what]
        pair.clients.coordinators.json(method, path, database="shop", query=query, body=body)
        return found

    monkeypatch.setattr(LiveWorld, "late_writes", defined)
    engine.stop({})
    attempt = wait_status(engine, _rolled_back)["cutover"]["last_attempt"]
    assert (attempt["result"], attempt["code"]) == ("rolled-back", "CUT-CUTOVER-2")
    assert what in attempt["reason"]
    engine.stop({"wait_timeout": 20.0})
    wait_status(engine, finished)
    assert all_differences(pair) == {}
    shown = inv.read(pair.clients.coordinators), inv.read(pair.clients.target)
    assert problems(*shown, (3, 12)) == []


def test_i6_max_downtime_is_kept(pair: Pair, engine: Engine) -> None:
    """A cutover that turns out too slow gives the source back; one that is known to be is not even tried."""
    with pytest.raises(CutoverError) as refused:
        engine.stop({"max_downtime": 0.2})
    assert [item["code"] for item in refused.value.details["blockers"]] == ["CUT-GATE-8"]
    pair.target.control.fault("delay", path_regex="/_db/shop/_api/document/", seconds=4.0, count=1000)
    engine.stop({"max_downtime": 3.0})
    status = wait_status(engine, lambda status: _rolled_back(status, 2), 60.0)
    assert status["cutover"]["last_attempt"]["result"] == "rolled-back"
    assert engine.server_mode()["mode"] == "default"
    pair.target.control.fault("delay", path_regex="/checksum", seconds=4.0, count=1000)
    engine.stop({"max_downtime": 3.0})
    status = wait_status(engine, lambda status: _rolled_back(status, 3), 60.0)
    assert status["cutover"]["last_attempt"]["result"] == "refused"


def test_i6_a_request_to_fence_that_runs_after_the_way_back_is_undone(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A coordinator is slow; another one puts up the fence, which is lifted again before the first one gets there."""
    Fill(pair).definitions()
    monkeypatch.setattr(fence, "_PUT_TIMEOUT", 1.0)
    engine = make_engine(pair)
    try:
        engine.start(request_of(pair, settle_after=300.0))
        wait_status(engine, ready)
        pair.source.control.fault("delay", method="PUT", path_regex="/_admin/server/mode", seconds=15.0)
        engine.rehearse({"fence_seconds": 10.0})
        wait_status(engine, lambda status: status["state"] == "running" and _rehearsed(engine))
        assert engine.server_mode()["mode"] == "default"
        wait_for(lambda: "given back once more" in caplog.text)
        wait_for(lambda: engine.server_mode()["mode"] == "default")
        source_root(pair).json("POST", "/_api/document/things", database="shop", body={"_key": "still-open"})
    finally:
        engine.close(20.0)


def _rehearsed(engine: Engine) -> bool:
    rehearsal = (engine.report() or {}).get("rehearsal") or {}
    return rehearsal.get("result") == "rehearsed" and rehearsal.get("fenced_seconds") is not None


def test_i6_abort_leaves_the_source_as_found(pair: Pair, engine: Engine) -> None:
    """And the target's users inactive; a later start knows what this one left."""
    assert engine.abort({}) is True
    wait_status(engine, lambda status: status["state"] == "aborted")
    assert engine.abort({}) is False
    assert engine.server_mode()["mode"] == "default"
    app = as_user(pair.target, "app", SOURCE_USERS["app"])
    assert app.request("GET", "/_api/document/things/t1", database="shop", raise_for=False).status == 401
    with pytest.raises(CutoverError) as refused:
        engine.stop({})
    assert refused.value.code == "CUT-STATE-1"
    pair.clients.coordinators.json("DELETE", "/_api/collection/by_region", database="shop")
    assert engine.start(request_of(pair, late_write_watch=1.0)) is True
    wait_status(engine, ready)
    engine.stop({"wait_timeout": 10.0})
    wait_status(engine, finished)
    assert all_differences(pair) == {}


def _on_target(pair: Pair) -> dict[str, list[str]]:
    """Databases, users, and collections and views of ``_system`` that do not come with a deployment."""
    target = pair.clients.target
    names = [item["name"] for item in target.json("GET", "/_api/collection", database="_system")["result"]]
    return {
        "databases": sorted(target.json("GET", "/_api/database", database="_system")["result"]),
        "users": sorted(item["user"] for item in target.json("GET", "/_api/user", database="_system")["result"]),
        "collections": sorted(name for name in names if not name.startswith("_")),
        "views": [item["name"] for item in target.json("GET", "/_api/view", database="_system")["result"]],
    }


EMPTY = {"databases": ["_system"], "users": ["root"], "collections": [], "views": []}


def test_an_abort_with_a_clean_up_leaves_nothing(pair: Pair, engine: Engine) -> None:
    """The agent ends in its middle and carries on; the source is as it was, and a later start begins from nothing."""
    post = pair.clients.coordinators.json
    post("POST", "/_api/collection", database="_system", body={"name": "plain", "replicationFactor": 2})
    view = {"name": "plain_view", "type": "arangosearch", "links": {"plain": {"includeAllFields": True}}}
    post("POST", "/_api/view", database="_system", body=view)
    wait_for(lambda: _on_target(pair)["views"] == ["plain_view"])
    pair.target.control.fault("delay", path_regex="/_api/database/shop", seconds=0.7, count=1)
    assert engine.abort({"cleanup": True}) is True
    assert engine.abort({"cleanup": True}) is False
    wait_for(lambda: _on_target(pair)["users"] == ["root"])
    engine.close(20.0)
    again = make_engine(pair)
    try:
        again.recover()
        status = wait_status(again, lambda status: status["state"] == "aborted")
        assert "cleanup" not in status["allowed_actions"]
        assert status["problems"] == []
        assert _on_target(pair) == EMPTY
        assert again.abort({"cleanup": True}) is False
        assert again.server_mode()["mode"] == "default"
        assert again.start(request_of(pair, late_write_watch=1.0)) is True
        wait_status(again, ready)
        again.stop({"wait_timeout": 10.0})
        wait_status(again, finished)
        assert all_differences(pair) == {}
        with pytest.raises(CutoverError):
            again.abort({"cleanup": True})
        assert _on_target(pair) != EMPTY
    finally:
        again.close(20.0)


def test_a_clean_up_can_be_asked_for_after_the_abort(pair: Pair, engine: Engine) -> None:
    """What was left is told until then."""
    assert engine.abort({}) is True
    status = wait_status(engine, lambda status: status["state"] == "aborted")
    assert [item["code"] for item in status["problems"]] == ["CUT-CLEANUP-2"]
    assert "cleanup" in status["allowed_actions"]
    pair.clients.target.json("POST", "/_api/collection", database="shop", body={"name": "foreign"})
    assert engine.abort({"cleanup": True}) is True
    status = wait_status(engine, lambda status: status["state"] == "aborted")
    assert [item["code"] for item in status["problems"]] == ["CUT-CLEANUP-1"]
    assert _on_target(pair) == {**EMPTY, "databases": ["_system", "shop"]}
    names = pair.clients.target.json("GET", "/_api/collection", database="shop")["result"]
    assert [item["name"] for item in names if not item["name"].startswith("_")] == ["foreign"]


def test_i6_abort_in_the_middle_of_a_cutover(pair: Pair, engine: Engine) -> None:
    """The cutover takes the way back first."""
    pair.target.control.fault("delay", path_regex="checksum", seconds=1.0, count=1000)
    engine.stop({})
    wait_status(engine, lambda status: status["cutover"]["step"] in ("drain", "proof"))
    assert engine.abort({}) is True
    wait_status(engine, lambda status: status["state"] == "aborted")
    assert engine.server_mode()["mode"] == "default"


def test_i6_a_source_found_read_only_stays_read_only(pair: Pair, engine: Engine) -> None:
    """The way back restores what was found, not what is usual."""
    assert engine.set_server_mode("readonly") is True
    assert engine.set_server_mode("readonly") is False
    pair.target.control.fault(
        "alter_document", database="shop", collection="things", key="t5", body={"n": 5, "text": "Thing S"}
    )
    engine.stop({})
    wait_status(engine, _rolled_back)
    assert engine.server_mode()["mode"] == "readonly"
    assert engine.set_server_mode("default") is True
    assert engine.server_mode()["mode"] == "default"


def test_writers_that_run_on_through_the_fence_are_cancelled(pair: Pair, engine: Engine) -> None:
    """A long AQL write goes on by intermediate commits in spite of the mode (facts §2.3)."""
    query = "FOR i IN 1..2000 LET x = SLEEP(0.02) INSERT {n: i, long: true} INTO things"
    body = {"query": query, "options": {"intermediateCommitCount": 5}}
    root = source_root(pair)
    writer = threading.Thread(
        target=lambda: root.request("POST", "/_api/cursor", database="shop", body=body, raise_for=False, timeout=60)
    )
    writer.start()
    wait_for(lambda: len(pair.source.control.documents("shop", "things")) > 70)
    engine.stop({"wait_timeout": 10.0})
    wait_status(engine, finished, 60.0)
    writer.join(30.0)
    assert not writer.is_alive()
    assert all_differences(pair) == {}
    report = engine.report()
    assert report is not None
    assert report["source"]["writers_cancelled"] >= 1


def test_the_gate_tells_every_blocker_at_once(pair: Pair, engine: Engine) -> None:
    """Paused, and expected to last longer than allowed."""
    engine.pause({"reason": "lunch"})
    assert engine.status()["pause"]["reason"] == "lunch"
    with pytest.raises(CutoverError) as refused:
        engine.stop({"max_downtime": 0.2})
    blockers = refused.value.details["blockers"]
    assert {"CUT-GATE-9", "CUT-GATE-8"} <= {item["code"] for item in blockers}
    assert all(item["remedy"] for item in blockers)
    assert engine.server_mode()["mode"] == "default"
    assert engine.resume({}) is True
    assert engine.resume({}) is False
    engine.stop({"wait_timeout": 10.0})
    wait_status(engine, finished)


def test_a_cutover_waits_for_blockers_that_pass(pair: Pair, engine: Engine) -> None:
    """Asked for while paused: refused at once without waiting, made by itself once it may be."""
    engine.pause({"reason": "lunch"})
    with pytest.raises(CutoverError):
        engine.stop({})
    assert engine.stop({"wait_timeout": 120.0}) is True
    assert engine.stop({"wait_timeout": 120.0}) is False
    assert engine.status()["state"] == "running"
    engine.resume({})
    wait_status(engine, finished, 90.0)
    assert all_differences(pair) == {}
