# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How many documents the shards hold: to copy the largest first and to show progress."""

from __future__ import annotations

import threading
from typing import Any, Sequence

from .._core.arango import Coordinators, segment
from .._core.errors import CutoverError
from .shards import Shard, ShardBook


class Sizes:
    """Counts of the source's shards, asked for once per collection; a count that cannot be had counts as 0."""

    def __init__(self, coordinators: Coordinators, book: ShardBook) -> None:
        self._coordinators = coordinators
        self._book = book
        self._one_at_a_time = threading.Lock()

    def learn(self, shards: Sequence[Shard]) -> None:
        """Fill ``documents`` of these shards and of the others of their collections."""
        for shard in shards:
            with self._one_at_a_time:
                if shard.documents is None:
                    self._count(shard)

    def _count(self, shard: Shard) -> None:
        path = f"/_api/collection/{segment(shard.plan.collection)}/count"
        try:
            answer: Any = self._coordinators.json("GET", path, database=shard.id.database, query={"details": True})
            counts = answer.get("count")
        except CutoverError:
            counts = {}
        with self._book.changed:
            for one in self._book.of(shard.id.database, shard.id.plan_id):
                count = counts.get(one.id.shard, 0) if isinstance(counts, dict) else 0
                one.documents = count if isinstance(count, int) else 0
            shard.documents = shard.documents or 0
