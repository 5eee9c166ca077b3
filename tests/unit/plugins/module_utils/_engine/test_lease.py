# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One agent at a time may write to the target, and it stops by itself before its lease ends."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError, TransportError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.lease import KEY, Lease, LeaseLostError, Owner
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


def test_i7_a_foreign_lease_is_refused_naming_the_owner_also_when_it_has_run_out() -> None:
    """Take-over is not part of this version."""
    store, clocks = FakeStore(), HandClocks()
    Lease(store, FIRST, DURATION, clocks).acquire()
    clocks.pass_by(10 * DURATION)
    with pytest.raises(CutoverError) as refused:
        Lease(store, SECOND, DURATION, clocks).acquire()
    assert refused.value.code == "CUT-STATE-4"
    assert "first.example" in str(refused.value)


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


class Leases(RuleBasedStateMachine):
    """Two hosts, lost answers, restarts, time: never two of them with an open gate."""

    def __init__(self) -> None:
        super().__init__()
        self.store = FakeStore()
        self.clocks = HandClocks()
        self.leases = {owner.id: Lease(self.store, owner, DURATION, self.clocks) for owner in (FIRST, SECOND)}

    owners = st.sampled_from([FIRST, SECOND])

    @rule(owner=owners, lost=st.sampled_from([None, None, "now", "late", "never"]))
    def acquire(self, owner: Owner, lost: str | None) -> None:
        """Try to take the lease, perhaps after a restart."""
        self.leases[owner.id] = Lease(self.store, owner, DURATION, self.clocks)
        self.store.lose = lost
        try:
            self.leases[owner.id].acquire()
        except (CutoverError, TransportError):
            assert not allowed(self.leases[owner.id])
        self.store.lose = None

    @rule(owner=owners, lost=st.sampled_from([None, None, "now", "late", "never"]))
    def renew(self, owner: Owner, lost: str | None) -> None:
        """Prolong."""
        self.store.lose = lost
        with contextlib.suppress(CutoverError, TransportError):
            self.leases[owner.id].renew()
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
