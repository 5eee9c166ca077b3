# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An agent that dies in the middle of a cutover, against real clusters: the restart decides by the journal."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

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
from tests.integration.pair import Pair


class Death(BaseException):
    """The process ends here: no handler of the engine catches this."""


@pytest.fixture
def silent_deaths(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Threads may die of it; tells when one has."""
    died = threading.Event()
    usual = threading.excepthook

    def hook(arguments: Any) -> None:
        if isinstance(arguments.exc_value, Death):
            died.set()
        else:
            usual(arguments)

    monkeypatch.setattr(threading, "excepthook", hook)
    yield died


def _die_at(monkeypatch: pytest.MonkeyPatch, name: str, *, after: bool) -> None:
    real = getattr(LiveWorld, name)

    def dying(self: LiveWorld, *arguments: Any) -> Any:
        if after:
            real(self, *arguments)
        raise Death

    monkeypatch.setattr(LiveWorld, name, dying)


def _in_sync(pair: Pair) -> Engine:
    fill = Fill(pair)
    fill.definitions()
    fill.documents(60)
    engine = make_engine(pair)
    engine.start(request_of(pair))
    wait_status(engine, ready)
    return engine


def _die_and_restart(pair: Pair, engine: Engine, died: threading.Event, monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine.stop({})
    assert died.wait(30.0)
    monkeypatch.undo()
    engine.close(20.0)
    again = make_engine(pair)
    again.recover()
    return again


@pytest.mark.parametrize(("name", "after"), [("set_mode", True), ("drain", False), ("prove", True)])
def test_i6_death_before_the_decision(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, silent_deaths: threading.Event, name: str, after: bool
) -> None:
    """The source is given back, the migration goes on, and the next cutover succeeds."""
    engine = _in_sync(pair)
    _die_at(monkeypatch, name, after=after)
    engine = _die_and_restart(pair, engine, silent_deaths, monkeypatch)
    try:
        status = wait_status(engine, ready)
        assert status["cutover"]["last_attempt"]["result"] == "rolled-back"
        assert engine.server_mode()["mode"] == "default"
        root = source_root(pair)
        root.json("POST", "/_api/document/things", database="shop", body={"_key": "still-open"})
        app = as_user(pair.target, "app", SOURCE_USERS["app"])
        assert app.request("GET", "/_api/document/things/t1", database="shop", raise_for=False).status == 401
        engine.stop({"wait_timeout": 10.0})
        wait_status(engine, finished)
        assert all_differences(pair) == {}
    finally:
        engine.close(20.0)


@pytest.mark.parametrize(("name", "after"), [("open_users", False), ("open_users", True), ("complete", False)])
def test_i7_death_after_the_decision(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, silent_deaths: threading.Event, name: str, after: bool
) -> None:
    """The restart only rolls forward: users are opened, late indexes are built, the source stays read-only."""
    engine = _in_sync(pair)
    _die_at(monkeypatch, name, after=after)
    engine = _die_and_restart(pair, engine, silent_deaths, monkeypatch)
    try:
        status = wait_status(engine, finished)
        assert status["cutover"]["last_attempt"]["result"] == "completed"
        assert engine.server_mode()["mode"] == "readonly"
        app = as_user(pair.target, "app", SOURCE_USERS["app"])
        assert app.json("POST", "/_api/document/links", database="shop", body={"_from": "a/1", "_to": "a/2"})["_key"]
        extra = all_differences(pair)
        indexes = pair.clients.target.json("GET", "/_api/index", database="shop", query={"collection": "orders"})
        assert "expiry" in {item["name"] for item in indexes["indexes"]}
        assert [len(extra.pop("links")), extra] == [1, {}]
    finally:
        engine.close(20.0)


def test_a_cutover_that_had_not_begun_is_told_as_ended(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, silent_deaths: threading.Event
) -> None:
    """Killed before the intent is recorded: it is not made behind anybody's back, and nobody waits for it in vain."""
    engine = _in_sync(pair)
    _die_at(monkeypatch, "note_fence", after=False)
    engine = _die_and_restart(pair, engine, silent_deaths, monkeypatch)
    try:
        status = wait_status(engine, ready)
        attempt = status["cutover"]["last_attempt"]
        assert (attempt["number"], attempt["result"], attempt["code"]) == (1, "refused", "CUT-STATE-8")
        assert engine.server_mode()["mode"] == "default"
        assert "CUT-GUARD-1" in {item["code"] for item in status["problems"]}
        engine.pause({})
        engine.stop({"wait_timeout": 600.0})
        engine.close(20.0)
        engine = make_engine(pair)
        engine.recover()
        told = wait_status(engine, lambda status: bool(status["cutover"]["last_attempt"]))
        attempt = told["cutover"]["last_attempt"]
        assert (attempt["number"], attempt["result"], attempt["code"]) == (2, "refused", "CUT-STATE-8")
        engine.resume({})
        wait_status(engine, ready)
        engine.stop({"wait_timeout": 10.0})
        assert wait_status(engine, finished)["cutover"]["last_attempt"]["number"] == 3
        assert all_differences(pair) == {}
    finally:
        engine.close(20.0)
