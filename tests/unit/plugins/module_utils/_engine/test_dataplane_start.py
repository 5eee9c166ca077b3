# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the data path doubts when it begins where another process ended."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.dataplane import DataPlane
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.dataplane_types import Settings
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import ShardId, ShardPlan

PLANS = [ShardPlan(ShardId("d", plan, shard), "c", shard, "PRMR-1") for plan in "12" for shard in "ab"]


def plane(directory: Path, *, took_over: bool) -> DataPlane:
    """A data path that was not started."""
    source: Any = SimpleNamespace(servers={"PRMR-1": SimpleNamespace(label="PRMR-1")}, coordinators=None)
    gate: Any = SimpleNamespace(check=lambda: None)
    parts: dict[str, Any] = {"source": source, "target": None, "gate": gate, "report": lambda finding: None}
    directory.mkdir(exist_ok=True)
    return DataPlane(state_dir=directory, settings=Settings(), took_over=took_over, **parts)


def test_i1_after_a_take_over_every_collection_is_compared_once(tmp_path: Path) -> None:
    """Nobody knows which writes of the lost agent have an unknown outcome; a restart does not forget the doubt."""
    first = plane(tmp_path / "data", took_over=True)
    first.register(PLANS, in_sync=True)
    assert first.recheck_pending() == 2
    assert plane(tmp_path / "data", took_over=False).recheck_pending() == 2


def test_a_restart_on_the_same_host_knows_what_is_open(tmp_path: Path) -> None:
    """Its queue lies on the disk: what was in sync is not compared as a whole."""
    first = plane(tmp_path / "data", took_over=False)
    first.register(PLANS, in_sync=True)
    assert first.recheck_pending() == 0
