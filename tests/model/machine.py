# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lease, cutover, guard and rescue as a small machine whose states can all be visited (design §4.8, §5; I5, I6, I7).

Every actor may be delayed between any two of its steps, for ever if need be; agents may crash at any step, with a
request under way that is carried out later. What each step abstracts:

| here | there |
|---|---|
| ``Record``, ``_cas`` | ``decision.Decision.advance``, ``journal.Journal.replace`` |
| ``_take_over`` | ``lease.Lease.acquire``; ``over``: the holder's ``Lease.check`` fails |
| ``_attempt`` | ``cutover.Cutover._forward``: intent, fence, proof, opening; ``cutover_world.LiveWorld.note_opening`` |
| ``_settle`` | ``cutover.Cutover._settle`` and ``recover``, ``supervisor.Supervisor._recover_decision`` |
| ``_way_back`` | ``wayback.roll_back``, ``wayback.reclaim`` |
| ``_blind`` | ``cutover.Cutover._unfence_without_record`` |
| ``_guard`` | ``guard.Guard._by_record`` and ``_without_record``, ``guard_lock.end_agent`` |
| ``_rescue``: anybody else with a right to the record | ``wayback.roll_back`` |
| ``young``: whose note is young | ``fence_note.FenceNote.blind`` |
| ``quieting``, ``_quiet`` | ``wayback.quiet_seconds``, ``migration.Migration.be_quiet`` |

Assumed, since no clock can promise it: a request to change the server mode that was decided on is carried out before
the quiet time is over (``quieting`` lasts that long), and before its own host looks at the modes again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Optional

NONE, FENCING, FENCED = "none", "fencing", "fenced"
OPENING, COMPLETED, ROLLING_BACK = "opening", "completed", "rolling-back"
UNDECIDED = (FENCING, FENCED, ROLLING_BACK)
DECIDED = (OPENING, COMPLETED)

# Rules that the self-tests break one by one.
RULES = (
    "compare-and-set",
    "record before source",
    "named before source",
    "quiet after others",
    "blind only without an opening note",
    "blind only for an own attempt",
    "blind only while young",
    "blind only after a recorded intent",
    "blind guard ends the agent",
    "note before opening",
    "users after decision",
    "proof before opening",
    "late fence reclaimed",
    "quiet after an earlier life",
    "a lost agent's fence is noted",
    "roll forward after opening",
    "way back after a crash",
)


class Record(NamedTuple):
    """The decision record."""

    state: str = NONE
    agent: str = ""
    parts: frozenset[str] = frozenset()
    quiet: bool = False
    quiet_but: str = ""


# Where an actor will read the record before it acts: what it had read is forgotten, which keeps the states few.
_READS_FIRST = frozenset({"settle", "dead", "lost", "done", "waits", "idle", "kill", "blind"})


class Seen(NamedTuple):
    """The record as an actor read it last, and whether it is unchanged since: its revision."""

    record: Record
    fresh: bool = True


_BLANK = Seen(Record(), False)


class Actor(NamedTuple):
    """Where an actor stands; ``left`` bounds its attempts or rounds, ``crashes`` its deaths."""

    at: str
    seen: Seen
    left: int
    crashes: int = 0
    fence_note: bool = False
    recorded: bool = False
    opening_note: bool = False
    reborn: bool = False


class State(NamedTuple):
    """The whole world."""

    record: Record
    writable: bool
    open: bool
    sealed: bool
    lease: str
    over: bool
    young: frozenset[str]
    quieting: bool
    late_cas: Optional[tuple[Record, bool]]
    late_mode: Optional[bool]
    locked: bool
    first: Actor
    second: Actor
    guard: Actor
    rescue: Actor


Step = tuple[str, State]


def start(*, attempts: tuple[int, int], crashes: tuple[int, int], guard: int, rescue: int) -> State:
    """The first agent holds the lease, the source is written, the target is closed."""
    return State(
        Record(), True, False, False, "first", False, frozenset(), False, None, None, False,
        Actor("settle", _BLANK, attempts[0], crashes[0]),
        Actor("waits", _BLANK, attempts[1], crashes[1]),
        Actor("idle", _BLANK, guard),
        Actor("idle", _BLANK, rescue),
    )  # fmt: skip


class Machine:
    """All steps from a state. ``broken`` names rules that do not hold, ``guarded`` whether a guard lives."""

    def __init__(self, broken: frozenset[str] = frozenset(), *, guarded: bool = False) -> None:
        unknown = broken - set(RULES)
        if unknown:
            raise ValueError(f"no such rule: {sorted(unknown)}")
        self._broken = broken
        self._guarded = guarded

    def _holds(self, rule: str) -> bool:
        return rule not in self._broken

    def steps(self, state: State) -> Iterator[Step]:
        """Every step of every actor, of time, and of requests that are carried out late."""
        for name in ("first", "second"):
            yield from self._agent(state, name)
        yield from self._guard(state)
        yield from self._rescue(state)
        yield from self._world(state)

    # -- what all do ---------------------------------------------------------------------------------------------

    @staticmethod
    def _put(state: State, name: str, **values: object) -> State:
        return state._replace(**{name: getattr(state, name)._replace(**values)})

    def _go(self, state: State, name: str, at: str) -> State:
        if at in _READS_FIRST:
            return self._put(state, name, at=at, seen=_BLANK)
        return self._put(state, name, at=at)

    def _read(self, state: State, name: str) -> State:
        return self._put(state, name, seen=Seen(state.record))

    def _write(self, state: State, record: Record) -> State:
        """The record changes: whoever has read it has an old revision now."""
        for name in ("first", "second", "guard", "rescue"):
            seen = getattr(state, name).seen
            if seen.fresh:
                state = self._put(state, name, seen=seen._replace(fresh=False))
        if state.late_cas is not None:
            state = state._replace(late_cas=(state.late_cas[0], False))
        return state._replace(
            record=record,
            quieting=record.quiet and record.state == NONE,
        )

    def _cas(self, state: State, name: str, record: Record, then: str, otherwise: str) -> State:
        """Compare-and-set by what the actor has read."""
        actor: Actor = getattr(state, name)
        if not actor.seen.fresh and self._holds("compare-and-set"):
            return self._go(state, name, otherwise)
        return self._go(self._read(self._write(state, record), name), name, then)

    @staticmethod
    def _mode(state: State, writable: bool) -> State:
        return state._replace(writable=writable, sealed=state.sealed and not writable)

    def _quiet(self, state: State, name: str) -> bool:
        record: Record = getattr(state, name).seen.record
        return self._holds("quiet after others") and record.quiet and record.quiet_but != name and state.quieting

    # -- the way back --------------------------------------------------------------------------------------------

    def _way_back(self, state: State, name: str, sign: str) -> Iterator[Step]:
        """``roll`` → ``unfence`` → ``unrolled`` → ``settle``; the record is won before the source is touched."""
        actor: Actor = getattr(state, name)
        record = actor.seen.record
        if actor.at == "roll":
            parts = record.parts if record.state == ROLLING_BACK else frozenset()
            if record.state == ROLLING_BACK and not self._holds("named before source"):
                yield f"{sign} takes part unnamed", self._go(state, name, "unfence")
            elif self._holds("record before source"):
                won = record._replace(state=ROLLING_BACK, parts=parts | {sign})
                yield f"{sign} wins rolling-back", self._cas(state, name, won, "unfence", "settle")
            else:
                yield f"{sign} does not ask the record", self._go(state, name, "unfence")
        elif actor.at == "unfence":
            yield f"{sign} lifts the fence", self._go(self._mode(state, True), name, "unrolled")
        elif actor.at == "unrolled":
            alone = record.parts == {record.agent}
            alone = alone and not (actor.reborn and self._holds("quiet after an earlier life"))
            ended = Record(NONE, record.agent, frozenset(), True, record.agent if alone else "")
            yield f"{sign} writes none", self._cas(state, name, ended, "settle", "settle")

    # -- the agents ----------------------------------------------------------------------------------------------

    def _agent(self, state: State, name: str) -> Iterator[Step]:
        actor: Actor = getattr(state, name)
        if actor.at == "dead":
            # Another agent's lease keeps it from working; what it left behind is its guard's business.
            if not (name == "first" and state.locked) and state.lease == name:
                yield f"{name} is started again", self._go(self._put(state, name, reborn=True), name, "settle")
            return
        if actor.at in ("lost", "done"):
            return
        if actor.at == "waits":
            yield from self._take_over(state, name)
            return
        yield from self._crash(state, name)
        if state.lease != name and actor.at in ("settle", "users", "complete"):
            yield from self._leave(state, name)
        if actor.at == "settle":
            yield from self._settle(state, name)
        elif actor.at == "blind":
            yield f"{name} lifts its fence blindly", self._go(self._mode(state, True), name, "settle")
        elif actor.at in ("roll", "unfence", "unrolled"):
            yield from self._way_back(state, name, name)
            yield from self._blind(state, name)
        else:
            yield from self._attempt(state, name)

    def _leave(self, state: State, name: str) -> Iterator[Step]:
        """It learns that it was taken over, and goes unless a fence of its own may be up that nobody has decided on."""
        if not self._own_fence(state, name) or not self._holds("late fence reclaimed"):
            yield f"{name} learns that it was taken over", self._go(state, name, "lost")

    @staticmethod
    def _own_fence(state: State, name: str) -> bool:
        record, noted = state.record, getattr(state, name).fence_note
        return noted and (not state.writable if record.state == NONE else
                          record.state in UNDECIDED and record.agent == name)  # fmt: skip

    def _take_over(self, state: State, name: str) -> Iterator[Step]:
        if state.over:
            taken = self._read(state._replace(lease=name, over=False), name)
            if state.record.agent not in ("", name) and self._holds("a lost agent's fence is noted"):
                taken = self._put(taken, name, fence_note=True, reborn=True)
            yield f"{name} takes the lease over", self._go(taken, name, "settle")

    def _crash(self, state: State, name: str) -> Iterator[Step]:
        """At any step; the request of that step may be on its way."""
        actor: Actor = getattr(state, name)
        if not actor.crashes:
            return
        dead = self._put(state, name, at="dead", seen=_BLANK, crashes=actor.crashes - 1)
        yield f"{name} dies in {actor.at}", dead
        sent = self._sent(actor, name)
        if sent is not None and state.late_cas is None:
            fresh = actor.seen.fresh or not self._holds("compare-and-set")
            yield f"{name} dies, its write of {sent.state} is under way", dead._replace(late_cas=(sent, fresh))
        if actor.at in ("fence", "unfence", "blind") and state.late_mode is None:
            yield f"{name} dies, its mode request is under way", dead._replace(late_mode=actor.at != "fence")

    @staticmethod
    def _sent(actor: Actor, name: str) -> Optional[Record]:
        record = actor.seen.record
        return {
            "intent": Record(FENCING, name),
            "fenced": record._replace(state=FENCED),
            "open": record._replace(state=OPENING),
            "roll": record._replace(state=ROLLING_BACK, parts=record.parts | {name}),
        }.get(actor.at)

    def _settle(self, state: State, name: str) -> Iterator[Step]:
        """Follow the record as it is now."""
        state = self._read(state, name)
        actor: Actor = getattr(state, name)
        if state.record.state == COMPLETED:
            cleared = self._put(state, name, fence_note=False, recorded=False)
            yield f"{name} finds completed", self._go(cleared, name, "done")
        elif state.record.state == OPENING:
            forward = self._holds("roll forward after opening")
            yield f"{name} finds opening", self._go(state, name, "users" if forward else "roll")
        elif state.record.state in UNDECIDED:
            if state.record.agent != name and self._holds("a lost agent's fence is noted"):
                state = self._put(state, name, fence_note=True, recorded=False, reborn=True)
            if self._holds("way back after a crash"):
                yield f"{name} finds {state.record.state}", self._go(state, name, "roll")
            else:
                yield f"{name} does not look at {state.record.state}", self._go(state, name, "done")
        elif state.late_mode is False and actor.fence_note:
            return
        elif actor.fence_note and not state.writable and self._holds("late fence reclaimed"):
            again = Record(FENCING, name)
            yield f"{name} finds a late fence", self._cas(state, name, again, "roll", "settle")
        else:
            cleared = self._put(state, name, fence_note=False, recorded=False, opening_note=False)
            if actor.left and not self._quiet(state, name):
                begun = self._put(cleared, name, fence_note=True, left=actor.left - 1, reborn=False)
                begun = begun._replace(young=begun.young | {name})
                yield f"{name} begins an attempt", self._go(begun, name, "intent")

    def _attempt(self, state: State, name: str) -> Iterator[Step]:
        actor: Actor = getattr(state, name)
        record = actor.seen.record
        if actor.at == "intent":
            yield f"{name} writes fencing", self._cas(state, name, Record(FENCING, name), "confirm", "settle")
        elif actor.at == "confirm":
            yield f"{name} notes that it is recorded", self._go(self._put(state, name, recorded=True), name, "fence")
        elif actor.at == "fence":
            yield f"{name} puts the fence up", self._go(self._mode(state, False), name, "fenced")
        elif actor.at == "fenced":
            fenced = record._replace(state=FENCED)
            yield f"{name} writes fenced", self._cas(state, name, fenced, "prove", "settle")
        elif actor.at == "prove":
            sealed = state._replace(sealed=not state.writable) if self._holds("proof before opening") else state
            yield f"{name} proves", self._go(sealed, name, "note")
        elif actor.at == "note":
            if state.lease == name and not state.over:
                noted = self._put(state, name, opening_note=self._holds("note before opening"))
                yield f"{name} notes the opening", self._go(noted, name, "open")
        elif actor.at == "open":
            early = state if self._holds("users after decision") else state._replace(open=True)
            opening = record._replace(state=OPENING)
            yield f"{name} writes opening", self._cas(early, name, opening, "users", "settle")
        elif actor.at == "users":
            yield f"{name} opens the target", self._go(state._replace(open=True), name, "complete")
        elif actor.at == "complete":
            completed = record._replace(state=COMPLETED)
            yield f"{name} writes completed", self._cas(state, name, completed, "settle", "settle")
        if actor.at in ("confirm", "fence", "fenced", "prove", "note", "open"):
            yield f"{name} gives up in {actor.at}", self._go(state, name, "settle")
            yield from self._blind(state, name)

    def _blind(self, state: State, name: str) -> Iterator[Step]:
        """The target cannot be reached: the fence is lifted by what this host knows alone."""
        actor: Actor = getattr(state, name)
        record = actor.seen.record
        if record.state not in UNDECIDED:
            return
        if record.agent != name and self._holds("blind only for an own attempt"):
            return
        if actor.opening_note and self._holds("blind only without an opening note"):
            return
        if name not in state.young and self._holds("blind only while young") and record.agent == name:
            return
        yield f"{name} cannot reach the record", self._go(state, name, "blind")

    # -- guard and rescue ----------------------------------------------------------------------------------------

    def _guard(self, state: State) -> Iterator[Step]:
        """On the first agent's host, when the attempt's time is over: at any moment."""
        guard, agent = state.guard, state.first
        if guard.at in ("roll", "unfence", "unrolled"):
            yield from self._way_back(state, "guard", "guard")
        elif guard.at == "kill":
            ended = state
            if self._holds("blind guard ends the agent"):
                ended = self._put(state, "first", at="dead", seen=_BLANK) if agent.at not in ("lost", "done") else state
                ended = ended._replace(locked=True)
            yield "guard ends the agent", self._go(ended, "guard", "blind")
        elif guard.at == "blind":
            if agent.opening_note and self._holds("blind only without an opening note"):
                yield "guard alarms", self._go(state._replace(locked=False), "guard", "idle")
            else:
                lifted = self._mode(state, True)._replace(locked=False)
                yield "guard lifts the fence blindly", self._go(lifted, "guard", "idle")
        elif guard.at == "settle":
            yield from self._guard_settles(state)
        elif agent.fence_note:
            if self._guarded and self._own_fence(state, "first"):
                # By the record it acts as often as there is something to do.
                yield "guard: the time is over", self._go(state, "guard", "settle")
            if not guard.left:
                return
            round_ = self._put(state, "guard", left=guard.left - 1)
            young = "first" in state.young or not self._holds("blind only while young")
            recorded = agent.recorded or not self._holds("blind only after a recorded intent")
            if young and recorded and not (agent.opening_note and self._holds("blind only without an opening note")):
                yield "guard cannot reach the record", self._go(round_, "guard", "kill")

    def _guard_settles(self, state: State) -> Iterator[Step]:
        state = self._read(state, "guard")
        record = state.record
        if record.state in DECIDED or (record.state != NONE and record.agent != "first"):
            yield "guard leaves it alone", self._go(state, "guard", "idle")
        elif record.state != NONE:
            yield "guard takes the way back", self._go(state, "guard", "roll")
        elif state.first.fence_note and not state.writable and self._holds("late fence reclaimed"):
            yield "guard finds a late fence", self._cas(state, "guard", Record(FENCING, "first"), "roll", "settle")
        else:
            yield "guard is content", self._go(state, "guard", "idle")

    def _rescue(self, state: State) -> Iterator[Step]:
        """An operator may run it at any moment."""
        rescue = state.rescue
        if rescue.at in ("roll", "unfence", "unrolled"):
            yield from self._way_back(state, "rescue", "rescue")
        elif rescue.at == "settle":
            state = self._read(state, "rescue")
            at = "roll" if state.record.state in UNDECIDED else "idle"
            yield "rescue reads the record", self._go(state, "rescue", at)
        elif rescue.left:
            begun = self._put(state, "rescue", left=rescue.left - 1)
            yield "rescue begins", self._go(begun, "rescue", "settle")

    # -- time and late requests ----------------------------------------------------------------------------------

    def _world(self, state: State) -> Iterator[Step]:
        if state.lease == "first" and not state.over:
            yield "the lease runs out", state._replace(over=True)
        actors = (state.first, state.second, state.guard, state.rescue)
        lifting = any(actor.at in ("unfence", "blind", "kill") for actor in actors) or state.late_mode is not None
        for name in sorted(state.young):
            yield f"the fence of {name} is old", state._replace(young=state.young - {name})
        if state.quieting and not lifting:
            # It lasts as long as a fence is young, and nobody has begun another one since.
            over = state._replace(young=frozenset(), quieting=False)
            yield "the quiet time is over", over
        if state.late_cas is not None:
            record, fresh = state.late_cas
            dropped = state._replace(late_cas=None)
            yield "a late write runs", self._write(dropped, record) if fresh else dropped
        if state.late_mode is not None:
            yield "a late mode request runs", self._mode(state._replace(late_mode=None), state.late_mode)
