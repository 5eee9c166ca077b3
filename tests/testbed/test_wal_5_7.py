# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Retention: who keeps the log from being purged, and for how long (facts §5.7)."""

from __future__ import annotations

from tests.testbed.wal import Wal
from tests.testbed.wal_tail import TailQuery


class Time:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def make(clock: Time) -> Wal:
    wal = Wal(server_id="1", nasty=False, clock=clock, segment_batches=10)
    for database in ("_system", "d"):
        wal.append_ddl(1100, database)
    wal.append_ddl(2000, "d", "c1/s1", {})
    return wal


def write(wal: Wal, count: int) -> None:
    for _ in range(count):
        wal.append_single("d", "c1/s1", 2300, b"{}")


def track(wal: Wal, tick: int, databases: list[str] | None = None, syncer: str = "77") -> None:
    wal.clients.track(
        wal.databases() if databases is None else databases,
        syncer_id=syncer,
        server_id="",
        client_info="test",
        tick=tick,
        now=wal.now(),
    )


def test_5_7_first_purge_not_before_60_seconds() -> None:
    clock = Time()
    wal = make(clock)
    write(wal, 100)
    clock.now += 59
    assert wal.purge() == 0
    clock.now += 2
    wal.purge()
    write(wal, 1)
    clock.now += 11
    assert wal.purge() > 0
    assert wal.tick_range()[0] > 1


def test_5_7_a_registered_client_keeps_what_it_needs_and_releases_by_going_on() -> None:
    clock = Time()
    wal = make(clock)
    track(wal, 20)
    write(wal, 100)
    clock.now += 100
    wal.purge()
    clock.now += 100
    wal.purge()
    assert wal.tail(TailQuery("d", 20)).from_present
    track(wal, 150)
    wal.purge()
    assert not wal.tail(TailQuery("d", 20)).from_present
    assert wal.tail(TailQuery("d", 150)).from_present


def test_5_7_the_lowest_position_of_any_database_counts() -> None:
    clock = Time()
    wal = make(clock)
    track(wal, 150)
    track(wal, 20, ["d"], syncer="other")
    write(wal, 100)
    clock.now += 100
    wal.purge()
    assert wal.tail(TailQuery("d", 20)).from_present


def test_5_7_registration_expires_after_7200_seconds() -> None:
    clock = Time()
    wal = make(clock)
    track(wal, 20)
    write(wal, 100)
    clock.now += 7199
    wal.purge()
    clock.now += 0.5
    wal.purge()
    assert wal.tail(TailQuery("d", 20)).from_present
    clock.now += 20
    wal.purge()
    assert not wal.tail(TailQuery("d", 20)).from_present


def test_5_7_a_restart_forgets_clients_but_waits_before_purging() -> None:
    clock = Time()
    wal = make(clock)
    track(wal, 20)
    write(wal, 100)
    clock.now += 1000
    wal.restarted()
    assert wal.clients.of("d") == []
    wal.purge()
    assert wal.tail(TailQuery("d", 20)).from_present
    clock.now += 61
    wal.purge()
    clock.now += 11
    wal.purge()
    assert not wal.tail(TailQuery("d", 20)).from_present


def test_5_2_without_syncer_and_server_id_nothing_is_kept() -> None:
    wal = make(Time())
    track(wal, 20, syncer="")
    assert wal.clients.lowest_tick() is None


def test_5_7_the_tracker_of_a_database_dies_with_it() -> None:
    wal = make(Time())
    track(wal, 20, ["d"])
    wal.append_ddl(2001, "d", "c1/s1")
    wal.append_ddl(1101, "d")
    assert wal.clients.lowest_tick() is None
