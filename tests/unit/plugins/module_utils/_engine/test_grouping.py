# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One shard that cannot be read keeps no other one from its snapshot."""

from __future__ import annotations

import time
from pathlib import Path

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.grouping import failed, grouped
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import ShardBook, ShardId, ShardPlan


def test_a_group_that_failed_is_tried_one_by_one(tmp_path: Path) -> None:
    book = ShardBook(tmp_path)
    shards = [
        book.add(ShardPlan(ShardId(database, "1", name), "c", f"c1/{name}", "S1"))
        for database, name in (("d", "s1"), ("d", "s2"), ("e", "s3"), ("d", "s4"))
    ]
    one, two, other, four = shards
    assert grouped(shards, 9) == [one, two, four]
    assert grouped(shards, 2) == [one, two]
    failed([one, two], 60.0)
    assert grouped(shards, 9) == [one], "as it is the first one"
    assert grouped([four, one, two], 9) == [four], "and the others do not wait for it"
    assert one.not_before < time.monotonic()
    failed([one], 60.0)
    assert one.not_before > time.monotonic() + 30.0
    assert two.not_before < time.monotonic()
    assert grouped([two, other], 9) == [two]
