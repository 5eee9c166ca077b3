# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One snapshot from a DB-Server to the target, by as many threads as the brake allows (design §4.3)."""

from __future__ import annotations

import threading
from typing import Callable, Sequence

from .._core.arango import Server
from .brake import Brake
from .lines import line_count
from .patience import Patience, Rate, Stopped
from .snapshot import Snapshot, SnapshotBatch, Snapshots

# Writes what a snapshot holds of a shard; False when it is of no concern any more.
Write = Callable[[str, bytes], bool]


class Transfer:
    """Reads snapshots and has them written; ``bytes`` and ``documents`` count what was. Thread safe."""

    def __init__(self, brake: Brake, batch_bytes: int) -> None:
        self.snapshots = Snapshots(batch_bytes)
        self.bytes = Rate()
        self.documents = Rate()
        self._brake = brake

    def copy(
        self, server_id: str, server: Server, database: str, shards: Sequence[str], patience: Patience, write: Write
    ) -> None:
        """Copy these shards as of now. When this returns, or raises what a thread met, nothing of it is under way."""
        snapshot = self.snapshots.open(server_id, server, database, shards, patience)
        try:
            self._read_all(snapshot, server_id, patience, write)
        finally:
            snapshot.close()

    def _read_all(self, snapshot: Snapshot, server_id: str, patience: Patience, write: Write) -> None:
        """Read and write with several threads; the first error of any of them is raised when all have ended."""
        errors: list[Exception] = []
        helpers: list[threading.Thread] = []

        def work(before: Callable[[], None]) -> None:
            batches = snapshot.batches()
            try:
                while not errors:
                    before()
                    with self._brake.passage(server_id, patience):
                        batch = next(batches, None)
                        if batch is None:
                            return
                        self._take(batch, write)
                        del batch
            except Exception as error:  # noqa: BLE001 - raised again by the thread that started this one
                errors.append(error)

        def hire() -> None:
            while len(helpers) < self._brake.allowed(server_id) - 1:
                helper = threading.Thread(target=work, args=(_nothing,), name="copier", daemon=True)
                helpers.append(helper)
                helper.start()

        work(hire)
        for helper in helpers:
            helper.join()
        for error in errors:
            if isinstance(error, Stopped):
                raise error
        if errors:
            raise errors[0]

    def _take(self, batch: SnapshotBatch, write: Write) -> None:
        if not write(batch.shard, batch.body):
            return
        documents = line_count(batch.body)
        self._brake.spent(len(batch.body), documents)
        self.bytes.add(len(batch.body))
        self.documents.add(documents)


def _nothing() -> None:
    """A helper hires nobody."""
