# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Starting: what is refused before anything is touched, what a second start means, what overwrite_target destroys."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
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
from tests.integration.pair import Pair


def _databases(pair: Pair) -> list[str]:
    return sorted(pair.clients.target.json("GET", "/_api/database", database="_system")["result"])


def _collections(pair: Pair) -> dict[str, set[str]]:
    """Every collection of the target, by database."""
    overview = pair.target.control.get("/state/overview")
    return {name: set(collections) for name, collections in overview["databases"].items()}


def test_what_is_refused_names_its_field_and_touches_nothing(pair: Pair, tmp_path: Path) -> None:
    """Bad input of every kind."""
    Fill(pair).definitions()
    before = _collections(pair)
    engine = make_engine(pair, allowed_targets=["127.0.0.1"])
    cases = {
        "CUT-SPEC-2": request_of(pair, unknown_field=1),
        "CUT-SPEC-902": request_of(pair, source_endpoints=["https://root:secret@127.0.0.1:8529"]),
        "CUT-SPEC-903": request_of(pair, target_endpoints=["127.0.0.1:8529"]),
        "CUT-SPEC-3": {name: value for name, value in request_of(pair).items() if name != "target_password"},
        "CUT-SPEC-5": request_of(pair, target_endpoints=["https://elsewhere.example:8529"]),
    }
    try:
        for code, request in cases.items():
            with pytest.raises(CutoverError) as refused:
                engine.start(request)
            assert refused.value.code == code
            assert refused.value.details["field"] in str(refused.value)
        with pytest.raises(CutoverError) as refused:
            engine.start(request_of(pair, target_password="wrong"))
        assert refused.value.code == "CUT-PRECHECK-2"
        with pytest.raises(CutoverError) as refused:
            engine.stop({})
        assert refused.value.code == "CUT-STATE-1"
        assert engine.status()["state"] == "inactive"
        assert _collections(pair) == before
    finally:
        engine.close(10.0)


def test_another_specification_is_refused_while_one_runs(pair: Pair) -> None:
    """The same one with a new password is taken over."""
    Fill(pair).definitions()
    engine = make_engine(pair)
    try:
        engine.start(request_of(pair))
        with pytest.raises(CutoverError) as refused:
            engine.start(request_of(pair, max_lag=17.0))
        assert refused.value.code == "CUT-STATE-2"
        wait_status(engine, ready)
        assert engine.start(request_of(pair)) is False
        kept = pair.clients.target.json("GET", "/_api/document/_cutover/capabilities", database="_system")
        assert kept["capabilities"]["source-parallel-dump"]["status"] == "found"
        assert kept["capabilities"]["target-users"]["status"] == "not-probed"
    finally:
        engine.close(20.0)


def test_two_agents_with_one_target(pair: Pair) -> None:
    """I7: the second one is told who works; a second process on the same directory as well."""
    Fill(pair).definitions()
    engine = make_engine(pair, hostname="first.example")
    other = make_engine(pair, pair.directory / "other", hostname="second.example")
    try:
        engine.start(request_of(pair))
        wait_status(engine, ready)
        with pytest.raises(CutoverError) as refused:
            other.start(request_of(pair))
        assert refused.value.code == "CUT-STATE-4"
        assert "first.example" in str(refused.value)
        with pytest.raises(CutoverError) as refused:
            make_engine(pair)
        assert refused.value.code == "CUT-STATE-6"
    finally:
        engine.close(20.0)
        other.close(5.0)


def test_overwrite_target_destroys_what_was_there_once(pair: Pair) -> None:
    """Databases, collections and views in _system, users; never the migrating user; never what came later."""
    fill = Fill(pair)
    fill.definitions()
    fill.documents(40)
    target = pair.clients.target
    target.json("POST", "/_api/database", database="_system", body={"name": "shop"})
    target.json("POST", "/_api/collection", database="shop", body={"name": "things", "numberOfShards": 7})
    target.json("POST", "/_api/document/things", database="shop", body={"_key": "foreign"})
    target.json("POST", "/_api/database", database="_system", body={"name": "old"})
    target.json("POST", "/_api/collection", database="_system", body={"name": "leftover"})
    target.json("POST", "/_api/user", database="_system", body={"user": "stranger", "passwd": "x"})
    engine = make_engine(pair)
    try:
        with pytest.raises(CutoverError) as refused:
            engine.start(request_of(pair))
        assert refused.value.code == "CUT-PRECHECK-2"
        assert "shop" in str(refused.value.details)
        assert _databases(pair) == ["_system", "old", "shop"]
        engine.start(request_of(pair, overwrite_target=True))
        wait_status(engine, ready)
        assert _databases(pair) == ["_system", "shop"]
        names = {item["name"] for item in target.json("GET", "/_api/collection", database="_system")["result"]}
        assert "leftover" not in names
        assert "_cutover" in names
        users = {item["user"] for item in target.json("GET", "/_api/user", database="_system")["result"]}
        assert "stranger" not in users
        engine.close(20.0)
        target.json("POST", "/_api/database", database="_system", body={"name": "came_later"})
        engine = make_engine(pair)
        engine.recover()
        wait_status(engine, ready)
        assert "came_later" in _databases(pair)
        target.json("DELETE", "/_api/database/came_later", database="_system")
        engine.stop({"wait_timeout": 10.0})
        wait_status(engine, finished)
        assert all_differences(pair) == {}
    finally:
        engine.close(20.0)


def test_a_completed_migration_is_replaced_once_and_only_by_its_id(pair: Pair) -> None:
    """Everything on its target is destroyed then, also what was written since; the same request never does so again."""
    fill = Fill(pair)
    fill.definitions()
    fill.documents(40)
    target = pair.clients.target
    engine = make_engine(pair)
    try:
        engine.start(request_of(pair))
        wait_status(engine, ready)
        engine.stop({"wait_timeout": 10.0})
        identity = wait_status(engine, finished)["migration"]["id"]
        target.json("POST", "/_api/document/things", database="shop", body={"_key": "since"})
        for changes in ({}, {"overwrite_target": True}, {"overwrite_target": True, "replace_completed": "another"}):
            with pytest.raises(CutoverError) as refused:
                engine.start(request_of(pair, **changes))
            assert (refused.value.code, refused.value.details["id"]) == ("CUT-STATE-3", identity)
        assert "since" in pair.target.control.documents("shop", "things")

        pair.clients.coordinators.json("PUT", "/_admin/server/mode", database="_system", body={"mode": "default"})
        pair.insert("things", [{"_key": "newer"}], "shop")
        request = request_of(pair, overwrite_target=True, replace_completed=identity)
        assert engine.start(request) is True
        status = wait_status(engine, ready)
        assert status["migration"]["id"] not in (None, identity)
        assert "since" not in pair.target.control.documents("shop", "things")
        with pytest.raises(CutoverError):
            as_user(pair.target, "app", SOURCE_USERS["app"]).json("GET", "/_api/version", database="shop")
        assert engine.start(request) is False
        engine.close(20.0)
        engine = make_engine(pair)
        engine.recover()
        again = wait_status(engine, ready)
        assert again["migration"] == status["migration"]
        engine.stop({"wait_timeout": 10.0})
        wait_status(engine, finished)
        assert all_differences(pair) == {}
        with pytest.raises(CutoverError) as refused:
            engine.start(request)
        assert refused.value.code == "CUT-STATE-3"
    finally:
        engine.close(20.0)


def test_restart_resumes_without_copying_again(pair: Pair) -> None:
    """Twice, with writes while the agent is down; the journal and the state directory are all that is left."""
    fill = Fill(pair)
    fill.definitions()
    fill.documents(200)
    engine = make_engine(pair)
    engine.start(request_of(pair))
    wait_status(engine, ready)
    for turn in range(2):
        engine.close(20.0)
        pair.insert("things", [{"_key": f"down{turn}-{i}", "n": i} for i in range(50)], "shop")
        pair.remove("orders", [f"o{turn * 10 + i}" for i in range(10)], "shop")
        engine = make_engine(pair)
        engine.recover()
        assert engine.status()["state"] != "inactive"
        status = wait_status(engine, ready)
        assert status["progress"]["documents_copied"] == 0
    try:
        engine.stop({"wait_timeout": 10.0})
        wait_status(engine, finished)
        assert all_differences(pair) == {}
        engine.close(20.0)
        engine = make_engine(pair)
        engine.recover()
        assert wait_status(engine, finished)["state"] == "completed"
        assert engine.stop({}) is False
    finally:
        engine.close(20.0)
