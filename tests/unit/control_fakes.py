# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fakes for the control path: a journal that loses answers, clocks that are set by hand, a world that can crash."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError, TransportError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.journal import Entry, JournalConflictError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.lease import LeaseLostError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.proof import Result


class Crash(BaseException):
    """The process is gone: nothing of it runs any more."""


def unreachable() -> TransportError:
    """An answer that never came."""
    return TransportError("CUT-HTTP-4", "no answer", outcome_unknown=True)


class FakeStore:
    """A journal with compare-and-set; ``before`` is called with the operation's name and may raise.

    ``lose`` makes the next write's answer get lost: it is carried out at once, ``late`` (by ``run_late``), or never.
    """

    def __init__(self) -> None:
        self.documents: dict[str, Entry] = {}
        self.before: Callable[[str], None] = lambda name: None
        self.lose: str | None = None
        self.late: list[Callable[[], object]] = []
        self._serial = 0

    def read(self, key: str) -> Entry | None:
        """See ``Store``."""
        self.before(f"read {key}")
        return self.documents.get(key)

    def create(self, key: str, body: Mapping[str, Any]) -> Entry:
        """See ``Store``."""
        return self._send(lambda: self._create(key, body), f"create {key}")

    def replace(self, key: str, body: Mapping[str, Any], rev: str) -> Entry:
        """See ``Store``."""
        return self._send(lambda: self._replace(key, body, rev), f"replace {key}")

    def _send(self, write: Callable[[], Entry], name: str) -> Entry:
        self.before(name)
        lost, self.lose = self.lose, None
        if lost == "now":
            write()
        elif lost == "late":
            self.late.append(write)
        if lost:
            raise unreachable()
        return write()

    def run_late(self) -> None:
        """Carry out what was lost."""
        late, self.late = self.late, []
        for write in late:
            try:
                write()
            except JournalConflictError:
                continue

    def _create(self, key: str, body: Mapping[str, Any]) -> Entry:
        if key in self.documents:
            raise JournalConflictError(key, self.documents[key])
        return self._put(key, body)

    def _replace(self, key: str, body: Mapping[str, Any], rev: str) -> Entry:
        current = self.documents.get(key)
        if current is None or current.rev != rev:
            raise JournalConflictError(key, current)
        return self._put(key, body)

    def _put(self, key: str, body: Mapping[str, Any]) -> Entry:
        self._serial += 1
        self.documents[key] = Entry(dict(body), str(self._serial))
        return self.documents[key]


@dataclass
class HandClocks:
    """Clocks that stand still until they are moved; all three can be moved apart."""

    monotonic_now: float = 100.0
    boot_now: float = 100.0
    wall_now: float = 1_700_000_000.0

    def monotonic(self) -> float:
        """See ``Clocks``."""
        return self.monotonic_now

    def boot(self) -> float:
        """See ``Clocks``."""
        return self.boot_now

    def wall(self) -> float:
        """See ``Clocks``."""
        return self.wall_now

    def pause(self, stop: threading.Event, seconds: float) -> bool:
        """See ``Clocks``."""
        self.pass_by(seconds)
        return stop.is_set()

    def pass_by(self, seconds: float) -> None:
        """All clocks go on."""
        self.monotonic_now += seconds
        self.boot_now += seconds
        self.wall_now += seconds


@dataclass
class FakeWorld:
    """Source and target of a cutover. ``before`` is called with each call's name, before its effect, and may raise;
    ``after`` likewise after the effect.
    """

    name: str = "first"
    taken_over: bool = False
    mode: str = "default"
    writers: int = 0
    differences: list[str] = field(default_factory=list)
    late: int = 0
    definitions: int = 1
    settled: int = 0
    user_problems: list[tuple[str, str]] = field(default_factory=list)
    users_open: bool = False
    users_asked: list[Collection[str] | None] = field(default_factory=list)
    completed: str | None = None
    noted: bool = False
    fence_note: str | None = None
    young: bool = True
    late_lift: float = 0.0
    calls: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    proofs: int = 0
    before: Callable[[str], None] = lambda name: None
    after: Callable[[str], None] = lambda name: None

    def _call(self, name: str, effect: Callable[[], Any]) -> Any:
        self.calls.append(name)
        self.before(name)
        value = effect()
        self.after(name)
        return value

    def agent(self) -> str:
        """See ``cutover.World``."""
        return self.name

    def check_owner(self) -> None:
        """See ``cutover.World``."""
        if self.taken_over:
            raise LeaseLostError("CUT-LEASE-2", "the lease on the target is now held by another host")

    def warm_up(self, seconds: float) -> dict[str, Any]:
        """See ``cutover.World``."""
        return self._call("warm_up", lambda: {"queries": 1})

    def read_modes(self) -> dict[str, str]:
        """See ``cutover.World``."""
        return self._call("read_modes", lambda: {"CRDN-1": self.mode, "PRMR-1": self.mode})

    def shown_modes(self) -> dict[str, str]:
        """See ``cutover.World``."""
        return self.read_modes()

    def lift_may_run_late(self) -> float:
        """See ``cutover.World``."""
        return self.late_lift

    def set_mode(self, mode: str, deadline: Deadline) -> dict[str, str]:
        """See ``cutover.World``."""

        def effect() -> dict[str, str]:
            self.mode = mode
            return {"CRDN-1": mode}

        return self._call(f"set_mode {mode}", effect)

    def cancel_writers(self, deadline: Deadline) -> int:
        """See ``cutover.World``."""
        return self._call("cancel_writers", lambda: self.writers)

    def check_fence(self, deadline: Deadline) -> None:
        """See ``cutover.World``."""

        def effect() -> None:
            if self.mode != "readonly":
                raise CutoverError("CUT-FENCE-5", "the source is not read-only any more")

        self._call("check_fence", effect)

    def settle_definitions(self, deadline: Deadline) -> None:
        """See ``cutover.World``."""

        def effect() -> None:
            self.settled = self.definitions

        self._call("settle_definitions", effect)

    def check_definitions(self) -> None:
        """See ``cutover.World``."""

        def effect() -> None:
            if self.definitions != self.settled:
                raise CutoverError("CUT-CUTOVER-2", "the view shop/search has changed")

        self._call("check_definitions", effect)

    def drain(self, deadline: Deadline) -> dict[str, int]:
        """See ``cutover.World``."""
        return self._call("drain", lambda: {"PRMR-1": 17})

    def late_writes(self, deadline: Deadline) -> int:
        """See ``cutover.World``. Late writes are applied by the next drain."""

        def effect() -> int:
            late, self.late = self.late, max(0, self.late - 1)
            return late

        return self._call("late_writes", effect)

    def prove(self, deadline: Deadline) -> Result:
        """See ``cutover.World``; tells whether source and target are equal and the source is closed."""

        def effect() -> Result:
            self.proofs += 1
            return Result(differences=list(self.differences), documents=3)

        return self._call("prove", effect)

    def note_fence(self, attempt: int, former: str, max_downtime: float) -> float:
        """See ``cutover.World``."""

        def effect() -> float:
            self.fence_note = former
            return 70.0

        return self._call("note_fence", effect)

    def note_recorded(self) -> None:
        """See ``cutover.World``."""
        self._call("note_recorded", lambda: None)

    def noted_fence(self) -> str | None:
        """See ``cutover.World``."""
        return self.fence_note

    def fence_is_young(self) -> bool:
        """See ``cutover.World``."""
        return self.young

    def note_opening(self) -> None:
        """See ``cutover.World``."""

        def effect() -> None:
            self.noted = True

        self._call("note_opening", effect)

    def opening_noted(self) -> bool:
        """See ``cutover.World``."""
        return self.noted

    def clear_notes(self) -> None:
        """See ``cutover.World``."""
        self.noted, self.fence_note = False, None

    def open_users(self, names: Collection[str] | None) -> list[tuple[str, str]]:
        """See ``cutover.World``."""

        def effect() -> list[tuple[str, str]]:
            self.users_open = True
            self.users_asked.append(names)
            return list(self.user_problems)

        return self._call("open_users", effect)

    def end_watch(self) -> None:
        """See ``cutover.World``."""
        self._call("end_watch", lambda: None)

    def complete(self, completed_at: str) -> None:
        """See ``cutover.World``."""

        def effect() -> None:
            self.completed = completed_at

        self._call("complete", effect)

    def warn(self, code: str, where: str, text: str) -> None:
        """See ``cutover.World``."""
        self.warnings.append(code)


def fail_once(name: str, error: BaseException, nth: int = 1) -> Callable[[str], None]:
    """A hook that raises at the nth call of that name and never again."""
    left = [nth]

    def hook(called: str) -> None:
        if called == name:
            left[0] -= 1
            if left[0] == 0:
                raise error

    return hook
