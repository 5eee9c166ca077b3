# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the target is to have of a table when a run asks for another number of shards."""

from __future__ import annotations

from tests.compare.definitions import Table, with_shards

TABLE: Table = {
    ("collection", "shop", "orders"): {"shard_count": 4, "sync": False},
    ("collection", "shop", "events"): {"shard_count": 2, "sync": False},
    ("index", "shop", "orders", "primary"): {"type": "primary"},
}


def test_only_the_number_of_shards_of_the_named_collections_is_another() -> None:
    wanted = with_shards(TABLE, {("shop", "orders"): 6})
    assert wanted == {**TABLE, ("collection", "shop", "orders"): {"shard_count": 6, "sync": False}}
    assert TABLE["collection", "shop", "orders"]["shard_count"] == 4


def test_a_collection_that_users_have_dropped_is_not_wanted() -> None:
    assert with_shards(TABLE, {("shop", "season"): 3}) == TABLE
