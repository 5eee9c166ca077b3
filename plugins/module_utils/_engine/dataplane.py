# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The facade of the data path: tailers, copiers and appliers of one migration (design §4.1 to §4.6)."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Iterable, Mapping, Sequence

from .._core.arango import Coordinators
from .._core.clock import Deadline
from .dataplane_types import LateMarkers, Progress, Settings, Source, TargetGate, TopologyChange
from .findings import Finding
from .shards import ShardId, ShardPlan, ShardState


class DataPlane:
    """Moves documents from the source to the target; everything about definitions is the control path's."""

    users_dirty: set[str]

    def __init__(self, *, source: Source, target: Coordinators, gate: TargetGate, state_dir: Path, settings: Settings,
                 report: Callable[[Finding], None]) -> None:
        """Nothing is contacted before ``start``."""

    def register(self, plans: Sequence[ShardPlan], in_sync: bool = False) -> None:
        """Add shards. ``in_sync=True`` (journaled as in-sync or held) only BEFORE ``start``; others at any time."""

    def start(self, restart: Mapping[str, int | None]) -> None:
        """Start all threads. Keys: every DB-Server; None = from its log's end now."""

    def restart_ticks(self) -> dict[str, int]:
        """What to journal per server. Read ``states()`` first, then this, journal both, then ``checkpointed``."""

    def checkpointed(self, ticks: Mapping[str, int]) -> None:
        """These ticks are in the journal now: the retention registration follows them."""

    def states(self) -> dict[ShardId, ShardState]: ...
    def progress(self) -> Progress: ...
    def unknown_cuids(self) -> set[tuple[str, str]]: ...
    def discard(self, database: str, cuid: str) -> None: ...
    def hold(self, database: str, plan_id: str, reason: str, deadline: Deadline) -> None: ...
    def release(self, database: str, plan_id: str, reason: str) -> None:
        """Returns at once; the shards are in-sync again when their spools are drained."""

    def quiesce(self, database: str, plan_id: str, deadline: Deadline) -> None: ...
    def forget(self, database: str, plan_id: str) -> None: ...
    def suspect(self, shards: Iterable[ShardId], reason: str) -> None: ...
    def drain(self, upto: Mapping[str, int], deadline: Deadline) -> None: ...
    def late_markers(self) -> LateMarkers: ...
    def end_watch(self) -> None:
        """After a way back: stop counting late markers."""

    def recheck_pending(self) -> int: ...
    def settle(self, deadline: Deadline) -> None: ...
    def server_changed(self) -> list[TopologyChange]: ...
    def take_users_dirty(self) -> set[str]: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def close(self, timeout: float) -> None: ...
