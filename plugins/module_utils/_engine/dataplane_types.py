# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The values that the data path takes from and gives to the control path."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping, Optional, Protocol

from .._core.arango import Coordinators, Server
from .shards import ShardId

MIB = 1024 * 1024


class TargetGate(Protocol):
    """Guards every write to the target."""

    def check(self) -> None:
        """Raise a ``CutoverError`` unless this agent may write to the target at this moment (lease, design §4.8)."""


class Source(Protocol):
    """The source cluster: every DB-Server by its id, and the coordinators."""

    @property
    def servers(self) -> Mapping[str, Server]:
        """DB-Servers by id (``PRMR-…``)."""

    @property
    def coordinators(self) -> Coordinators:
        """The coordinators as one fail-over client."""


@dataclass(frozen=True)
class Settings:
    """Limits of the data path. Durations are seconds and are multiplied by ``time_scale``; sizes are bytes.

    ``tail_requests``: a second, to all idle servers together. ``shared``: other agents may come and copy, too.
    """

    settle_after: float = 300.0
    time_scale: float = 1.0
    retention_interval: float = 300.0
    poll_interval: float = 0.1
    longest_poll_interval: float = 0.6
    tail_requests: float = 10.0
    appliers: int = 4
    batch_bytes: int = 8 * MIB
    batch_documents: int = 5000
    tail_chunk_bytes: int = MIB
    queue_bytes: int = 24 * MIB
    shards_per_context: int = 64
    compress: str = "never"
    exact_numbers: bool = True
    shared: bool = False

    @property
    def settle_seconds(self) -> float:
        """After how long a lost request has certainly run (design §4.5)."""
        return self.settle_after * self.time_scale

    def idle_pause(self, servers: int) -> float:
        """Between two questions to a server whose log has nothing new, when so many are followed."""
        return min(max(self.poll_interval, servers / self.tail_requests), self.longest_poll_interval)


@dataclass(frozen=True)
class TopologyChange:
    """A doubt about a server's log: ``kind`` is ``log-gap`` or ``new-data-directory`` (facts §5.4, §5.1)."""

    server: str
    kind: str
    text: str
    shards: tuple[ShardId, ...]


@dataclass(frozen=True)
class LateMarker:
    """A write in a leader's log after the drained position: the fence leaks (design §5, step 6)."""

    server: str
    database: str
    collection: str
    key: Optional[str]
    tick: int


@dataclass(frozen=True)
class LateMarkers:
    """How many late writes were seen since the last drain, and the first of them."""

    count: int = 0
    samples: tuple[LateMarker, ...] = ()


@dataclass(frozen=True)
class ServerPosition:
    """Where the reading of one DB-Server's log stands; None = not known yet."""

    read_tick: Optional[int]
    last_tick: Optional[int]
    applied_tick: Optional[int]
    restart_tick: Optional[int]
    lag_seconds: Optional[float]
    error: Optional[str]


@dataclass(frozen=True)
class Progress:
    """Counters of the data path since its start; answered from memory."""

    bytes_copied: int = 0
    documents_copied: int = 0
    documents_total: Optional[int] = None
    bytes_per_second: float = 0.0
    operations_applied: int = 0
    operations_per_second: float = 0.0
    lag_seconds: Optional[float] = None
    queued_bytes: int = 0
    spooled_bytes: int = 0
    errors: int = 0
    retries: int = 0
    recopies: int = 0
    repaired: int = 0
    discarded_markers: int = 0
    waiting: tuple[str, ...] = ()
    servers: Mapping[str, ServerPosition] = field(default_factory=dict)
