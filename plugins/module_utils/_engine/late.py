# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""After the opening: late writes on the source become findings, TTL and vector indexes are built (design §4.5, §5)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
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
_LOOK_SECONDS = 1.0
_SCAN_SECONDS = 30.0


class LateWatch:
    """Watches the source's logs after the opening: each write that came after the fence becomes a finding by key."""

    def __init__(self, running: Running, findings: Findings) -> None:
        self._running = running
        self._findings = findings
        self._told = 0
        self._first = True

    def run(
        self, seconds: float, over: Callable[[], bool], wake: threading.Event, meanwhile: Callable[[], None]
    ) -> None:
        """Look again and again for ``seconds``, and once at the end, unless ``over`` says so before."""
        deadline = Deadline(seconds * self._running.world.settings.time_scale)
        while not over():
            last = deadline.expired
            meanwhile()
            self._look()
            if last:
                return
            wake.wait(min(_LOOK_SECONDS, deadline.remaining()))
            wake.clear()

    def _look(self) -> None:
        try:
            self._running.plane.scan_to(self._running.end_ticks(), Deadline(_SCAN_SECONDS))
        except CutoverError as error:
            LOG.warning("the source's logs could not be looked at: %s", error)
            text = f"the logs could not be read to their end: {error.message}"
            self._report("CUT-PROOF-4", "source", text)
        else:
            self._findings.resolve("CUT-PROOF-4")
        self._look_at_users()
        late = self._running.plane.late_markers()
        for item in late.samples[self._told :]:
            text = f"written on the source after the fence (server {item.server}, position {item.tick})"
            self._report("CUT-PROOF-3", f"{item.database}/{item.collection}", text, item.key)
        self._told = len(late.samples)
        if late.count > len(late.samples):
            text = f"{late.count - len(late.samples)} further writes on the source after the fence"
            self._findings.resolve("CUT-PROOF-3", "source")
            self._report("CUT-PROOF-3", "source", text)

    def _look_at_users(self) -> None:
        """Once, and whenever the logs name one: they are not fenced by the read-only mode."""
        if not (self._running.plane.take_users_dirty() or self._first):
            return
        try:
            changed = self._running.world.users.changed_since_opening()
        except CutoverError as error:
            LOG.warning("the source's users could not be looked at: %s", error)
            self._first = True
            return
        self._first = False
        for name in changed:
            self._report("CUT-USER-3", f"user {name}", "changed on the source after the target's users were written")

    def _report(self, code: str, where: str, text: str, key: Optional[str] = None) -> None:
        self._findings.report(Finding(code, "warning", where, text, lookup(code).remedy, key))


def tell_of_interrupted_watch(findings: Findings) -> None:
    """A restart has lost the logs' positions: say what was not seen."""
    text = "the agent was restarted before the watch for late writes was over"
    findings.report(Finding("CUT-PROOF-4", "warning", "source", text, lookup("CUT-PROOF-4").remedy))


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

    def run(self, over: Callable[[], bool], meanwhile: Callable[[], None]) -> None:
        """Return when nothing is left to build, or when ``over`` says so."""
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
        while not over() and (self._builder.counts()[0] or self._builder.busy):
            meanwhile()
            self._event.wait(_POLL_SECONDS)
            self._event.clear()
        if not over():
            self._world.result.update(late_done=True)

    def _built(self, _database: str) -> None:
        self._event.set()

    def close(self, timeout: float) -> None:
        """End the builder's thread."""
        if self._builder is not None:
            self._builder.close(timeout)
