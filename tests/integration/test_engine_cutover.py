# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The whole engine against two clusters: start, in sync, writes, cutover, compare."""

from __future__ import annotations

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
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
from tests.integration.pair import Pair


def _indexes(side: object, collection: str) -> dict[str, tuple[object, ...]]:
    answer = side.json("GET", "/_api/index", database="shop", query={"collection": collection})  # type: ignore[attr-defined]
    names = ("type", "fields", "unique", "sparse")
    return {item["name"]: tuple(str(item.get(name)) for name in names) for item in answer["indexes"]}


def test_moves_a_live_cluster(pair: Pair) -> None:
    """Everything arrives; the source stays read-only; the target is open."""
    fill = Fill(pair)
    fill.definitions()
    fill.documents()
    engine = make_engine(pair)
    try:
        with Writer(pair) as writer:
            assert engine.start(request_of(pair)) is True
            wait_status(engine, ready)
            assert engine.start(request_of(pair)) is False
            fill.collection("born_later", numberOfShards=2)
            pair.insert("born_later", [{"_key": f"b{i}", "v": i} for i in range(20)], "shop")
            before = writer.count
            wait_status(engine, lambda status: ready(status) and writer.count > before + 20)
            assert engine.stop({"wait_timeout": 10.0}) is True
            wait_status(engine, finished, 60.0)
        assert all_differences(pair) == {}
        for name in ("things", "orders", "singles", "links"):
            assert _indexes(pair.clients.coordinators, name) == _indexes(pair.clients.target, name)
        assert engine.server_mode()["mode"] == "readonly"
        report = engine.report()
        assert report is not None
        assert report["result"] == "completed"
        assert report["proof"]["differences"] == []
        assert engine.stop({}) is False
        with pytest.raises(CutoverError, match="completed at 20"):
            engine.start(request_of(pair))
    finally:
        engine.close(20.0)
