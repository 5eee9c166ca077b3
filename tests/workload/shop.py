# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The database that the workload writes to."""

from __future__ import annotations

from tests.workload.schema import CollectionSpec, DatabaseSpec

__all__ = ["RECREATED", "SHOP"]

RECREATED = CollectionSpec("season", 2, indexes=({"type": "persistent", "fields": ["wave"]},))
SHOP = DatabaseSpec(
    name="shop",
    collections=(
        CollectionSpec("counters", 3),
        CollectionSpec(
            "orders", 4,
            indexes=(
                {"type": "persistent", "fields": ["customer", "total"]},
                {"type": "persistent", "fields": ["note"], "sparse": True},
            ),
        ),
        CollectionSpec("events", 2),
        CollectionSpec("accounts", 1, indexes=({"type": "persistent", "fields": ["email"], "unique": True},)),
        CollectionSpec(
            "seats", 3, shard_keys=("hall",), keys="uuid",
            indexes=({"type": "persistent", "fields": ["hall", "number"], "unique": True, "sparse": True},),
        ),
        CollectionSpec("ledger", 3),
        CollectionSpec("frames", 3),
        CollectionSpec("basket", 2),
        CollectionSpec("heap", 1),
        CollectionSpec("beat", 1),
        RECREATED,
    ),
)
