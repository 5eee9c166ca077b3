# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Definitions are followed in an order that loses nothing, and continue after a crash at any request."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import ShardId, ShardState
from tests.unit.control_fakes import Crash
from tests.unit.schema_fakes import LAYOUT, Case, collection, index, source, source_without


def test_the_order_of_creation() -> None:
    """Analyzers, prototypes, documents, edges, followers, ordinary indexes, views; only then the copies."""
    case = Case()
    schema = case.schema()
    schema.follow(source())
    case.check_equal(source(), schema)
    assert schema.missing["shop"][0].ordinary == ()
    shop = [line for line in case.target.log if "_graphs" not in line][1:]
    assert shop == [
        "POST analyzer low",
        "PUT restore-collection things",
        "PUT restore-indexes things",
        "PUT restore-collection edges",
        "PUT restore-collection follower",
        "PUT restore-view v",
        "register things",
        "register edges",
        "register follower",
    ]
    assert set(case.target.databases["shop"]["collections"]["things"]["indexes"]) == {"a"}
    assert all(plan.first_copy_into_empty for plan in case.plane.plans.values())
    assert case.plane.watched == {("_system", "s2")}
    assert ("shop", "s14") in case.plane.ignored


def test_i9_watched_shards_are_not_ignored() -> None:
    """The data path tells only of what has no route: an ignored shard's changes would not be told."""
    case = Case()
    case.schema().follow(source())
    assert not case.plane.watched & case.plane.ignored


def test_nothing_is_asked_while_nothing_changes() -> None:
    """A pass over unchanged definitions is free."""
    case = Case()
    schema = case.schema()
    assert schema.follow(source()) is True
    case.target.asked.clear()
    assert schema.follow(source()) is False
    assert case.target.asked == []


def test_a_crash_at_any_change_is_continued() -> None:
    """Every request once: the restart ends with the same definitions."""
    case = Case()
    case.schema().follow(source())
    total = len([line for line in case.target.log if not line.startswith("register")])
    assert total >= 9
    for position in range(total):
        case = Case()
        left = [position]

        def crash(_line: str, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise Crash

        case.target.before = crash
        with pytest.raises(Crash):
            case.schema().follow(source())
        case.target.before = lambda line: None
        schema = case.schema()
        schema.resume(source(), {"PRMR-1"})
        schema.follow(source())
        case.check_equal(source(), schema)


def test_dropped_and_made_anew_under_one_name() -> None:
    """Quiesced before the old one is dropped by its id; the new one is another collection."""
    case = Case()
    schema = case.schema()
    schema.follow(source())
    old = case.target.databases["shop"]["collections"]["edges"]["parameters"]["id"]
    collections = [collection("edges", "21", type=3), *source_without("edges")]
    case.target.log.clear()
    schema.follow(source(collections=collections))
    log = case.target.log
    assert log.index("quiesce 11") < log.index(f"DELETE collection/{old}") < log.index("forget 11")
    assert log.index("forget 11") < log.index("PUT restore-collection edges") < log.index("register edges")
    assert case.target.databases["shop"]["collections"]["edges"]["parameters"]["id"] != old
    assert {plan.id.plan_id for plan in case.plane.plans.values() if plan.collection == "edges"} == {"21"}


def test_a_database_that_is_dropped_or_made_anew() -> None:
    """Another id is another database."""
    case = Case()
    schema = case.schema()
    schema.follow(source())
    schema.follow(source(properties={"id": "51"}))
    first = case.target.log.index("DELETE database/shop")
    assert "PUT restore-collection things" in case.target.log[first:]
    only_system = {"_system": source()["_system"]}
    schema.follow(only_system)
    assert set(case.target.databases) == {"_system"}
    assert {plan.id.database for plan in case.plane.plans.values()} == {"_system"}


def test_what_uses_an_analyzer_is_made_anew_with_it() -> None:
    """Views and inverted indexes keep the analyzer they were made with. They go first, for the case of a crash."""
    case = Case()
    schema = case.schema()
    view = {"name": "v", "type": "arangosearch", "links": {"things": {"fields": {"a": {"analyzers": ["low"]}}}}}
    other = {"name": "w", "type": "arangosearch", "links": {"things": {}}}
    inverted = index("i", type="inverted", fields=[{"name": "a", "analyzer": "shop::low"}])
    things = collection("things", "10", [index("a"), inverted])
    wanted = source(views=[view, other], collections=[things])
    schema.follow(wanted)
    case.target.log.clear()
    upper = {"low": {"type": "norm", "properties": {"case": "upper"}, "features": []}}
    schema.follow({**wanted, "shop": replace(wanted["shop"], analyzers=upper)})
    assert case.target.log == [
        "DELETE view/v", "DELETE index/things/id-i", "DELETE analyzer/low", "POST analyzer low", "PUT restore-view v",
    ]  # fmt: skip
    assert [item["name"] for item in schema.missing["shop"][0].ordinary] == ["i"]


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("prefix", ["_system::", "::"])
def test_what_uses_an_analyzer_of_system_is_made_anew_in_every_database(prefix: str, restarted: bool) -> None:
    """Also when the analyzer was changed while no agent ran. One of the same name in the database is another one."""
    case = Case()
    schema = case.schema()
    low = {"low": {"type": "norm", "properties": {"case": "lower"}, "features": []}}
    views = [
        {"name": name, "type": "arangosearch", "links": {"things": {"fields": {"a": {"analyzers": [used]}}}}}
        for name, used in (("v", f"{prefix}low"), ("w", "low"))
    ]
    wanted = source(views=views, collections=[collection("things", "10", [index("a")])])
    wanted["_system"] = replace(wanted["_system"], analyzers=low)
    schema.follow(wanted)
    if restarted:
        schema = case.schema()
    case.target.log.clear()
    upper = {"low": {"type": "norm", "properties": {"case": "upper"}, "features": []}}
    schema.follow({**wanted, "_system": replace(wanted["_system"], analyzers=upper)})
    made = [line for line in case.target.log if "view" in line or "analyzer" in line]
    assert made == ["DELETE view/v", "DELETE analyzer/low", "POST analyzer low", "PUT restore-view v"]


def test_a_view_waits_for_its_inverted_indexes() -> None:
    """They are built in the background; the pass after that makes it, and nothing is refused meanwhile."""
    case = Case()
    schema = case.schema()
    schema.follow(source(collections=[collection("things", "10")], views=[]))
    inverted = index("i", type="inverted")
    alias = {"name": "v", "type": "search-alias", "indexes": [{"collection": "things", "index": "i"}]}
    wanted = source(collections=[collection("things", "10", [inverted])], views=[alias])
    schema.follow(wanted)
    assert "PUT restore-view v" not in case.target.log
    case.target.databases["shop"]["collections"]["things"]["indexes"]["i"] = inverted
    schema.look_again("shop")
    schema.follow(wanted)
    assert case.target.log[-1] == "PUT restore-view v"
    assert case.findings.all() == []


def test_indexes_that_come_go_and_change() -> None:
    """On collections with data the builder makes them; what is gone or different is dropped at once."""
    case = Case()
    schema = case.schema()
    schema.follow(source())
    things = collection("things", "10", [index("a", sparse=True), index("b"), index("u", unique=True)])
    schema.follow(source(collections=[things, *source_without("things")]))
    assert set(case.target.databases["shop"]["collections"]["things"]["indexes"]) == set()
    missing = schema.missing["shop"][0]
    assert [item["name"] for item in missing.ordinary] == ["a", "b"]
    assert [item["name"] for item in missing.unique] == ["u"]


def test_a_refused_definition_is_a_finding_and_resolved_later() -> None:
    """I9: named, blocking, and gone when it is taken."""
    case = Case()
    schema = case.schema()
    bad = collection("things", "10", [index("a", refused=True)])
    schema.follow(source(collections=[bad]))
    assert [item["where"] for item in case.findings.blocking()] == ["collection shop/things"]
    schema.follow(source(collections=[collection("things", "10", [index("a")])]))
    assert case.findings.blocking() == []


@pytest.mark.parametrize("then", [source_without("things"), None])
def test_i9_a_finding_goes_with_its_definition(then: list[dict[str, Any]] | None) -> None:
    """What was refused and is dropped on the source does not block for ever; nor with its whole database."""
    case = Case()
    schema = case.schema()
    schema.follow(source(collections=[collection("things", "10", [index("a", refused=True)])]))
    assert case.findings.blocking()
    schema.follow({"_system": source()["_system"]} if then is None else source(collections=then))
    assert case.findings.blocking() == []


def test_another_layout_is_refused() -> None:
    """Revisions are unique only within a shard."""
    case = Case()
    case.target.databases["shop"] = case.target._empty("9")
    case.target._create_collection("shop", {"parameters": {"name": "things", **LAYOUT, "numberOfShards": 2}})
    schema = case.schema()
    schema.follow(source(collections=[collection("things", "10")]))
    assert [item["code"] for item in case.findings.blocking()] == ["CUT-SCHEMA-2"]
    assert case.plane.plans == {} or "things" not in {plan.collection for plan in case.plane.plans.values()}


@pytest.mark.parametrize(
    ("parameters", "code"),
    [({"usesRevisionsAsDocumentIds": False}, "CUT-SCHEMA-4"), ({"isSmart": True}, "CUT-SCHEMA-1")],
)
def test_what_cannot_keep_its_revisions_is_refused(parameters: dict[str, Any], code: str) -> None:
    """By name."""
    case = Case()
    case.schema().follow(source(collections=[collection("things", "10", **parameters)]))
    assert [item["code"] for item in case.findings.blocking()] == [code]


def test_i4_resume_by_the_journal() -> None:
    """Shards that were in sync are not copied again; the others are, without unique indexes in the way."""
    case = Case()
    schema = case.schema()
    schema.follow(source())
    things = ShardId("shop", "10", "s10")
    schema.map.note_states({things: ShardState.IN_SYNC}, schema.leaders)
    case.target.databases["shop"]["collections"]["edges"]["indexes"]["x"] = index("x", unique=True)
    again = case.schema()
    again.resume(source(), {"PRMR-1"})
    assert case.plane.in_sync == {things}
    assert not case.plane.plans[ShardId("shop", "11", "s11")].first_copy_into_empty
    assert case.target.databases["shop"]["collections"]["edges"]["indexes"] == {}


def test_what_was_dropped_while_no_agent_ran_is_forgotten_too() -> None:
    """Else nobody would ever settle what an earlier process left to be read back of it."""
    case = Case()
    case.schema().follow(source())
    case.plane.log.clear()
    again = case.schema()
    rest = source(collections=source_without("edges"))
    again.resume(rest, {"PRMR-1"})
    again.follow(rest)
    assert "forget 11" in case.plane.log


def test_i3_another_leader_after_the_restart_is_never_taken_for_in_sync() -> None:
    """Positions do not carry over to another server; it is told, too."""
    case = Case()
    schema = case.schema()
    schema.follow(source())
    things = ShardId("shop", "10", "s10")
    schema.map.note_states({things: ShardState.HELD}, schema.leaders)
    moved = copy.deepcopy(source_without("nothing"))
    moved[2]["parameters"]["shards"] = {"s10": ["PRMR-2", "PRMR-1"]}
    again = case.schema()
    again.resume(source(collections=moved), {"PRMR-1", "PRMR-2"})
    assert case.plane.in_sync == set()
    assert case.plane.suspect == {things}
    assert case.plane.plans[things].leader == "PRMR-2"


def test_i3_a_server_whose_log_does_not_go_on_is_not_trusted_after_the_restart() -> None:
    """Its shards are compared, not copied."""
    case = Case()
    schema = case.schema()
    schema.follow(source())
    things = ShardId("shop", "10", "s10")
    schema.map.note_states({things: ShardState.IN_SYNC}, schema.leaders)
    case.schema().resume(source(), set())
    assert (case.plane.in_sync, case.plane.suspect) == (set(), {things})


@pytest.mark.parametrize("state", [ShardState.SUSPECT, ShardState.CATCHING_UP])
def test_i3_what_was_copied_and_is_in_doubt_is_compared_after_the_restart(state: ShardState) -> None:
    """And what was never wholly copied is copied."""
    case = Case()
    schema = case.schema()
    schema.follow(source())
    things = ShardId("shop", "10", "s10")
    schema.map.note_states({things: state, ShardId("shop", "11", "s11"): ShardState.COPYING}, schema.leaders)
    case.schema().resume(source(), {"PRMR-1"})
    assert (case.plane.in_sync, case.plane.suspect) == (set(), {things})


def test_i3_another_leader_while_running_is_told_to_the_data_path() -> None:
    """Once it is known who that is: a leader that resigns is none, and leaves no trace."""
    case = Case()
    schema = case.schema()
    schema.follow(source())
    things = collection("things", "10", [index("a"), index("u", unique=True)])
    identity = ShardId("shop", "10", "s10")
    for servers, known in ((["_PRMR-1", "PRMR-2"], {}), ([], {}), (["PRMR-2", "PRMR-1"], {identity: "PRMR-2"})):
        things["parameters"]["shards"] = {"s10": servers}
        schema.follow(source(collections=[things, *source_without("things")]))
        assert case.plane.relocated == known
    assert schema.leaders[identity] == "PRMR-2"


def test_unknown_shards_are_explained_by_the_inventory() -> None:
    """Only those that nobody lists may be forgotten."""
    schema = Case().schema()
    assert schema.gone(source(), [("shop", "s10"), ("shop", "s99")]) == [("shop", "s99")]
