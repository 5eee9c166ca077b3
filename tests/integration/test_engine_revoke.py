# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""After the opening: late writes are told and not applied, and the opening can be revoked while nothing was written."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.engine import Engine
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.revoke_world import LiveRevocation
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
    """An engine whose migration was completed a moment ago; the watch for late writes is long."""
    fill = Fill(pair)
    fill.definitions()
    fill.documents(60)
    made = make_engine(pair)
    try:
        made.start(request_of(pair, late_write_watch=200.0))
        wait_status(made, ready)
        made.stop({"wait_timeout": 10.0})
        wait_status(made, lambda status: status["state"] == "completed")
        yield made
    finally:
        made.close(20.0)


def _aborted(status: dict[str, Any]) -> bool:
    return bool(status["state"] == "aborted")


def _refused(status: dict[str, Any]) -> bool:
    return bool(status["cutover"]["last_attempt"]["result"] == "revoke-refused")


def _target_is_closed(pair: Pair) -> bool:
    app = as_user(pair.target, "app", SOURCE_USERS["app"])
    return app.request("GET", "/_api/document/things/t1", database="shop", raise_for=False).status == 401


def test_i6_an_opening_is_revoked_by_name(pair: Pair, engine: Engine) -> None:
    """The source is given back, the target closed, the report says so, and a new migration is possible."""
    assert engine.changes({})["totals"] == {"created": 0, "changed": 0, "removed": 0}
    for options in ({}, {"name": "other"}):
        with pytest.raises(CutoverError) as refused:
            engine.revoke(options)
        assert refused.value.details["field"] == "name"
    assert engine.revoke({"name": "default"}) is True
    wait_status(engine, _aborted, 90.0)
    assert engine.revoke({"name": "default"}) is False
    assert engine.server_mode()["mode"] == "default"
    assert _target_is_closed(pair)
    report = engine.report()
    assert report is not None
    assert report["revocation"]["result"] == "revoked"
    source_root(pair).json("POST", "/_api/document/things", database="shop", body={"_key": "open-again"})
    assert engine.start(request_of(pair)) is True
    wait_status(engine, ready)
    engine.stop({"wait_timeout": 10.0})
    wait_status(engine, finished, 60.0)
    assert all_differences(pair) == {}


def test_i5_i7_a_target_that_was_written_stays_open(pair: Pair, engine: Engine) -> None:
    """Refused with the list; nobody was shut out meanwhile."""
    app = as_user(pair.target, "app", SOURCE_USERS["app"])
    app.json("POST", "/_api/document/things", database="shop", body={"_key": "new"})
    app.json("PATCH", "/_api/document/things/t1", database="shop", body={"n": -1})
    app.json("DELETE", "/_api/document/orders/o1", database="shop")
    found = engine.changes({})
    assert found["totals"] == {"created": 1, "changed": 1, "removed": 1}
    named = {item["collection"]: (item["created"], item["changed"], item["removed"]) for item in found["collections"]}
    assert named == {"things": (1, 1, 0), "orders": (0, 0, 1)}
    assert (found["definitions"], found["source_mode"]) == ([], "readonly")
    report = engine.report()
    assert report is not None
    assert report["changes_since_open"] == found
    engine.revoke({"name": "default"})
    status = wait_status(engine, _refused, 60.0)
    attempt = status["cutover"]["last_attempt"]
    assert attempt["code"] == "CUT-REVOKE-2"
    texts = [item["text"] for item in attempt["blockers"]]
    assert any("shop/things: 1 created, 1 changed, 0 removed" in text and "new" in text for text in texts)
    assert any("shop/orders: 0 created, 0 changed, 1 removed" in text for text in texts)
    assert status["state"] == "completed"
    assert engine.server_mode()["mode"] == "readonly"
    assert not _target_is_closed(pair)


def test_i7_a_source_that_is_written_again_cannot_be_had_back(pair: Pair, engine: Engine) -> None:
    """Both sides may have been written: which one is right is not ours to say."""
    assert engine.set_server_mode("default") is True
    engine.revoke({"name": "default"})
    status = wait_status(engine, _refused, 60.0)
    assert status["cutover"]["last_attempt"]["code"] == "CUT-REVOKE-3"
    assert not _target_is_closed(pair)


class Death(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("name", ["close_users", "settle", "give_back", "end"])
def test_i6_i7_death_while_revoking(
    pair: Pair, engine: Engine, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The restart carries on by the record."""
    died = threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda arguments: died.set())

    def dying(*_arguments: Any) -> None:
        raise Death

    monkeypatch.setattr(LiveRevocation, name, dying)
    engine.revoke({"name": "default"})
    assert died.wait(60.0)
    monkeypatch.undo()
    engine.close(20.0)
    again = make_engine(pair)
    try:
        again.recover()
        wait_status(again, _aborted, 90.0)
        assert again.server_mode()["mode"] == "default"
        assert _target_is_closed(pair)
        assert all_differences(pair) == {}
    finally:
        again.close(20.0)


def test_late_writes_are_findings_by_key_and_are_not_applied(pair: Pair, engine: Engine) -> None:
    """What an application has written on the target is not overwritten from the source."""
    app = as_user(pair.target, "app", SOURCE_USERS["app"])
    app.json("PATCH", "/_api/document/things/t1", database="shop", body={"n": -1})
    pair.insert("things", [{"_key": "t1", "n": 99}, {"_key": "late", "n": 1}], "shop")

    def told() -> set[str]:
        return {item["key"] for item in engine.findings() if item["code"] == "CUT-PROOF-3"}

    wait_for(lambda: told() == {"t1", "late"}, 40.0)
    assert engine.status()["state"] == "completed"
    assert app.json("GET", "/_api/document/things/t1", database="shop")["n"] == -1
    assert "late" not in pair.target.control.documents("shop", "things")


def test_i9_a_user_who_is_changed_on_the_fenced_source_is_a_finding(pair: Pair, engine: Engine) -> None:
    """The read-only mode does not keep anybody from it (facts §2.3)."""
    pair.clients.coordinators.json("PATCH", "/_api/user/reader", database="_system", body={"passwd": "new-password"})

    def told() -> set[str]:
        return {item["where"] for item in engine.findings() if item["code"] == "CUT-USER-3"}

    wait_for(lambda: told() == {"user reader"}, 40.0)
