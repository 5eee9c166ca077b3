# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One agent at a time may write to the target, and it stops by itself before its lease ends."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import (
    ArangoError,
    CutoverError,
    TransportError,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.lease import KEY, Lease, LeaseLostError, Owner
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.patience import waits_for
from tests.unit.control_fakes import FakeStore, HandClocks

DURATION = 30.0
FIRST = Owner("a" * 32, "first.example")
SECOND = Owner("b" * 32, "second.example")


def allowed(lease: Lease) -> bool:
    """Whether the gate lets a write through."""
    try:
        lease.check()
    except LeaseLostError:
        return False
    return True


def test_the_gate_is_closed_before_acquiring() -> None:
    """Nothing may be written without a lease."""
    assert not allowed(Lease(FakeStore(), FIRST, DURATION, HandClocks()))


def test_the_same_host_re_enters_at_once_with_a_higher_epoch() -> None:
    """After a crash: the owner's id lies on its disk."""
    store, clocks = FakeStore(), HandClocks()
    assert Lease(store, FIRST, DURATION, clocks).acquire() == 1
    again = Lease(store, FIRST, DURATION, clocks)
    assert again.acquire() == 2
    assert allowed(again)


def test_i7_a_lease_that_is_renewed_is_refused_naming_its_holder() -> None:
    """Also when the times written in it are long over: another machine's clock says nothing."""
    store, clocks = FakeStore(), HandClocks()
    first = Lease(store, FIRST, DURATION, clocks)
    first.acquire()
    clocks.wall_now += 1e6
    looks: list[str] = []

    def renew(name: str) -> None:
        looks.append(name)
        if len(looks) == 4:
            store.before = lambda name: None
            first.renew()

    store.before = renew
    with pytest.raises(CutoverError) as refused:
        Lease(store, SECOND, DURATION, clocks).acquire()
    assert refused.value.code == "CUT-STATE-4"
    assert "first.example" in str(refused.value)
    assert set(refused.value.details) == {"owner", "host", "since", "until"}
    assert None not in refused.value.details.values()
    assert allowed(first)


def test_i7_a_lease_that_nobody_renews_is_taken_over_after_its_own_duration() -> None:
    """Not the observer's; by then the holder has stopped by itself, and is told who has it."""
    store, clocks = FakeStore(), HandClocks()
    first = Lease(store, FIRST, 3 * DURATION, clocks)
    first.acquire()
    second = Lease(store, SECOND, DURATION, clocks)
    began = clocks.monotonic_now
    assert second.acquire() == 2
    assert clocks.monotonic_now - began >= 3 * DURATION
    assert allowed(second)
    assert not allowed(first)
    with pytest.raises(LeaseLostError) as lost:
        first.renew()
    assert "second.example" in str(lost.value)


@pytest.mark.parametrize("duration", [None, 0, -1, "long", True])
def test_a_lease_without_a_usable_duration_lasts_as_long_as_ours(duration: object) -> None:
    """Whatever wrote that document."""
    store, clocks = FakeStore(), HandClocks()
    store.create(KEY, {"owner": FIRST.id, "host": FIRST.host, "epoch": 4, "duration": duration})
    began = clocks.monotonic_now
    assert Lease(store, SECOND, DURATION, clocks).acquire() == 5
    assert clocks.monotonic_now - began >= DURATION


def test_i7_of_two_that_outlast_a_lease_one_gets_it() -> None:
    """Compare-and-set decides; the other one is told who."""
    store, clocks = FakeStore(), HandClocks()
    Lease(store, FIRST, DURATION, clocks).acquire()
    third = Lease(store, Owner("c" * 32, "third.example"), DURATION, clocks)

    class Slow(HandClocks):
        """Its owner has seen the lease run out, and before it asks for it the other one has."""

        def wall(self) -> float:
            if not allowed(third):
                third.acquire()
            return super().wall()

    with pytest.raises(CutoverError) as refused:
        Lease(store, SECOND, DURATION, Slow()).acquire()
    assert refused.value.code == "CUT-STATE-4"
    assert "third.example" in str(refused.value)
    assert allowed(third)


def test_waiting_for_a_lease_ends_when_the_agent_ends() -> None:
    """And says who has it."""
    store, clocks = FakeStore(), HandClocks()
    Lease(store, FIRST, DURATION, clocks).acquire()
    stop = threading.Event()
    stop.set()
    with pytest.raises(CutoverError) as refused:
        Lease(store, SECOND, DURATION, clocks).acquire(stop)
    assert refused.value.code == "CUT-STATE-4"


def test_a_released_lease_is_free() -> None:
    """After completion or abort."""
    store, clocks = FakeStore(), HandClocks()
    lease = Lease(store, FIRST, DURATION, clocks)
    lease.acquire()
    lease.release()
    assert not allowed(lease)
    assert Lease(store, SECOND, DURATION, clocks).acquire() == 2


@pytest.mark.parametrize("clock", ["monotonic_now", "boot_now", "wall_now"])
def test_fences_itself_by_whichever_clock_says_most(clock: str) -> None:
    """A suspended machine's monotonic clock stands still; an operator may set the calendar."""
    store, clocks = FakeStore(), HandClocks()
    lease = Lease(store, FIRST, DURATION, clocks)
    lease.acquire()
    setattr(clocks, clock, getattr(clocks, clock) + DURATION)
    with pytest.raises(LeaseLostError) as lost:
        lease.check()
    assert lost.value.retriable
    lease.renew()
    assert allowed(lease)


def test_time_counts_from_before_the_request() -> None:
    """An answer that takes long does not make the lease longer."""
    store, clocks = FakeStore(), HandClocks()
    lease = Lease(store, FIRST, DURATION, clocks)
    lease.acquire()
    store.before = lambda name: clocks.pass_by(DURATION) if name.startswith("replace") else None
    lease.renew()
    assert not allowed(lease)


def test_a_lease_that_was_taken_away_is_lost_for_good() -> None:
    """Somebody wrote into the journal."""
    store, clocks = FakeStore(), HandClocks()
    lease = Lease(store, FIRST, DURATION, clocks)
    lease.acquire()
    store.replace(KEY, {"owner": SECOND.id, "host": SECOND.host, "epoch": 9}, store.documents[KEY].rev)
    with pytest.raises(LeaseLostError) as lost:
        lease.renew()
    assert not lost.value.retriable
    assert "second.example" in str(lost.value)
    with pytest.raises(LeaseLostError):
        lease.check()


def test_a_renewal_whose_answer_was_lost_is_not_taken_for_another_owner() -> None:
    """It ran; the next one finds a revision that it does not know."""
    store, clocks = FakeStore(), HandClocks()
    lease = Lease(store, FIRST, DURATION, clocks)
    lease.acquire()
    for action in (lease.renew, lease.release):
        store.lose = "now"
        with pytest.raises(TransportError):
            lease.renew()
        action()
    assert store.documents[KEY].body["owner"] is None


def test_the_owner_stays_the_same_in_one_directory(tmp_path: Path) -> None:
    """And differs between directories."""
    first = Owner.load(tmp_path / "one" / "owner.json", "here")
    assert Owner.load(tmp_path / "one" / "owner.json", "here") == first
    assert Owner.load(tmp_path / "two" / "owner.json", "here").id != first.id
    assert (tmp_path / "one" / "owner.json").stat().st_mode & 0o777 == 0o600


def test_keeps_renewing_in_the_background() -> None:
    """Until it is released; errors are told."""
    store = FakeStore()
    lease = Lease(store, FIRST, 0.2)
    lease.acquire()
    errors: list[CutoverError] = []
    before = store.documents[KEY].rev
    lease.keep(errors.append)
    try:
        deadline = 200
        while store.documents[KEY].rev == before and deadline:
            lease._stop.wait(0.02)
            deadline -= 1
        assert store.documents[KEY].rev != before
    finally:
        lease.release()
    assert errors == []


class SkewedClocks(HandClocks):
    """Clocks of one host: they go as fast as everybody's, and show something else."""

    def __init__(self, everybody: HandClocks, skew: float) -> None:
        super().__init__()
        self._everybody = everybody
        self._skew = skew

    def monotonic(self) -> float:
        """See ``Clocks``."""
        return self._everybody.monotonic() + self._skew

    def boot(self) -> float:
        """See ``Clocks``."""
        return self._everybody.boot() - self._skew

    def wall(self) -> float:
        """See ``Clocks``."""
        return self._everybody.wall() + 1000 * self._skew

    def pause(self, stop: threading.Event, seconds: float) -> bool:
        """See ``Clocks``."""
        return self._everybody.pause(stop, seconds)


def test_a_rest_that_the_clock_cannot_show_ends_too() -> None:
    """The clock is a float: where it stands high, the last of a lease's duration is less than its next value."""
    store, clocks = FakeStore(), HandClocks(monotonic_now=1000.0)
    Lease(store, FIRST, DURATION, clocks).acquire()
    looks = iter(range(100))
    store.before = lambda name: next(looks) and None  # StopIteration where it goes round for ever
    assert Lease(store, SECOND, DURATION, SkewedClocks(clocks, 9.917)).acquire() == 2


class Leases(RuleBasedStateMachine):
    """Two hosts, lost answers, restarts, take-overs, time: never two of them with an open gate."""

    def __init__(self) -> None:
        super().__init__()
        self.store = FakeStore()
        self.clocks = HandClocks()
        self.of = {FIRST.id: SkewedClocks(self.clocks, 7.0), SECOND.id: SkewedClocks(self.clocks, -3.0)}
        self.leases = {owner.id: self._new(owner) for owner in (FIRST, SECOND)}
        self.epochs: set[int] = set()

    def _new(self, owner: Owner) -> Lease:
        return Lease(self.store, owner, DURATION, self.of[owner.id])

    owners = st.sampled_from([FIRST, SECOND])
    losses = st.sampled_from([None, None, "now", "late", "never"])

    @rule(owner=owners, lost=losses, renewed_at=st.integers(1, 40), renewal=losses)
    def acquire(self, owner: Owner, lost: str | None, renewed_at: int, renewal: str | None) -> None:
        """Try to take the lease, perhaps after a restart; the other one may renew it while it is waited out."""
        mine, other = self._new(owner), self.leases[FIRST.id if owner is SECOND else SECOND.id]
        self.leases[owner.id] = mine
        looks = [0]

        def during(name: str) -> None:
            looks[0] += 1
            if looks[0] == renewed_at:
                self.store.before = lambda name: None
                self._renew(other, renewal)
            if name.startswith(("replace", "create")):
                self.store.before = lambda name: None
                self.store.lose = lost

        self.store.before = during
        try:
            epoch = mine.acquire()
            assert epoch not in self.epochs
            self.epochs.add(epoch)
        except (CutoverError, TransportError):
            assert not allowed(mine)
        self.store.before = lambda name: None
        self.store.lose = None

    @rule(owner=owners, lost=losses)
    def renew(self, owner: Owner, lost: str | None) -> None:
        """Prolong."""
        self._renew(self.leases[owner.id], lost)

    def _renew(self, lease: Lease, lost: str | None) -> None:
        self.store.lose = lost
        with contextlib.suppress(CutoverError, TransportError):
            lease.renew()
        self.store.lose = None

    @rule(owner=owners)
    def release(self, owner: Owner) -> None:
        """Give it back."""
        with contextlib.suppress(CutoverError):
            self.leases[owner.id].release()
        assert not allowed(self.leases[owner.id])

    @rule(seconds=st.floats(0.1, 2 * DURATION))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.clocks.pass_by(seconds)

    @precondition(lambda self: self.store.late)
    @rule()
    def lost_requests_run(self) -> None:
        """Behind everything that was done meanwhile."""
        self.store.run_late()

    @invariant()
    def one_at_most(self) -> None:
        """Two agents never both write."""
        assert sum(allowed(lease) for lease in self.leases.values()) <= 1


TestLeases = Leases.TestCase


def test_a_lease_that_ran_out_says_why() -> None:
    """Whoever looks at the status sees the cause, and not only what came of it."""
    store, clocks = FakeStore(), HandClocks()
    lease = Lease(store, FIRST, 0.2, clocks)
    lease.acquire()
    told = threading.Event()

    def refused(_name: str) -> None:
        text = "target coordinator https://t: not authorized"
        raise ArangoError("CUT-ARANGO-5", text, status=401, error_num=11, method="PUT", url="u", kind="operator")

    store.before = refused
    lease.keep(lambda _error: told.set())
    try:
        assert told.wait(20)
    finally:
        lease.abandon()
    clocks.pass_by(0.2)
    with pytest.raises(LeaseLostError) as lost:
        lease.check()
    assert "not authorized" in lost.value.message
    assert waits_for(lost.value, lost.value.message).startswith("target credentials: the lease")
    store.before = lambda _name: None
    lease.renew()
    clocks.pass_by(0.2)
    with pytest.raises(LeaseLostError) as late:
        lease.check()
    assert late.value.message == "the lease on the target could not be renewed in time"
