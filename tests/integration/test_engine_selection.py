# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A part of a deployment is migrated: what is left out is named, and neither copied, granted, compared nor claimed."""

from __future__ import annotations

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from tests.integration.engine_case import Fill, Writer, finished, make_engine, ready, request_of, wait_status
from tests.integration.pair import Pair, wait_for

COPIES = {"replication_factor": {"shop": 3, "shop/orders": 1}, "write_concern": {"shop/things": 2}}
CHOICE = {"include": ["shop"], "exclude": ["shop/singles", "shop/links"]}
TORN = {"id": "features-torn:graph shop/net", "reason": "the graph is not used any more"}


def _collections(pair: Pair, database: str) -> set[str]:
    answer = pair.clients.target.json("GET", "/_api/collection", database=database)
    return {item["name"] for item in answer["result"] if not item["name"].startswith("_")}


def _fill(pair: Pair) -> Fill:
    fill = Fill(pair)
    fill.definitions()
    fill.documents(60)
    api = fill.api
    api.json("POST", "/_api/database", database="_system", body={"name": "crm"})
    api.json("POST", "/_api/collection", database="crm", body={"name": "people", "numberOfShards": 2})
    pair.insert("people", [{"_key": "p1"}], "crm")
    pair.insert("singles", [{"_key": "beyond", "serial": 5000}], "shop")
    api.json("PUT", "/_api/user/app/database/crm", database="_system", body={"grant": "rw"})
    api.json("PUT", "/_api/user/app/database/shop/singles", database="_system", body={"grant": "ro"})
    return fill


def test_i9_a_part_is_migrated_and_the_rest_is_named(pair: Pair) -> None:
    """Also what is made, written and dropped in what is left out while the migration runs."""
    fill = _fill(pair)
    engine = make_engine(pair)
    try:
        with pytest.raises(CutoverError) as refused:
            engine.start(request_of(pair, **CHOICE))
        assert [item["id"] for item in refused.value.details["checks"]] == ["features-torn"]
        assert TORN["id"] in str(refused.value.details)
        assert engine.status()["state"] == "inactive"
        engine.start(request_of(pair, **CHOICE, accept=[TORN]))
        wait_status(engine, ready)
        problems = [item for item in engine.status()["problems"] if item["code"].startswith("CUT-SELECT")]
        told = {(item["code"], item["severity"]) for item in problems}
        assert told == {("CUT-SELECT-1", "info"), ("CUT-SELECT-2", "info")}
        with Writer(pair) as writer:
            pair.insert("people", [{"_key": f"p{i}"} for i in range(50)], "crm")
            pair.insert("singles", [{"_key": f"n{i}", "serial": 9000 + i} for i in range(50)], "shop")
            fill.api.json("POST", "/_api/collection", database="crm", body={"name": "later"})
            pair.insert("later", [{"_key": "x"}], "crm")
            fill.api.json("DELETE", "/_api/collection/people", database="crm")
            fill.collection("fresh", numberOfShards=2)
            pair.insert("fresh", [{"_key": f"f{i}"} for i in range(20)], "shop")
            wait_for(lambda: writer.count > 20)
            engine.stop({"wait_timeout": 30.0})
            wait_status(engine, finished, 60.0)
        report = engine.report()
        assert report is not None
        assert report["left_out"] == {
            "databases": ["crm"],
            "collections": ["shop/links", "shop/singles"],
            "views": [],
            "grants_of_users": ["app"],
        }
        assert not {"shop/links", "shop/singles", "crm/later"} & set(str(report["proof"]).replace("'", " ").split())
        assert report["moved"]["databases"] == 2
        databases = pair.clients.target.json("GET", "/_api/database", database="_system")["result"]
        assert sorted(databases) == ["_system", "shop"]
        assert _collections(pair, "shop") == {"things", "orders", "by_region", "fresh"}
        for name in ("things", "orders", "by_region", "fresh", "_graphs"):
            assert pair.differences(name, "shop") == [], name
        path = "/_api/user/app/database"
        grants = pair.clients.target.json("GET", path, database="_system", query={"full": True})["result"]
        assert grants["shop"]["permission"] == "rw"
        assert "crm" not in grants
        found = engine.verification({"mode": "documents"})
        assert found["equal"]
        aspects = {line["what"]: line for line in found["aspects"]}
        assert aspects["collections left out"]["verified"] is False
        assert "shop/links, shop/singles" in aspects["collections left out"]["why"]
        assert engine.changes({})["definitions"] == []
    finally:
        engine.close(20.0)


def test_what_is_torn_apart_while_running_blocks_the_cutover(pair: Pair) -> None:
    """A view made later over a collection that is left out; it is made of what is migrated."""
    fill = _fill(pair)
    engine = make_engine(pair)
    try:
        engine.start(request_of(pair, include=["shop"], exclude=["shop/singles"]))
        wait_status(engine, ready)
        links = {"orders": {"includeAllFields": True}, "singles": {"includeAllFields": True}}
        view = {"name": "wide", "type": "arangosearch", "links": links}
        fill.api.json("POST", "/_api/view", database="shop", body=view)
        wait_status(
            engine, lambda status: "CUT-SELECT-2" in {item["code"] for item in status["cutover"]["blockers"]}
        )
        found = pair.clients.target.json("GET", "/_api/view/wide/properties", database="shop")
        assert set(found["links"]) == {"orders"}
        fill.api.json("DELETE", "/_api/view/wide", database="shop")
        wait_status(engine, ready)
    finally:
        engine.close(20.0)


def _copies(pair: Pair, name: str) -> tuple[int, int]:
    found = pair.clients.target.json("GET", f"/_api/collection/{name}/properties", database="shop")
    return found["replicationFactor"], found["writeConcern"]


def test_copies_on_the_target_are_the_operators(pair: Pair) -> None:
    """The source changes its own meanwhile, and makes another collection; the cutover finds nothing that differs."""
    fill = Fill(pair)
    fill.definitions()
    fill.documents(30)
    engine = make_engine(pair)
    try:
        engine.start(request_of(pair, **COPIES))
        wait_status(engine, ready)
        fill.collection("fresh", numberOfShards=2)
        body = {"replicationFactor": 1, "writeConcern": 1}
        fill.api.json("PUT", "/_api/collection/things/properties", database="shop", body=body)
        wait_for(lambda: "fresh" in _collections(pair, "shop"))
        engine.stop({"wait_timeout": 30.0})
        wait_status(engine, finished, 60.0)
        assert {name: _copies(pair, name) for name in ("things", "orders", "fresh")} == {
            "things": (3, 2), "orders": (1, 1), "fresh": (3, 1),
        }  # fmt: skip
        assert engine.verification({"mode": "counts"})["equal"]
    finally:
        engine.close(20.0)
