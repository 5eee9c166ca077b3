# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every change of a definition that the facts know (§3, §7) is followed while the migration runs; one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.compare.whole import compare
from tests.integration.following import Change, Following, Row, following, rows

DB = "shop"


def make(name: str, **properties: Any) -> Change:
    """A collection."""
    body = {"name": name, "numberOfShards": 2, "replicationFactor": 2, **properties}
    return ("POST", "/_api/collection", DB, body)


def drop(name: str) -> Change:
    """A collection."""
    return ("DELETE", f"/_api/collection/{name}", DB, None)


def properties(name: str, **values: Any) -> Change:
    """Change a collection."""
    return ("PUT", f"/_api/collection/{name}/properties", DB, values)


def insert(name: str, *documents: Mapping[str, Any], database: str = DB) -> Change:
    """Documents."""
    return ("POST", f"/_api/document/{name}", database, list(documents))


def index(collection: str, name: str, **definition: Any) -> Change:
    """An index with a name."""
    body = {"type": "persistent", "fields": ["a"], "name": name, **definition}
    return ("POST", f"/_api/index?collection={collection}", DB, body)


def unindex(collection: str, name: str) -> Change:
    """Drop an index."""
    return ("DELETE", f"/_api/index/{collection}/{name}", DB, None)


def view(name: str, **definition: Any) -> Change:
    """A view."""
    return ("POST", "/_api/view", DB, {"name": name, "type": "arangosearch", **definition})


def analyzer(name: str, case: str, database: str = DB) -> Change:
    """An analyzer."""
    body = {"name": name, "type": "norm", "properties": {"locale": "en", "case": case}, "features": []}
    return ("POST", "/_api/analyzer", database, body)


def database(name: str, **options: Any) -> Change:
    """A database."""
    return ("POST", "/_api/database", "_system", {"name": name, "options": options})


MANY = [{"_key": f"k{number}", "a": number, "b": -number} for number in range(3000)]
EDGES = {"collection": "roads", "from": ["towns"], "to": ["towns"]}
RULE = {"rule": {"properties": {"a": {"type": "number"}}}, "level": "strict", "message": "a"}
COMPUTED = [{"name": "made", "expression": "RETURN 1", "overwrite": True, "computeOn": ["insert"]}]
INVERTED = {"type": "inverted", "fields": ["text"]}

BEFORE = [
    database(DB),
    make("plain"),
    make("single", numberOfShards=1),
    insert("plain", *MANY[:50]),
    insert("single", *MANY[:50]),
]
TABLE = [
    Row("collection made", [make("fresh"), insert("fresh", *MANY[:20])]),
    Row("edge collection made", [make("ties", type=3), insert("ties", {"_from": "plain/k1", "_to": "plain/k2"})]),
    Row("collection dropped", [drop("short")], [make("short"), insert("short", *MANY[:20])]),
    Row("collection dropped and made anew, the same", [drop("again"), make("again"), insert("again", *MANY[5:9])],
        [make("again"), insert("again", *MANY[:20])]),
    Row("collection dropped and made anew, another one",
        [drop("other"), make("other", type=3, numberOfShards=3, shardKeys=["x"])], [make("other")]),
    Row("collection distributed like another made", [make("like", distributeShardsLike="plain", numberOfShards=None)]),
    Row("both dropped and made anew",
        [drop("b"), drop("a"), make("a"), make("b", distributeShardsLike="a"), insert("b", {"_key": "x"})],
        [make("a"), make("b", distributeShardsLike="a")]),
    Row("satellite made", [make("everywhere", replicationFactor="satellite", numberOfShards=1)]),
    Row("waitForSync", [properties("plain", waitForSync=True)]),
    Row("cacheEnabled", [properties("plain", cacheEnabled=True)]),
    Row("schema set", [properties("plain", schema=RULE)]),
    Row("schema changed", [properties("plain", schema={**RULE, "level": "none"})]),
    Row("schema taken away", [properties("plain", schema=None)]),
    Row("computed values set", [properties("plain", computedValues=COMPUTED), insert("plain", {"_key": "new"})]),
    Row("computed values taken away", [properties("plain", computedValues=None)]),
    Row("more copies", [properties("plain", replicationFactor=3)]),
    Row("write concern", [properties("plain", writeConcern=2)]),
    Row("fewer copies", [properties("plain", replicationFactor=1, writeConcern=1)]),
    Row("index made", [index("plain", "by_a")]),
    Row("index with everything", [index("plain", "by_ab", fields=["a", "b"], sparse=True, storedValues=["c"])]),
    Row("index dropped", [unindex("plain", "by_ab")]),
    Row("index made anew under one name", [unindex("plain", "by_a"), index("plain", "by_a", fields=["b"])]),
    Row("index made anew without stored values",
        [unindex("plain", "stored"), index("plain", "stored", fields=["a", "c"])],
        [index("plain", "stored", fields=["a", "c"], storedValues=["d"])]),
    Row("index renamed", [unindex("plain", "by_a"), index("plain", "by_b", fields=["b"])]),
    Row("geo index", [index("plain", "place", type="geo", fields=["place"], geoJson=True)]),
    Row("unique index made", [index("single", "one", unique=True)]),
    Row("unique index made anew with other fields",
        [unindex("single", "one"), index("single", "one", fields=["b"], unique=True)]),
    Row("unique index dropped", [unindex("single", "one")]),
    Row("unique index on a big collection", [index("big", "one", unique=True)],
        [make("big", numberOfShards=1), insert("big", *MANY)]),
    Row("ttl index made and dropped", [index("gone", "expiry", type="ttl", expireAfter=10**6), drop("gone")],
        [make("gone")]),
    Row("view made", [view("search", links={"plain": {"includeAllFields": True, "fields": {"a": {}, "b": {}}}})]),
    Row("view with one field less",
        [("PUT", "/_api/view/search/properties", DB, {"links": {"plain": {"fields": {"a": {}}}}})]),
    Row("view with one link more",
        [("PATCH", "/_api/view/search/properties", DB, {"links": {"single": {"includeAllFields": True}}})]),
    Row("view with one link less", [("PATCH", "/_api/view/search/properties", DB, {"links": {"single": None}})]),
    Row("view with other settings", [("PATCH", "/_api/view/search/properties", DB, {"commitIntervalMsec": 4321})]),
    Row("view over two inverted indexes",
        [index("plain", "inv", **INVERTED), index("single", "inv", **INVERTED),
         view("alias", type="search-alias", indexes=[{"collection": c, "index": "inv"} for c in ("single", "plain")])]),
    Row("view over one inverted index less",
        [("PATCH", "/_api/view/alias/properties", DB,
          {"indexes": [{"collection": "single", "index": "inv", "operation": "del"}]})]),
    Row("view made anew with the other type",
        [("DELETE", "/_api/view/alias", DB, None), view("alias", links={"single": {"includeAllFields": True}})]),
    Row("view dropped", [("DELETE", "/_api/view/alias", DB, None)]),
    Row("view and a collection that takes its name", [("DELETE", "/_api/view/name", DB, None), make("name")],
        [view("name")]),
    Row("analyzer made", [analyzer("form", "lower")]),
    Row("analyzer in use made anew with the same name",
        [("DELETE", "/_api/view/formed", DB, None), ("DELETE", "/_api/analyzer/form?force=true", DB, None),
         unindex("plain", "formed"), analyzer("form", "upper"),
         index("plain", "formed", type="inverted", fields=["formed"], analyzer="form"),
         view("formed", links={"plain": {"fields": {"a": {"analyzers": ["form"]}}}})],
        [index("plain", "formed", type="inverted", fields=["formed"], analyzer="form"),
         view("formed", links={"plain": {"fields": {"a": {"analyzers": ["form"]}}}})]),
    Row("analyzer of _system in use elsewhere made anew with the same name",
        [("DELETE", "/_api/view/full", DB, None), ("DELETE", "/_api/analyzer/wide?force=true", "_system", None),
         analyzer("wide", "upper", "_system"),
         view("full", links={"plain": {"fields": {"a": {"analyzers": ["_system::wide"]}}}})],
        [analyzer("wide", "lower", "_system"),
         view("full", links={"plain": {"fields": {"a": {"analyzers": ["_system::wide"]}}}})]),
    Row("analyzer dropped with its view",
        [("DELETE", "/_api/view/formed", DB, None), unindex("plain", "formed"),
         ("DELETE", "/_api/analyzer/form", DB, None)]),
    Row("graph made with its collections",
        [("POST", "/_api/gharial", DB, {"name": "net", "edgeDefinitions": [EDGES]})]),
    Row("edge definition added",
        [("POST", "/_api/gharial/net/edge", DB, {**EDGES, "collection": "rails", "to": ["stops"]})]),
    Row("edge definition changed", [("PUT", "/_api/gharial/net/edge/rails", DB, {**EDGES, "collection": "rails"})]),
    Row("vertex collection added", [("POST", "/_api/gharial/net/vertex", DB, {"collection": "lone"})]),
    Row("edge definition taken out", [("DELETE", "/_api/gharial/net/edge/rails?dropCollections=true", DB, None)]),
    Row("graph dropped with its collections", [("DELETE", "/_api/gharial/net?dropCollections=true", DB, None)]),
    Row("database made", [database("annex"), ("POST", "/_api/collection", "annex", {"name": "boxes"}),
                          insert("boxes", {"_key": "x"}, database="annex")]),
    Row("OneShard database made", [database("one", sharding="single"),
                                   ("POST", "/_api/collection", "one", {"name": "boxes"}),
                                   insert("boxes", {"_key": "x"}, database="one")]),
    Row("database dropped and made anew",
        [("DELETE", "/_api/database/annex", "_system", None), database("annex"),
         ("POST", "/_api/collection", "annex", {"name": "boxes", "numberOfShards": 4}),
         insert("boxes", {"_key": "y"}, database="annex")]),
    Row("databases dropped", [("DELETE", f"/_api/database/{name}", "_system", None) for name in ("annex", "one")]),
]  # fmt: skip


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Following]:
    """One migration for all rows."""
    with following(tmp_path_factory.mktemp("followed"), BEFORE) as made:
        yield made


@rows(TABLE)
def test_a_change_is_followed(case: Following, row: Row) -> None:
    """Definitions and documents of both sides are the same again, and there is no finding."""
    case.check(row)


FOREIGN = [
    ("PUT", "/_api/collection/plain/properties", DB, {"waitForSync": True}),
    index("plain", "foreign", type="persistent", fields=["z"]),
    view("foreign", links={"plain": {"includeAllFields": True}}),
]


@pytest.mark.parametrize("change", FOREIGN, ids=["property", "index", "view"])
def test_what_somebody_changes_on_the_target_is_put_right(case: Following, change: Change) -> None:
    """Though the source does not change: definitions are compared every now and then."""
    method, path, database_name, body = change
    case.wait_equal()
    made = case.pair.clients.target.json(method, path, database=database_name, body=body)
    # The engine may have seen it by now: what was made is taken from the answer.
    assert made.get("waitForSync") is True or made["name"] == "foreign"
    case.wait_equal()


def test_then_the_cutover_passes(case: Following) -> None:
    """After all that."""
    case.cut_over()
    assert [str(item) for item in compare(case.source, case.target, {}).differences] == []
