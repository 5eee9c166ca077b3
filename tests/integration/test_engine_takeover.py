# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Another host goes on with nothing but the target's journal (design §4.8)."""

from __future__ import annotations

import shutil

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.cutover_world import LiveWorld
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
from tests.integration.topology_case import busiest, cut_over


def _first(pair: Pair) -> Engine:
    """An agent that has brought everything in sync."""
    fill = Fill(pair)
    fill.definitions()
    fill.documents(60)
    engine = make_engine(pair, hostname="first.example")
    engine.start(request_of(pair))
    wait_status(engine, ready)
    return engine


def _lose(pair: Pair, engine: Engine) -> None:
    """The first host is gone with its disk; its lease lies in the journal."""
    engine.close(20.0)
    shutil.rmtree(pair.directory / "engine")


def _second(pair: Pair) -> Engine:
    return make_engine(pair, pair.directory / "second", hostname="second.example")


def _lease(pair: Pair) -> dict[str, object]:
    lease: dict[str, object] = pair.clients.target.json("GET", "/_api/document/_cutover/lease", database="_system")
    return lease


def test_i1_another_host_takes_over_and_settles_what_the_first_one_left_open(pair: Pair) -> None:
    """Nothing in sync is copied again; whatever late requests of the lost host did is found and repaired."""
    engine = _first(pair)
    pair.insert("things", [{"_key": "t7", "n": -7}], "shop")
    wait_for(lambda: not pair.differences("things", "shop"))
    _lose(pair, engine)
    pair.insert("things", [{"_key": f"down-{number}", "n": number} for number in range(50)], "shop")
    pair.remove("orders", [f"o{number}" for number in range(10)], "shop")
    pair.insert("things", [{"_key": "t1", "n": -1}], "shop")
    second = _second(pair)
    try:
        assert second.start(request_of(pair)) is True
        # What requests of the first host may do that run only now: an old state, a remove, a document that is gone.
        fault = pair.target.control.fault
        fault("revert_document", database="shop", collection="things", key="t7")
        fault("drop_document", database="shop", collection="things", key="t8")
        fault("add_document", database="shop", collection="links", key="zombie", body={"_from": "a/1", "_to": "a/2"})
        status = wait_status(second, ready, 90.0)
        assert status["progress"]["documents_copied"] == 0
        assert status["workers"][0]["host"] == "second.example"
        assert _lease(pair)["epoch"] == 2
        second.stop({"wait_timeout": 20.0})
        wait_status(second, finished)
        assert all_differences(pair) == {}
    finally:
        second.close(20.0)


def test_another_host_takes_over_while_a_server_is_away(pair: Pair) -> None:
    """What killed the first host may have killed the server, too; a migration that begins is refused then."""
    engine = _first(pair)
    _lose(pair, engine)
    server = busiest(pair)
    pair.source.control.fault("kill_server", server=server)
    second = _second(pair)
    try:
        assert second.start(request_of(pair)) is True
        pair.source.control.fault("restart_server", server=server)
        pair.insert("things", [{"_key": "t1", "n": -1}], "shop")
        status = wait_status(second, ready, 90.0)
        assert status["progress"]["documents_copied"] == 0
        cut_over(second, pair)
    finally:
        second.close(20.0)


def test_i7_other_settings_are_refused_naming_them_and_the_holder_keeps_its_lease(pair: Pair) -> None:
    """Before anything is waited for."""
    engine = _first(pair)
    second = _second(pair)
    try:
        with pytest.raises(CutoverError) as refused:
            second.start(request_of(pair, max_lag=17.0))
        assert refused.value.code == "CUT-STATE-7"
        assert refused.value.details["fields"] == ["max_lag"]
        assert "max_lag" in str(refused.value)
        assert _lease(pair)["host"] == "first.example"
        assert engine.status()["state"] == "running"
    finally:
        engine.close(20.0)
        second.close(20.0)


class Lost(BaseException):
    """The host is gone: no handler of the engine catches this."""


def _lost_at(pair: Pair, monkeypatch: pytest.MonkeyPatch, name: str) -> Engine:
    """The first agent dies in a step of its cutover, and another host starts."""
    engine = _first(pair)

    def dying(_world: LiveWorld, *_arguments: object) -> None:
        raise Lost

    monkeypatch.setattr(LiveWorld, name, dying)
    monkeypatch.setattr("threading.excepthook", lambda _arguments: None)
    engine.stop({"wait_timeout": 20.0, "max_downtime": 5.0})
    wait_status(engine, lambda status: status["state"] == "stopping")
    migration = engine._migration
    assert migration is not None
    assert migration._thread is not None
    migration._thread.join(30.0)
    monkeypatch.undo()
    _lose(pair, engine)
    second = _second(pair)
    second.start(request_of(pair))
    return second


def test_i6_another_host_gives_a_fenced_source_back(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """The former mode is in the record; the next cutover succeeds when the lost host cannot meet it any more."""
    engine = _lost_at(pair, monkeypatch, "prove")
    try:
        wait_status(engine, lambda status: status["cutover"]["last_attempt"] is not None)
        assert engine.server_mode()["mode"] == "default"
        source_root(pair).json("POST", "/_api/document/things", database="shop", body={"_key": "still-open"})
        wait_status(engine, lambda status: "CUT-GATE-12" in {item["code"] for item in status["cutover"]["blockers"]})
        wait_status(engine, ready, 150.0)
        engine.stop({"wait_timeout": 20.0})
        wait_status(engine, finished)
        assert all_differences(pair) == {}
    finally:
        engine.close(20.0)


def test_i7_another_host_finishes_an_opening(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the decision on it only goes forward, whoever does it."""
    engine = _lost_at(pair, monkeypatch, "open_users")
    try:
        wait_status(engine, finished, 90.0)
        assert engine.server_mode()["mode"] == "readonly"
        app = as_user(pair.target, "app", SOURCE_USERS["app"])
        assert app.json("GET", "/_api/document/things/t1", database="shop")["_key"] == "t1"
        with pytest.raises(CutoverError) as refused:
            engine.start(request_of(pair))
        assert refused.value.code == "CUT-STATE-3"
    finally:
        engine.close(20.0)
