# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The verification of a running migration finds silent damage on the target, and nothing else (design §6)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.engine import Engine
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
from tests.integration.pair import Pair, wait_for

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
        wait_status(engine, lambda status: status["verification"]["repaired"] > 0, 60.0)
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
