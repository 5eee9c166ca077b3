# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Builds indexes on collections that hold data: unique ones under hold, late ones after the opening (design §4.5)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable, Optional, Protocol

from .._core.catalogue import lookup
from .._core.clock import Deadline
from .._core.errors import CutoverError
from .findings import Finding
from .target_admin import TargetAdmin

LOG = logging.getLogger(__name__)
HOLD_REASON = "unique index"
_HOLD_SECONDS = 120.0
_RETRY_SECONDS = 1.0
# After a refusal: documents may have been put right meanwhile. A build that takes long is not tried all the time.
_REFUSED_SECONDS = 60.0
_REFUSED_TIMES = 10.0


class HoldPort(Protocol):
    """What the builder needs of the data path."""

    def hold(self, database: str, plan_id: str, reason: str, deadline: Deadline) -> None:
        """Return when every shard of the collection is held at a batch boundary."""

    def release(self, database: str, plan_id: str, reason: str) -> None:
        """Go on."""

    def recheck_pending(self) -> int:
        """Writes whose outcome is not known yet."""


@dataclass(frozen=True)
class IndexJob:
    """Indexes to build on one collection; ``held`` with the collection's shards held meanwhile."""

    database: str
    plan_id: str
    collection: str
    indexes: tuple[Mapping[str, Any], ...]
    held: bool

    @property
    def key(self) -> tuple[str, str, bool]:
        """There is one job of each kind for a collection."""
        return (self.database, self.plan_id, self.held)


IndexId = tuple[str, str, str]


def _id(job: IndexJob, index: Mapping[str, Any]) -> IndexId:
    return (job.database, job.plan_id, str(index.get("name")))


@dataclass(frozen=True)
class Refusal:
    """An index that the target did not build; it is tried again after ``until``."""

    index: Mapping[str, Any]
    where: str
    until: Deadline


class IndexBuilder:
    """One thread, one collection at a time. ``built`` is called with the database after each job."""

    def __init__(
        self,
        admin: TargetAdmin,
        plane: Optional[HoldPort],
        report: Callable[[Finding], None],
        resolve: Callable[[str, Optional[str]], None],
        built: Callable[[str], None],
        *,
        failure: tuple[str, str] = ("CUT-SCHEMA-5", "error"),
        time_scale: float = 1.0,
    ) -> None:
        self._admin = admin
        self._plane = plane
        self._report = report
        self._resolve = resolve
        self._built = built
        self._failure = failure
        self._time_scale = time_scale
        self._condition = threading.Condition()
        self._jobs: dict[tuple[str, str, bool], IndexJob] = {}
        self._wanted: set[tuple[str, str, bool]] = set()
        self._active: Optional[IndexJob] = None
        self._stopping = False
        self._done = 0
        self._refused: dict[IndexId, Refusal] = {}
        self._thread = threading.Thread(target=self._run, name="index-builder", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def want(self, jobs: Sequence[IndexJob]) -> None:
        """Replace what is to be done; a job under way is finished. What was refused is tried again after a while."""
        with self._condition:
            self._forget_refusals(jobs)
            self._jobs = {job.key: job for job in jobs if self._open_indexes(job)}
            self._wanted = set(self._jobs)
            if self._jobs:
                self._condition.notify_all()

    def _forget_refusals(self, jobs: Sequence[IndexJob]) -> None:
        wanted = {_id(job, index): index for job in jobs for index in job.indexes}
        for identity, refusal in list(self._refused.items()):
            gone = wanted.get(identity) != refusal.index
            if gone:
                self._resolve(self._failure[0], refusal.where)
            if gone or refusal.until.expired:
                del self._refused[identity]

    def _open_indexes(self, job: IndexJob) -> list[Mapping[str, Any]]:
        return [index for index in job.indexes if _id(job, index) not in self._refused]

    @property
    def busy(self) -> bool:
        """Whether a job is under way."""
        with self._condition:
            return self._active is not None

    def counts(self) -> tuple[int, int, int]:
        """Indexes still to build, built, and refused by the target."""
        with self._condition:
            left = {job.key: job for job in [*self._jobs.values(), *([self._active] if self._active else [])]}
            return sum(len(self._open_indexes(job)) for job in left.values()), self._done, len(self._refused)

    def close(self, timeout: float) -> None:
        """End the thread; a build that runs on the target goes on there."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _next(self) -> Optional[IndexJob]:
        with self._condition:
            while not self._jobs and not self._stopping:
                self._condition.wait()
            if self._stopping:
                return None
            self._active = self._jobs.pop(next(iter(self._jobs)))
            return self._active

    def _run(self) -> None:
        while True:
            job = self._next()
            if job is None:
                return
            try:
                self._build(job)
            except CutoverError as error:
                LOG.warning("indexes of %s/%s: %s", job.database, job.collection, error)
                self._wait_and_put_back(job)
            except Exception as error:
                LOG.exception("indexes of %s/%s", job.database, job.collection)
                where = f"indexes of {job.database}/{job.collection}"
                text = f"unexpected {type(error).__name__}; the agent's log says where"
                self._report(Finding("CUT-ENGINE-1", "error", where, text, lookup("CUT-ENGINE-1").remedy))
                self._wait_and_put_back(job)
            finally:
                with self._condition:
                    self._active = None
                self._built(job.database)

    def _wait_and_put_back(self, job: IndexJob) -> None:
        with self._condition:
            if not self._stopping:
                self._condition.wait_for(lambda: self._stopping, _RETRY_SECONDS)
            if job.key in self._wanted:
                self._jobs.setdefault(job.key, job)

    def _build(self, job: IndexJob) -> None:
        if job.held and self._plane is not None:
            self._plane.hold(job.database, job.plan_id, HOLD_REASON, Deadline(_HOLD_SECONDS))
            try:
                self._create(job)
            finally:
                self._plane.release(job.database, job.plan_id, HOLD_REASON)
        else:
            self._create(job)

    def _create(self, job: IndexJob) -> None:
        for index in self._open_indexes(job):
            name = str(index.get("name"))
            where = f"index {job.database}/{job.collection}/{name}"
            body = dict(index) if job.held else {**index, "inBackground": True}
            begun = time.monotonic()
            try:
                self._admin.create_index(job.database, job.collection, body)
            except CutoverError as error:
                if error.retriable or (self._plane is not None and self._plane.recheck_pending()):
                    # A late request may have brought an old value back: it is read back and put right first.
                    raise
                code, severity = self._failure
                self._report(Finding(code, severity, where, error.message, lookup(code).remedy))
                seconds = max(_REFUSED_SECONDS * self._time_scale, _REFUSED_TIMES * (time.monotonic() - begun))
                with self._condition:
                    self._refused[_id(job, index)] = Refusal(index, where, Deadline(seconds))
                continue
            self._resolve(self._failure[0], where)
            with self._condition:
                self._done += 1
