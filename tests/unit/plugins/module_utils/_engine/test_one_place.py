# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""However many appliers are idle, a shard that is being written is left to the one that writes it."""

from __future__ import annotations

import threading
from pathlib import Path

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.applier import Unit
from tests.unit.plugins.module_utils._engine.logs import insert
from tests.unit.plugins.module_utils._engine.test_applier import world


def test_i1_a_shard_is_in_one_place_at_a_time(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        made.gate.clear()
        for tick in range(1, 7):
            made.pool.submit(Unit(made.shards[0], [insert(tick, b"k%d" % tick)], 1))
        threading.Event().wait(0.3)
        made.gate.set()
        assert made.idle()
        assert made.overlaps == 0
        assert made.applied["s0"] == [b"k%d" % tick for tick in range(1, 7)]
