# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One snapshot that this agent copies for the one that leads (design §4.8)."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import Callable, Optional, Sequence

from .._core.arango import Coordinators
from .._core.clock import Deadline
from .._core.errors import CutoverError
from .brake import Brake
from .bulk import Refused
from .dataplane_types import Settings
from .exactness import ExactNumbers
from .findings import Finding
from .fleet_journal import Job
from .lending import Carried
from .packing import Packing
from .patience import Patience, Result, Stopped, Troubles, WriteGate
from .reads import Reader
from .restore import Restorer
from .shards import ShardId, ShardPlan
from .snapshot import SnapshotLostError
from .target import TargetWriter
from .topology import Source
from .transfer import Transfer

LOG = logging.getLogger(__name__)
# So many of the longest pauses between two tries.
_GIVE_UP_PAUSES = 4


class _Impatience(Patience):
    """What cannot be read for some time from here is left to whoever leads, who may reach it."""

    def call(
        self, call: Callable[[], Result], on_error: Optional[Callable[[CutoverError], None]] = None
    ) -> Result:
        """See ``Patience``; raises also what has not passed in that time."""
        deadline = Deadline(_GIVE_UP_PAUSES * self.cap)

        def look(error: CutoverError) -> None:
            if on_error is not None:
                on_error(error)
            if deadline.expired:
                raise error

        return super().call(call, look)


@dataclass(frozen=True)
class Means:
    """What all copies of a session share. ``check`` is the gate of its lease."""

    source: Source
    target: Coordinators
    check: Callable[[], None]
    settings: Settings
    brake: Brake
    transfer: Transfer
    packing: Packing
    troubles: Troubles


class JobCopy:
    """Copies the shards of one job, unless it is withdrawn; ``rest`` holds it between two writes."""

    def __init__(self, job: Job, means: Means) -> None:
        self.job = job
        self._means = means
        self._stop = threading.Event()
        self._patience = _Impatience(self._stop, means.troubles, means.settings.time_scale)
        self._gate = WriteGate(means.check, self._patience)
        self._plans = {plan.id.shard: plan for plan in job.plans}
        self._unsettled: set[str] = set()
        self._refused: set[str] = set()
        settings = means.settings
        writer = TargetWriter(
            means.target, self._gate, self._patience, self, settings.batch_bytes, means.packing
        )
        exact = ExactNumbers(
            means.source.coordinators, self._patience, self._told, needed=not settings.exact_numbers
        )
        reader = Reader(means.target, self._patience)
        self._restorer = Restorer(writer, reader, self._refuse, settings.batch_documents, exact)

    def withdraw(self) -> None:
        """Begin no further write."""
        self._stop.set()

    def rest(self, held: bool) -> None:
        """Begin no write, or begin them again."""
        if held:
            self._gate.begin_pause()
        else:
            self._gate.resume()

    @property
    def rests(self) -> bool:
        """Whether it writes nothing, because it is to rest."""
        return self._gate.rests

    def run(self) -> Carried:
        """Copy; what this returns says what came of it, and nothing of it is under way then."""
        copied: frozenset[str] = frozenset()
        lost = False
        error: Optional[str] = None
        try:
            self._copy()
            copied = frozenset(self._plans) - self._refused
        except SnapshotLostError:
            lost = True
        except Stopped:
            LOG.info("a job of %d shards was withdrawn", len(self._plans))
        except CutoverError as problem:
            error = problem.message
        except Exception as problem:  # noqa: BLE001 - whoever leads copies it then, and tells why it cannot
            error = f"{type(problem).__name__}: {problem}"
        return Carried(copied, frozenset(self._unsettled), frozenset(self._refused), lost, error)

    def _copy(self) -> None:
        job, source = self.job, self._means.source
        if job.server not in source.servers:
            source.refresh()
        server = source.servers.get(job.server)
        if server is None:
            raise CutoverError("CUT-TOPO-6", f"the DB-Server {job.server} cannot be reached from this host")
        self._means.transfer.copy(job.server, server, job.database, job.shards, self._patience, self._write)

    def _write(self, shard: str, body: bytes) -> bool:
        self._patience.check()
        self._restorer.restore(self._plans[shard], body)
        return True

    def note(self, shard: ShardId, _keys: Sequence[bytes]) -> None:
        """See ``UnknownOutcomes``: keys stay on this host, and whoever leads reads the collection back."""
        self._unsettled.add(shard.shard)

    def _refuse(self, plan: ShardPlan, _refused: Refused) -> None:
        """Whoever leads copies the shard itself, and so tells of the document by its key (invariant I9)."""
        self._refused.add(plan.id.shard)

    def _told(self, _finding: Finding) -> None:
        self._refused.update(self._plans)
