# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""After the opening: late writes on the source become findings, TTL and vector indexes are built (design §4.5, §5)."""

from __future__ import annotations

import logging
import threading
from typing import Any, Optional

from .._core.catalogue import lookup
from .._core.clock import Deadline
from .._core.errors import CutoverError
from .cutover_world import job_of
from .findings import Finding, Findings
from .index_builder import IndexBuilder
from .running import Running
from .world import World

LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.2


def watch_late_writes(running: Running, findings: Findings, seconds: float, stop: threading.Event) -> None:
    """Watch the logs for ``seconds`` for writes that came after the fence; each becomes a finding."""
    stop.wait(seconds * running.world.settings.time_scale)
    try:
        running.plane.scan_to(running.end_ticks(), Deadline(30.0))
    except CutoverError as error:
        LOG.warning("the last look at the source's logs failed: %s", error)
    late = running.plane.late_markers()
    for item in late.samples:
        where = f"{item.database}/{item.collection}"
        text = f"written on the source after the fence (server {item.server}, position {item.tick})"
        findings.report(
            Finding("CUT-PROOF-3", "warning", where, text, lookup("CUT-PROOF-3").remedy, item.key)
        )
    if late.count > len(late.samples):
        text = f"{late.count - len(late.samples)} further writes on the source after the fence"
        findings.report(Finding("CUT-PROOF-3", "warning", "source", text, lookup("CUT-PROOF-3").remedy))


class LateIndexes:
    """Builds what the result in the journal lists, until all is built or refused."""

    def __init__(self, world: World, findings: Findings) -> None:
        self._world = world
        self._result = world.result.load()
        self._jobs = [job_of(document) for document in self._result.get("late", [])]
        self._total = sum(len(job.indexes) for job in self._jobs)
        self._builder: Optional[IndexBuilder] = None
        self._findings = findings
        self._event = threading.Event()

    def counts(self) -> dict[str, int]:
        """``late_indexes`` of the status document."""
        if self._result.get("late_done") or self._builder is None:
            done = self._result.get("late_done", False)
            return {"pending": 0 if done else self._total, "built": self._total if done else 0, "failed": 0}
        left, built, failed = self._builder.counts()
        return {"pending": left, "built": built, "failed": failed}

    def document(self) -> dict[str, Any]:
        """For the report."""
        names = [
            f"{job.database}/{job.collection}/{index.get('name')}" for job in self._jobs for index in job.indexes
        ]
        return {**self.counts(), "indexes": names}

    def run(self, stop: threading.Event) -> None:
        """Return when nothing is left to build, or when ``stop`` is set."""
        if self._result.get("late_done") or not self._jobs:
            return
        self._builder = IndexBuilder(
            self._world.admin,
            None,
            self._findings.report,
            self._findings.resolve,
            self._built,
            failure=("CUT-SCHEMA-9", "warning"),
        )
        self._builder.start()
        self._builder.want(self._jobs)
        while not stop.is_set() and (self._builder.counts()[0] or self._builder.busy):
            self._event.wait(_POLL_SECONDS)
            self._event.clear()
        if not stop.is_set():
            self._world.result.update(late_done=True)

    def _built(self, _database: str) -> None:
        self._event.set()

    def close(self, timeout: float) -> None:
        """End the builder's thread."""
        if self._builder is not None:
            self._builder.close(timeout)
