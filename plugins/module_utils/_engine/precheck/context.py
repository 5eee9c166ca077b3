# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What rules may ask: the specification, the two clusters' facts, this host. Nothing here ever writes."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Callable, Generic, Optional, TypeVar

from ..._core.clock import SYSTEM_CLOCK, Clock
from ..._core.errors import CutoverError
from ..pins import UNPINNED, Pins
from ..spec import Spec
from ..states import ACTIVE
from ..topology import target_of
from .measure import Collection, collections_of
from .probes_trial import TRIES
from .source_facts import SourceFacts
from .target_facts import TargetFacts
from .trial import Tried, new_name, try_out
from .trying import persistently

Key = TypeVar("Key")
Value = TypeVar("Value")
# Requests at the same time, over all servers: enough to be quick, too few to be felt.
PARALLEL = 12


@dataclass(frozen=True)
class Environment:
    """What the agent's host knows and the start request does not.

    ``agent_host`` and ``agent_port`` are given only where the agent is not running yet: then the port must be free.
    ``deployment`` is what the platform told the controller about the target, where that is a deployment.
    ``pins`` are those of the agent that was asked; somebody on its host reads the secret himself.
    """

    source_jwt_secret_path: str
    state_directory: Optional[str] = None
    agent_host: Optional[str] = None
    agent_port: Optional[int] = None
    deployment: Optional[Mapping[str, Any]] = None
    pins: Pins = UNPINNED


@dataclass(frozen=True)
class Asked:
    """What is wanted beyond the table of checks.

    ``forecast``: sizes and times to expect; ``sample_seconds`` of reading real shards and logs for it (0: none).
    ``probe_target`` allows what writes: a throw-away database on the target, which is removed again.
    """

    forecast: bool = False
    sample_seconds: float = 0.0
    probe_target: bool = False


TABLE_ONLY = Asked()


@dataclass(frozen=True)
class Result(Generic[Value]):
    """A value or the error instead of it."""

    value: Optional[Value] = None
    error: Optional[CutoverError] = None

    def get(self) -> Value:
        """The value; raises the error."""
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]


class Memo:
    """Each fact is measured once, by the first who asks; the others wait and get the same value or error."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._known: dict[str, tuple[Any, Optional[Exception]]] = {}

    def get(self, name: str, measure: Callable[[], Value]) -> Value:
        """The fact of that name, measured now if it is not known yet."""
        with self._lock:
            own = self._locks.setdefault(name, threading.Lock())
        with own:
            if name not in self._known:
                try:
                    self._known[name] = (measure(), None)
                except Exception as error:
                    self._known[name] = (None, error)
                    raise
            value, failure = self._known[name]
        if failure is not None:
            raise failure
        return value  # type: ignore[no-any-return]


class Context:
    """One run's facts. Close it afterwards; calls that still wait then end with an error.

    ``resuming``: the migration is under way, this host only goes on with it (see ``Row.passing``).
    """

    def __init__(
        self, spec: Spec, environment: Environment, clock: Clock = SYSTEM_CLOCK, *, resuming: bool = False,
        asked: Asked = TABLE_ONLY,
    ) -> None:  # fmt: skip
        self.spec = spec
        self.asked = asked
        self.environment = environment
        self.clock = clock
        self.resuming = resuming
        self._calls = ThreadPoolExecutor(max_workers=PARALLEL, thread_name_prefix="precheck-call")
        # Whether each row of this run can be accepted, by id; set by the runner.
        self.known_rows: dict[str, bool] = {}
        self.source = SourceFacts(spec, environment.source_jwt_secret_path, Memo(), self.gather, clock)
        self._memo = Memo()
        self._trial_database = new_name()
        self.target = TargetFacts(spec, Memo(), self.gather, clock, ignored=self._trial_database)

    def collections(self) -> list[Collection]:
        """Every collection of the source."""
        return list(collections_of(self.source.inventory()))

    def trial(self) -> Optional[Tried]:
        """What was tried in a throw-away database of the target; None unless that is allowed."""
        return self._memo.get("trial", self._try_out) if self.asked.probe_target else None

    def _try_out(self) -> Tried:
        state = (self.target.journal("migration") or {}).get("state")
        if state in ACTIVE:
            return Tried(self._trial_database, problem=f"nothing is tried on the target of a migration that is {state}")
        self.target.coordinators()
        # Connections of its own: what was made is removed even if the checks are over before.
        target = target_of(self.spec)
        try:
            return try_out(target, self._trial_database, TRIES)
        finally:
            target.close()

    def gather(self, calls: Mapping[Key, Callable[[], Value]]) -> dict[Key, Result[Value]]:
        """Make several calls at the same time and wait for all. Calls must not gather themselves."""
        futures = {key: self._calls.submit(persistently, call) for key, call in calls.items()}
        results: dict[Key, Result[Value]] = {}
        for key, future in futures.items():
            try:
                results[key] = Result(value=future.result())
            except CutoverError as error:
                results[key] = Result(error=error)
        return results

    def close(self) -> None:
        """Close every connection and give up what is still waiting."""
        self.source.close()
        self.target.close()
        self._calls.shutdown(wait=False, cancel_futures=True)
