# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Users and grants: closed until the opening, exact afterwards."""

from __future__ import annotations

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import cutover
from tests.integration.engine_case import (
    SOURCE_USERS,
    Fill,
    all_differences,
    as_user,
    finished,
    make_engine,
    ready,
    request_of,
    wait_status,
)
from tests.integration.pair import Pair, wait_for


def _status_of_write(pair: Pair, name: str, key: str) -> int:
    server = as_user(pair.target, name, SOURCE_USERS[name])
    body = {"_key": key}
    return server.request("POST", "/_api/document/things", database="shop", body=body, raise_for=False).status


def _grants(pair: Pair, target: bool, user: str) -> object:
    front = pair.clients.target if target else pair.clients.coordinators
    answer = front.json("GET", f"/_api/user/{user}/database", database="_system", query={"full": True})
    return {name: value for name, value in answer["result"].items() if name in ("shop", "*")}


def test_i5_users_are_inactive_until_the_opening(pair: Pair) -> None:
    """A copied user cannot even log in before; afterwards his password and grants are the source's."""
    fill = Fill(pair)
    fill.definitions()
    fill.documents(30)
    engine = make_engine(pair)
    try:
        engine.start(request_of(pair))
        wait_status(engine, ready)
        assert _status_of_write(pair, "app", "too-early") == 401
        fill.api.json("PUT", "/_api/user/reader/database/shop", database="_system", body={"grant": "none"})
        fill.api.json("POST", "/_api/user", database="_system", body={"user": "late", "passwd": "late-password"})
        engine.stop({"wait_timeout": 10.0})
        wait_status(engine, finished)
        assert all_differences(pair) == {}
        assert _status_of_write(pair, "app", "now") == 202
        assert _status_of_write(pair, "reader", "never") == 401
        for user in ("app", "reader", "late"):
            assert _grants(pair, True, user) == _grants(pair, False, user)
    finally:
        engine.close(20.0)


def test_i5_early_readers_read_and_never_write(pair: Pair) -> None:
    """With early_readers a user reads on the target before the opening, and his write is refused."""
    fill = Fill(pair)
    fill.definitions()
    fill.documents(30)
    engine = make_engine(pair)
    try:
        engine.start(request_of(pair, early_readers=True))
        wait_status(engine, ready)
        app = as_user(pair.target, "app", SOURCE_USERS["app"])
        assert app.json("GET", "/_api/document/things/t1", database="shop")["n"] == 1
        assert _status_of_write(pair, "app", "too-early") == 403
        engine.stop({"wait_timeout": 10.0})
        wait_status(engine, finished)
        assert _status_of_write(pair, "app", "now") == 202
    finally:
        engine.close(20.0)


def test_a_removed_user_is_removed(pair: Pair) -> None:
    """Also one that is removed while the migration runs."""
    fill = Fill(pair)
    fill.definitions()
    engine = make_engine(pair)
    try:
        engine.start(request_of(pair))
        wait_status(engine, ready)
        fill.api.json("DELETE", "/_api/user/reader", database="_system")
        engine.stop({"wait_timeout": 10.0})
        wait_status(engine, finished)
        names = [item["user"] for item in pair.clients.target.json("GET", "/_api/user", database="_system")["result"]]
        assert sorted(names) == ["app", "root"]
    finally:
        engine.close(20.0)


def test_start_is_refused_where_users_cannot_be_restored(pair: Pair) -> None:
    """Unless users: skip is chosen; nothing is left running."""
    fill = Fill(pair)
    fill.definitions()
    pair.target.control.fault(
        "status", method="PUT", path_regex="restore-data.*_users", count=1000, status=403, errorNum=11
    )
    engine = make_engine(pair)
    try:
        with pytest.raises(CutoverError) as refused:
            engine.start(request_of(pair))
        assert refused.value.code == "CUT-USER-1"
        assert engine.status()["state"] == "inactive"
        assert engine.start(request_of(pair, users="skip")) is True
        wait_status(engine, ready)
        engine.stop({"wait_timeout": 10.0})
        wait_status(engine, finished)
        assert all_differences(pair) == {}
    finally:
        engine.close(20.0)


@pytest.mark.parametrize("host", ["engine", "second"])
def test_i9_a_user_who_was_refused_at_the_opening_is_opened_by_the_next_agent(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """On the same host, or on another one: the finding stays until then, and then there is nothing left to do."""
    monkeypatch.setattr(cutover, "_USERS_PATIENCE", 0.3)
    fill = Fill(pair)
    fill.definitions()
    request = request_of(pair, users="recreate", early_readers=True)
    engine = make_engine(pair)
    try:
        engine.start(request)
        wait_status(engine, ready)
        # A grant that the target answers with 404 is left out (it may outlive what it is for).
        pair.target.control.fault(
            "status", method="PUT", path_regex="/_api/user/app/database/shop$", count=100000, status=404
        )
        engine.stop({"wait_timeout": 10.0})
        wait_status(engine, lambda status: bool(status["state"] == "completed"))
        assert [item["where"] for item in engine.findings() if item["code"] == "CUT-USER-5"] == ["user app"]
        engine.close(20.0)
        pair.target.control.clear()
        engine = make_engine(pair, pair.directory / host)
        if host == "engine":
            engine.recover()
        else:
            assert engine.start(request) is True
        wait_for(lambda: _grants(pair, True, "app") == _grants(pair, False, "app"), 60.0)
        wait_for(lambda: not [item for item in engine.findings() if item["code"] == "CUT-USER-5"], 60.0)
        wait_for(lambda: engine._migration is not None and not engine._migration.alive, 60.0)
        with pytest.raises(CutoverError) as refused:
            engine.start(request)
        assert refused.value.code == "CUT-STATE-3"
    finally:
        engine.close(20.0)
