# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The dead man's guard: a fenced source must not wait for a dead agent (design §5, I6).

When an attempt's time is over, the guard wins ``rolling-back`` on the record and gives the source back. If the journal
cannot be reached it may do so only in the time in which no other agent can have fenced, after it has ended the agent,
and if no opening was ever tried from this host; otherwise the source stays fenced and the guard alarms.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from enum import Enum
from pathlib import Path
from typing import Any, Optional, Protocol

from .._core.clock import Deadline
from .._core.errors import CutoverError
from .._core.jwt import TokenSource, load_secret
from .._core.repeats import Repeats
from . import decision as record
from . import saved, spec
from .decision import Decision, DecisionChangedError
from .fence_note import FenceNote, read_note
from .files import write_json
from .fronts import MODE_PATHS, Fronts
from .guard_lock import end_agent
from .journal import Journal, Store
from .lease import Clocks, SystemClocks
from .times import stamp
from .topology import target_of
from .wayback import Modes, reclaim, roll_back, unfence
from .world import Paths

LOG = logging.getLogger(__name__)
# How the guard signs the record: not as its agent, which may be alive and slow.
BY = "guard"
_KILL_SECONDS = 10.0
_JOURNAL_PATIENCE = 5.0


class Outcome(str, Enum):
    """What a round of the guard came to."""

    NO_FENCE = "no fence of this host is open"
    WAITING = "the attempt still has time"
    GIVEN_BACK = "the source has its former mode"
    DECIDED = "the opening is decided: the agent finishes it"
    FOREIGN = "another agent has taken the migration over"
    ALARM = "the source may be fenced, and the guard may not or cannot give it back"


class Reach(Protocol):
    """How the guard gets at source, journal and agent."""

    def source(self, note: FenceNote) -> Any:
        """A context manager that gives the source's ``Modes``."""

    def journal(self) -> Any:
        """A context manager that gives the journal's ``Store``; raises ``CutoverError`` when there is none."""

    def hold_agent(self) -> Any:
        """A context manager that ends the agent and keeps it from starting meanwhile. Raises CUT-GUARD-3."""


class Guard:
    """One state directory. Each ``round`` is complete in itself: only the alarm and what was told are kept."""

    def __init__(self, directory: Path, reach: Reach, time_scale: float, clocks: Optional[Clocks] = None) -> None:
        self._paths = Paths(directory)
        self._reach = reach
        self._scale = time_scale
        self._clocks: Clocks = clocks or SystemClocks()
        self.alarm: Optional[CutoverError] = None
        self._repeats = Repeats()

    def round(self) -> Outcome:
        """Look at the note, and act if it is time; errors become the alarm."""
        try:
            note = read_note(self._paths.root)
            if note is None:
                outcome = Outcome.NO_FENCE
            elif note.due_in(self._clocks, self._scale) > 0:
                outcome = Outcome.WAITING
            else:
                outcome = self._act(note)
        except CutoverError as error:
            self._raise_alarm(error)
            return Outcome.ALARM
        self._end_alarm()
        return outcome

    def _act(self, note: FenceNote) -> Outcome:
        try:
            with self._reach.journal() as store:
                return self._by_record(note, store)
        except CutoverError as problem:
            if self._journal_answers():
                # It is the source that does not: tried again in the next round.
                raise
            return self._without_record(note, problem)

    def _journal_answers(self) -> bool:
        try:
            with self._reach.journal() as store:
                Decision(store).read()
        except CutoverError as error:
            self._warn("journal", f"the journal cannot be reached: {error}")
            return False
        return True

    def _by_record(self, note: FenceNote, store: Store) -> Outcome:
        decision = Decision(store)
        while True:
            state = decision.read()
            if state in record.DECIDED_OPEN or state in record.REVOCATION:
                return Outcome.DECIDED
            if state != record.NONE and decision.values.get("agent") != note.agent:
                return Outcome.FOREIGN
            try:
                with self._reach.source(note) as source:
                    if state == record.NONE and not reclaim(decision, source, note.former_mode, note.agent):
                        return Outcome.GIVEN_BACK
                    LOG.warning("attempt %s of the cutover is over: the source is given back", note.attempt)
                    roll_back(decision, source, "the guard: the time of the attempt was over", BY)
                return Outcome.GIVEN_BACK
            except DecisionChangedError as error:
                LOG.info("%s", error)

    def _without_record(self, note: FenceNote, problem: CutoverError) -> Outcome:
        """The rules under which nobody can have opened the target, nor fenced the source for another attempt."""
        if not note.blind(self._clocks, self._scale):
            raise _refusal("by now another agent may have taken over", problem)
        if self._paths.opening.exists():
            raise _refusal("an opening was tried from this host and may have been decided", problem)
        with self._reach.hold_agent():
            # While the agent lived it may have tried one; now it cannot any more.
            if self._paths.opening.exists():
                raise _refusal("an opening was tried from this host and may have been decided", problem)
            if read_note(self._paths.root) != note:
                return Outcome.NO_FENCE
            with self._reach.source(note) as source:
                self._warn("blind", "the journal cannot be reached: the agent was ended and the source is given back")
                unfence(source, note.former_mode)
        return Outcome.GIVEN_BACK

    def _raise_alarm(self, error: CutoverError) -> None:
        self._repeats.log(LOG, logging.CRITICAL, error.code, f"ALARM: {error}")
        first = self.alarm is None
        self.alarm = error
        if first:
            document = {"at": stamp(self._clocks.wall()), **error.as_dict()}
            try:
                write_json(self._paths.alarm, document)
            except CutoverError as problem:
                LOG.critical("the alarm cannot be written: %s", problem)

    def _warn(self, key: str, text: str) -> None:
        self._repeats.log(LOG, logging.WARNING, key, text)

    def _end_alarm(self) -> None:
        self.alarm = None
        self._repeats.forget()
        self._paths.alarm.unlink(missing_ok=True)


def _refusal(text: str, problem: CutoverError) -> CutoverError:
    return CutoverError(
        "CUT-GUARD-2",
        f"the source may be read-only, and it is not given back: {text}, and the journal on the target could not be "
        f"used ({problem.message})",
        details={"cause": problem.code},
    )


class LiveReach:
    """The real source, journal and agent, by what the state directory knows of them."""

    def __init__(self, directory: Path, secret_path: Path, stop: threading.Event) -> None:
        self._paths = Paths(directory)
        self._secret_path = secret_path
        self._stop = stop

    def _spec(self) -> spec.Spec:
        known = saved.load(self._paths.migration)
        if known is None:
            raise CutoverError("CUT-DISK-2", f"{self._paths.migration} holds no start request")
        return known[0]

    @contextmanager
    def source(self, note: FenceNote) -> Iterator[Modes]:
        """See ``Reach``; with a token that is good for the server mode alone."""
        wanted = self._spec()
        token = TokenSource(load_secret(str(self._secret_path)), allowed_paths=MODE_PATHS)
        with closing(Fronts(note.coordinators, wanted.source_ca_path, token, "coordinators")) as fronts:
            yield fronts

    @contextmanager
    def journal(self) -> Iterator[Store]:
        """See ``Reach``."""
        with closing(target_of(self._spec(), pool=2)) as target:
            yield Journal.open(target, patience=_JOURNAL_PATIENCE, stop=self._stop)

    @contextmanager
    def hold_agent(self) -> Iterator[None]:
        """See ``Reach``."""
        descriptor = end_agent(self._paths.root, Deadline(_KILL_SECONDS), self._stop)
        try:
            yield
        finally:
            os.close(descriptor)
