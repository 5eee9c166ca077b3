# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Definitions that change while the migration runs arrive on the target, in every kind."""

from __future__ import annotations

from typing import Any

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


def _target_names(pair: Pair, database: str = "shop") -> set[str]:
    answer = pair.clients.target.json("GET", "/_api/collection", database=database)
    return {item["name"] for item in answer["result"] if not item["name"].startswith("_")}


def _target_indexes(pair: Pair, collection: str) -> dict[str, dict[str, Any]]:
    answer = pair.clients.target.json("GET", "/_api/index", database="shop", query={"collection": collection})
    return {item["name"]: item for item in answer["indexes"]}


def _change_definitions(fill: Fill) -> None:
    api = fill.api
    api.json("DELETE", "/_api/collection/by_region", database="shop")
    fill.collection("by_region", numberOfShards=3, shardKeys=["country"])
    api.json("DELETE", "/_api/collection/links", database="shop")
    api.json("PUT", "/_api/collection/things/properties", database="shop", body={"waitForSync": True})
    api.json("POST", "/_api/database", database="_system", body={"name": "annex"})
    api.json("POST", "/_api/collection", database="annex", body={"name": "boxes", "numberOfShards": 2})
    fill.index("things", {"type": "persistent", "fields": ["text"], "name": "by_text"})
    fill.index("singles", {"type": "persistent", "fields": ["other"], "unique": True, "sparse": True, "name": "other"})
    indexes = api.json("GET", "/_api/index", database="shop", query={"collection": "orders"})["indexes"]
    by_m = next(item for item in indexes if item["name"] == "by_m")
    api.json("DELETE", f"/_api/index/{by_m['id']}", database="shop")
    view = {"links": {"orders": {"includeAllFields": True}, "things": None}}
    api.json("PUT", "/_api/view/search/properties", database="shop", body=view)
    analyzer = {"name": "split", "type": "delimiter", "properties": {"delimiter": ","}, "features": []}
    api.json("POST", "/_api/analyzer", database="shop", body=analyzer)


def test_definitions_are_followed_while_running(pair: Pair) -> None:
    """Databases, collections (also dropped and made anew under one name), properties, indexes, views, analyzers."""
    fill = Fill(pair)
    fill.definitions()
    fill.documents(120)
    fill.api.json("POST", "/_api/database", database="_system", body={"name": "short_lived"})
    engine = make_engine(pair)
    try:
        engine.start(request_of(pair))
        wait_status(engine, ready)
        with Writer(pair) as writer:
            _change_definitions(fill)
            fill.api.json("DELETE", "/_api/database/short_lived", database="_system")
            pair.insert("by_region", [{"n": i, "country": f"c{i % 4}"} for i in range(40)], "shop")
            pair.insert("boxes", [{"_key": f"x{i}"} for i in range(40)], "annex")
            wait_for(lambda: writer.count > 20)
            engine.stop({"wait_timeout": 30.0})
            wait_status(engine, finished, 60.0)
        assert all_differences(pair) == {}
        assert all_differences(pair, "annex") == {}
        assert _target_names(pair) == {"things", "orders", "by_region", "singles"}
        databases = pair.clients.target.json("GET", "/_api/database", database="_system")["result"]
        assert sorted(databases) == ["_system", "annex", "shop"]
        properties = pair.clients.target.json("GET", "/_api/collection/things/properties", database="shop")
        assert properties["waitForSync"] is True
        regions = pair.clients.target.json("GET", "/_api/collection/by_region/properties", database="shop")
        assert (regions["shardKeys"], regions["numberOfShards"]) == (["country"], 3)
        assert set(_target_indexes(pair, "things")) == {"primary", "by_n", "by_text"}
        assert set(_target_indexes(pair, "orders")) == {"primary", "expiry"}
        assert _target_indexes(pair, "singles")["other"]["unique"] is True
        view = pair.clients.target.json("GET", "/_api/view/search/properties", database="shop")
        assert set(view["links"]) == {"orders"}
        analyzers = pair.clients.target.json("GET", "/_api/analyzer", database="shop")["result"]
        assert {"shop::lower", "shop::split"} <= {item["name"] for item in analyzers}
    finally:
        engine.close(20.0)


def test_a_collection_of_another_layout_on_the_target_blocks(pair: Pair) -> None:
    """With another layout two documents with one revision could overwrite each other silently."""
    fill = Fill(pair)
    fill.definitions()
    engine = make_engine(pair)
    try:
        engine.start(request_of(pair))
        wait_status(engine, ready)
        target = pair.clients.target
        target.json("POST", "/_api/collection", database="shop", body={"name": "odd", "numberOfShards": 5})
        fill.collection("odd", numberOfShards=2)
        wait_status(engine, lambda status: any(item["code"] == "CUT-SCHEMA-2" for item in status["problems"]))
        blockers = engine.status()["cutover"]["blockers"]
        assert "CUT-SCHEMA-2" in {item["code"] for item in blockers}
    finally:
        engine.close(20.0)
