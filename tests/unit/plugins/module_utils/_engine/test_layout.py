# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Another number of shards: what gets it, with revisions of its own, and what cannot have it (design §4.7)."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.definitions import problems
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.inventory import Inventory
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.schema import plans_of
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shape import Shape, shape_of
from tests.unit.schema_fakes import VERSION, Case, collection, inv_of, source

UNIQUE = [{"id": "7", "type": "persistent", "name": "u", "fields": ["x"], "unique": True, "sparse": False}]
NINE: dict[str, Any] = {"numberOfShards": 9}


def shape(number: int | None = 3, policy: str | None = "regenerate") -> Shape:
    """For every collection of the database shop."""
    wanted = {"number_of_shards": {"shop": number} if number else {}, "rev_policy": {"shop": policy} if policy else {}}
    return shape_of(wanted)


def found(wanted: Shape, inventory: Inventory, name: str = "things") -> tuple[Any, bool]:
    """Number of shards, and whether revisions are kept."""
    item = wanted.apply(inventory)["shop"].collections[name]
    assert {plan.likeness for plan in plans_of("shop", item, empty=True)} == {item.likeness}
    return item.parameters["numberOfShards"], item.likeness.keeps_revisions


@pytest.mark.parametrize(
    ("number", "policy", "result", "denied"),
    [
        (None, None, (9, True), 0),
        (9, "keep", (9, True), 0),
        (9, None, (9, True), 0),
        (None, "regenerate", (9, False), 0),
        (9, "regenerate", (9, False), 0),
        (3, "regenerate", (3, False), 0),
        (20, "regenerate", (20, False), 0),
        (3, "keep", (9, True), 1),
        (20, None, (9, True), 1),
    ],
)
def test_another_number_only_with_new_revisions(
    number: int | None, policy: str | None, result: tuple[int, bool], denied: int
) -> None:
    """What is denied stays as it is on the source."""
    inventory = source(collections=[collection("things", "10", **NINE)])
    wanted = shape(number, policy)
    assert found(wanted, inventory) == result
    texts = [item.text for item in wanted.layout.denied(inventory)]
    assert len(texts) == denied
    assert all("one would overwrite the other" in text for text in texts)


@pytest.mark.parametrize(
    ("changes", "number", "result", "why"),
    [
        ({"shardKeys": ["region"]}, 3, (9, True), "chosen by region"),
        ({"isSmart": True}, 3, (9, True), "smart graphs"),
        ({"smartJoinAttribute": "x"}, None, (9, True), "smart joins"),
        ({"distributeShardsLike": "other"}, 3, (9, False), "placed like those of another"),
        ({"replicationFactor": "satellite", "numberOfShards": 1}, 3, (1, False), "satellite"),
        ({"keyOptions": {"type": "autoincrement"}, "numberOfShards": 1}, 3, (1, False), "autoincrement"),
        ({"keyOptions": {"type": "autoincrement"}}, 1, (1, False), None),
        # What may come later too is told, and the target refuses it; the collection's rule must not change.
        ({"indexes": UNIQUE, "numberOfShards": 1}, 3, (3, False), "unique indexes without _key need one shard: u"),
        ({"indexes": UNIQUE}, 1, (1, False), None),
    ],
)
def test_what_cannot_have_it_is_named(
    changes: dict[str, Any], number: int | None, result: tuple[int, bool], why: str | None
) -> None:
    inventory = source(collections=[collection("things", "10", **{**NINE, **changes})])
    wanted = shape(number)
    assert found(wanted, inventory) == result
    texts = " ".join(item.text for item in wanted.layout.denied(inventory))
    assert (why in texts) if why else texts == ""


def test_what_others_are_placed_like_must_have_as_many() -> None:
    entries = [collection("things", "10", **NINE), collection("more", "11", distributeShardsLike="things", **NINE)]
    denied = shape().layout.denied(source(collections=entries))
    assert [(item.where, item.option) for item in denied] == [
        ("shop/more", "number_of_shards"), ("shop/things", "number_of_shards"),
    ]  # fmt: skip


def test_a_oneshard_database_keeps_its_shards() -> None:
    inventory = source(collections=[collection("things", "10")], properties={"id": "50", "sharding": "single"})
    assert found(shape(2), inventory) == (1, False)
    assert len(shape(2).layout.denied(inventory)) == 1


def test_system_collections_are_never_changed() -> None:
    inventory = source(collections=[collection("_graphs", "10", **NINE)])
    assert found(shape(), inventory, "_graphs") == (9, True)
    assert shape().layout.denied(inventory) == []


def test_the_target_is_made_with_the_wanted_number() -> None:
    """Also of a collection whose revisions the source itself does not keep apart."""
    case = Case()
    inventory = source(collections=[collection("things", "10", usesRevisionsAsDocumentIds=False, **NINE)])
    made = shape().apply(inventory)
    case.schema().follow(made)
    assert case.target.databases["shop"]["collections"]["things"]["parameters"]["numberOfShards"] == 3
    assert problems(made, inv_of(case.target), VERSION) == []
