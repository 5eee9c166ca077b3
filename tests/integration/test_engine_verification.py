# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The verification of a running migration finds silent damage on the target, and nothing else (design §6)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.engine import Engine
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.files import read_json
from tests.integration.conftest import SOURCE_OPTIONS
from tests.integration.engine_case import (
    Fill,
    Writer,
    all_differences,
    finished,
    make_engine,
    ready,
    request_of,
    wait_status,
)
from tests.integration.pair import PASSWORD, TIME_SCALE, Pair, wait_for
from tests.testbed.launch import TestCluster

# What each damage does to the document of a key that nobody writes.
DAMAGE: dict[str, dict[str, Any]] = {
    "alter_document": {"collection": "things", "key": "t200", "body": {"n": 200, "text": "Thing 20O"}},
    "drop_document": {"collection": "orders", "key": "o299"},
    "add_document": {"collection": "singles", "key": "foreign", "body": {"serial": -1}},
    "revert_document": {"collection": "things", "key": "t250"},
}
CODES = {"CUT-VERIFY-1", "CUT-VERIFY-2", "CUT-VERIFY-3"}


@contextmanager
def running(pair: Pair, **changes: Any) -> Iterator[Engine]:
    """A migration that is ready for its cutover."""
    fill = Fill(pair)
    fill.definitions()
    fill.documents()
    engine = make_engine(pair)
    try:
        engine.start(request_of(pair, **changes))
        wait_status(engine, ready)
        # A second version of a document that can be reverted: the target must have logged both.
        pair.insert("things", [{"_key": "t250", "n": 250, "text": "newer"}], "shop")
        wait_for(lambda: not all_differences(pair))
        yield engine
    finally:
        engine.close(20.0)


def verified(engine: Engine) -> list[dict[str, Any]]:
    """Findings of the verification."""
    return [item for item in engine.findings() if item["code"] in CODES]


def damage(pair: Pair, name: str) -> str:
    """Do it, and see that source and target differ; returns the key."""
    what = DAMAGE[name]
    pair.target.control.fault(name, database="shop", **what)
    assert what["key"] in all_differences(pair)[what["collection"]]
    return str(what["key"])


@pytest.mark.parametrize("name", sorted(DAMAGE))
def test_i5_silent_damage_is_found_in_the_next_round_and_repaired(pair: Pair, name: str) -> None:
    """While others write; the cutover completes, and the report tells of it."""
    with running(pair) as engine, Writer(pair):
        key = damage(pair, name)
        present = engine.status()["verification"]["round"]
        status = wait_status(engine, lambda status: status["verification"]["repaired"] > 0, 60.0)
        assert status["verification"]["round"] <= present + 1, "the present round may have passed it already"
        found = verified(engine)
        assert [item["key"] for item in found] == [key]
        assert found[0]["severity"] == "warning"
        assert (found[0]["code"] == "CUT-VERIFY-3") is (name == "add_document")
        engine.stop({"wait_timeout": 30.0})
        wait_status(engine, finished, 60.0)
        report = engine.report()
        assert report is not None
        assert report["verification"]["repaired"] == 1
    assert all_differences(pair) == {}


@pytest.mark.parametrize("name", sorted(DAMAGE))
def test_i5_i9_without_repair_damage_blocks_the_cutover(pair: Pair, name: str) -> None:
    """It is told with its key; nobody is harmed."""
    with running(pair, repair=False) as engine:
        key = damage(pair, name)
        wait_status(engine, lambda status: status["verification"]["confirmed"] == 1, 60.0)
        assert [(item["code"], item["key"]) for item in verified(engine)] == [("CUT-VERIFY-2", key)]
        with pytest.raises(CutoverError) as refused:
            engine.stop({})
        assert "CUT-VERIFY-2" in [item["code"] for item in refused.value.details["blockers"]]
        assert len(all_differences(pair)) == 1


@pytest.mark.parametrize("name", sorted(DAMAGE))
def test_i9_an_accepted_difference_lets_the_target_open_and_is_reported(pair: Pair, name: str) -> None:
    """Exactly the one that was named; what is not named still blocks."""
    with running(pair, repair=False) as engine:
        key = damage(pair, name)
        wait_status(engine, lambda status: status["verification"]["confirmed"] == 1, 60.0)
        (finding,) = verified(engine)
        with pytest.raises(CutoverError) as refused:
            engine.stop({"accept_findings": [{"id": f"{finding['id']}x", "reason": "a slip"}]})
        assert refused.value.details == {"field": "accept_findings"}
        engine.stop({"accept_findings": [{"id": finding["id"], "reason": "known"}], "wait_timeout": 20.0}, "operator")
        wait_status(engine, finished, 60.0)
        report = engine.report()
        assert report is not None
        (accepted,) = report["accepted_findings"]
        assert (accepted["key"], accepted["accepted"]["reason"]) == (key, "known")
        assert len(all_differences(pair)) == 1


def test_no_lag_and_no_write_looks_like_a_difference(pair: Pair) -> None:
    """Rounds go on under writes with a target that is slow now and then; nothing is ever found."""
    with running(pair) as engine, Writer(pair) as writer:
        first = engine.status()["verification"]["round"]
        before = writer.count
        wait_status(
            engine, lambda status: status["verification"]["round"] >= first + 3 and writer.count > before + 100, 90.0
        )
        assert verified(engine) == []
        assert engine.status()["verification"]["repaired"] == 0
        shards = engine.shards({})["shards"]
        assert all(int(shard["verified_up_to"]) > 0 for shard in shards), shards


def test_i5_contents_are_compared_between_versions_that_hash_differently(tmp_path: Path) -> None:
    """By the agent itself, in the rounds after the first one."""
    options = {"time_scale": TIME_SCALE, "checksum_seed": 7}
    with (
        TestCluster.start(tmp_path, name="source", options=SOURCE_OPTIONS) as source,
        TestCluster.start(
            tmp_path, name="target", flavour="managed", root_password=PASSWORD, options=options
        ) as target,
    ):
        (tmp_path / "state").mkdir()
        pair = Pair(source, target, tmp_path)
        with running(pair) as engine:
            damage(pair, "alter_document")
            wait_status(engine, lambda status: status["verification"]["repaired"] == 1, 60.0)
            assert all_differences(pair) == {}
        pair.clients.close()


@pytest.mark.parametrize("mode", ["counts", "checksums", "keys", "documents"])
def test_on_demand_each_mode_finds_what_it_can(pair: Pair, mode: str) -> None:
    """A missing document is found by all, an altered one by those that read contents."""
    with running(pair, repair=False) as engine:
        assert engine.verification({"mode": mode})["equal"] is True
        damage(pair, "alter_document")
        assert engine.verification({"mode": mode})["equal"] is (mode in ("counts", "keys"))
        damage(pair, "drop_document")
        found = engine.verification({"mode": mode})
        assert found["equal"] is False
        unequal = {item["collection"] for item in found["collections"] if not item["equal"]}
        assert unequal == {"orders"} | ({"things"} if mode in ("checksums", "documents") else set())
        if mode in ("keys", "documents"):
            kinds = {item["key"]: item["kind"] for item in found["differences"]}
            assert kinds == {"o299": "missing", **({"t200": "altered"} if mode == "documents" else {})}
            repaired = engine.verification({"mode": mode, "repair": True})
            assert (repaired["equal"], repaired["repaired"]) == (True, len(kinds))
            assert all_differences(pair) == ({"things": ["t200"]} if mode == "keys" else {})


def test_on_demand_under_writes_and_beyond_documents(pair: Pair) -> None:
    """Lag is no difference; a definition that differs is told; after the cutover nothing is repaired."""
    with running(pair) as engine:
        with Writer(pair):
            found = engine.verification({"mode": "documents"})
            assert (found["equal"], found["differences"]) == (True, [])
            aspects = {line["what"]: line for line in found["aspects"]}
            assert aspects["indexes"]["equal"] is aspects["users and grants"]["equal"] is True
            assert aspects["tasks"]["verified"] is False
        wait_status(engine, ready)
        engine.stop({"wait_timeout": 30.0})
        wait_status(engine, finished, 60.0)
        with pytest.raises(CutoverError) as refused:
            engine.verification({"repair": True})
        assert refused.value.code == "CUT-STATE-5"
        assert engine.verification({"mode": "keys"})["equal"] is True
        pair.clients.target.json("DELETE", "/_api/index/things/by_n", database="shop")
        pair.target.control.fault("drop_document", database="shop", collection="orders", key="o299")
        found = engine.verification({"mode": "keys"})
        assert [item["key"] for item in found["differences"]] == ["o299"]
        assert [line["what"] for line in found["aspects"] if line["equal"] is False] == ["indexes"]


def test_a_restart_keeps_what_was_compared(pair: Pair) -> None:
    """What was written while no agent ran is read back; nothing is compared as a whole again before it is ready."""
    with running(pair) as engine:
        engine.close(20.0)
        pair.target.control.fault("drop_document", database="shop", collection="orders", key="o299")
        pair.insert("orders", [{"_key": "o299", "m": 99}, {"_key": "late", "m": 1}], "shop")
        restarted = time.time()
        again = make_engine(pair)
        try:
            again.recover()
            wait_status(again, ready)
            coverage = read_json(pair.directory / "engine" / "data" / "verify" / "coverage.json")
            assert coverage["collections"]
            assert all(item["at"] < restarted for item in coverage["collections"])
            assert all_differences(pair) == {}
        finally:
            again.close(20.0)
