# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lease on a target: one agent works, and stops by itself before its lease ends (design §4.8).

The owner's id lies on the agent's disk, so that the same host re-enters at once. Another host takes the lease over when
it has seen the lease document unchanged for as long as the lease lasts: only the observer's own monotonic clock counts,
never the times written there. A released lease is free at once.

All epochs write as one database user. One for each, which the next owner disables, would not promise more: a request
that the target has let in already runs all the same, and when other coordinators learn of it is not documented. What a
former owner still writes is found by the comparison after the take-over, by the proof, and by the record.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Mapping, Optional, Protocol

from .._core.errors import CutoverError
from .files import read_json, write_json
from .journal import Entry, JournalConflictError, Store
from .times import stamp

LOG = logging.getLogger(__name__)
KEY = "lease"
# The owner stops this share of the lease before its end: time for a request that is already under way.
_SAFE_SHARE = 0.75
_RENEW_SHARE = 0.25
# How often another agent's lease is looked at while it is waited out.
_LOOK_SHARE = 0.05
# Seconds; a rest too small for the clock to show would never end.
_LEAST_LOOK = 0.001


class Clocks(Protocol):
    """Three clocks that fail in different ways: a suspended machine stops the first, an operator sets the last."""

    def monotonic(self) -> float:
        """Seconds; may stand still while the machine sleeps."""

    def boot(self) -> float:
        """Seconds since boot, counting sleep."""

    def wall(self) -> float:
        """Seconds since 1970."""

    def pause(self, stop: threading.Event, seconds: float) -> bool:
        """Let time pass; True as soon as ``stop`` is set."""


class SystemClocks:
    """The machine's clocks."""

    def monotonic(self) -> float:
        """See ``Clocks``."""
        return time.monotonic()

    def boot(self) -> float:
        """See ``Clocks``; monotonic time where the system has no boot clock."""
        clock = getattr(time, "CLOCK_BOOTTIME", None)
        return time.monotonic() if clock is None else time.clock_gettime(clock)

    def wall(self) -> float:
        """See ``Clocks``."""
        return time.time()

    def pause(self, stop: threading.Event, seconds: float) -> bool:
        """See ``Clocks``."""
        return stop.wait(seconds)


@dataclass(frozen=True)
class Moment:
    """One reading of all clocks."""

    monotonic: float
    boot: float
    wall: float

    @classmethod
    def now(cls, clocks: Clocks) -> Moment:
        """Read the clocks."""
        return cls(clocks.monotonic(), clocks.boot(), clocks.wall())

    def elapsed(self, clocks: Clocks) -> float:
        """Seconds since then by the clock that says most."""
        now = Moment.now(clocks)
        return max(now.monotonic - self.monotonic, now.boot - self.boot, now.wall - self.wall)


class LeaseLostError(CutoverError):
    """Nothing may be written now. ``retriable``: the lease is only late; else another agent has it."""


@dataclass(frozen=True)
class Owner:
    """Who holds a lease: a random id that stays with the state directory, and the host for humans."""

    id: str
    host: str

    @classmethod
    def load(cls, path: Path, host: Optional[str] = None) -> Owner:
        """The id in the file; made and written at the first time."""
        known = read_json(path)
        if isinstance(known, dict) and isinstance(known.get("id"), str):
            return cls(known["id"], host or socket.gethostname())
        owner = cls(uuid.uuid4().hex, host or socket.gethostname())
        write_json(path, {"id": owner.id})
        return owner


class Lease:
    """This agent's lease. ``check`` is the gate before every write to the target; thread safe."""

    def __init__(
        self,
        store: Store,
        owner: Owner,
        duration: float,
        clocks: Optional[Clocks] = None,
        *,
        key: str = KEY,
        figures: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        """``figures`` are written with each renewal."""
        self._store = store
        self.owner = owner
        self.duration = duration
        self._key = key
        self._figures = figures
        self._clocks: Clocks = clocks or SystemClocks()
        self._lock = threading.Lock()
        self._entry: Optional[Entry] = None
        self._since: Optional[Moment] = None
        self._lost: Optional[str] = None
        self._trouble: Optional[CutoverError] = None
        self._stop = threading.Event()
        self._thread: Optional[threading.Thread] = None

    @property
    def epoch(self) -> int:
        """Counts how often the lease was taken; 0 before."""
        return int(self._entry.body["epoch"]) if self._entry else 0

    def describe(self) -> dict[str, Any]:
        """The holder as in the status document's ``workers``."""
        entry, since = self._entry, self._since
        holder = {"owner": self.owner.id, "host": self.owner.host, "until": entry.body.get("until") if entry else None}
        return worker_of(holder, since.elapsed(self._clocks) if since else None)

    def _body(self, epoch: int, since: str) -> dict[str, Any]:
        until = stamp(self._clocks.wall() + self.duration)
        return {
            "owner": self.owner.id,
            "host": self.owner.host,
            "epoch": epoch,
            "since": since,
            "duration": self.duration,
            "until": until,
            **self._figures(),
        }

    def acquire(self, stop: Optional[threading.Event] = None) -> int:
        """Take the lease; returns the epoch.

        Another agent's lease is watched for as long as it lasts, and taken over unless it is renewed. Raises
        CUT-STATE-4 naming the holder as soon as it is, or when ``stop`` is set.
        """
        current = self._store.read(self._key)
        if current is not None and self._foreign(current):
            current = self._outlast(current, stop or threading.Event())
        since = Moment.now(self._clocks)
        taken_at = stamp(since.wall)
        try:
            if current is None:
                entry = self._store.create(self._key, self._body(1, taken_at))
            else:
                body = self._body(int(current.body["epoch"]) + 1, taken_at)
                entry = self._store.replace(self._key, body, current.rev)
        except JournalConflictError as error:
            if error.current is not None and self._foreign(error.current):
                raise held_by(error.current) from error
            raise
        with self._lock:
            self._entry, self._since, self._lost, self._trouble = entry, since, None, None
        return self.epoch

    def _foreign(self, entry: Entry) -> bool:
        return entry.body.get("owner") not in (None, self.owner.id)

    def _outlast(self, entry: Entry, stop: threading.Event) -> Optional[Entry]:
        """Watch another agent's lease; gives the document that may be replaced.

        Its holder counts from before its last renewal and stops early, we count from after our first look: by the time
        that this returns the holder has stopped, or has renewed and the compare-and-set fails.
        """
        duration = duration_of(entry, self.duration)
        LOG.info("%s; it is taken over if nobody renews it for %.0f s", held_by(entry).message, duration)
        began = self._clocks.monotonic()
        while True:
            left = duration - (self._clocks.monotonic() - began)
            if left <= 0:
                LOG.warning("the agent on host %s has not renewed its lease: taken over", entry.body.get("host"))
                return entry
            if self._clocks.pause(stop, max(_LEAST_LOOK, min(left, self.duration * _LOOK_SHARE))):
                raise held_by(entry)
            seen = self._store.read(self._key)
            if seen is None or not self._foreign(seen):
                return seen
            if seen.rev != entry.rev:
                raise held_by(seen)

    def renew(self) -> None:
        """Prolong the lease. Raises ``LeaseLostError`` (not retriable) when another owner has it."""
        entry = self._entry
        if entry is None:
            raise LeaseLostError("CUT-LEASE-1", "there is no lease to renew", retriable=True)
        since = Moment.now(self._clocks)
        try:
            renewed = self._replace_own(entry, self._body(int(entry.body["epoch"]), str(entry.body["since"])))
        except JournalConflictError as error:
            holder = error.current.body.get("host", "nobody") if error.current else "nobody"
            with self._lock:
                self._lost = f"the lease on the target is now held by {holder}"
            raise self._lost_error() from error
        with self._lock:
            self._entry, self._since, self._trouble = renewed, since, None

    def _replace_own(self, entry: Entry, body: dict[str, Any]) -> Entry:
        """Replace the lease document; one's own earlier write whose answer was lost is no conflict."""
        try:
            return self._store.replace(self._key, body, entry.rev)
        except JournalConflictError as error:
            current = error.current
            if current is None or any(current.body.get(name) != entry.body[name] for name in ("owner", "epoch")):
                raise
            return self._store.replace(self._key, body, current.rev)

    def _lost_error(self) -> LeaseLostError:
        return LeaseLostError("CUT-LEASE-2", str(self._lost), retriable=False)

    def check(self) -> None:
        """Raise ``LeaseLostError`` unless the lease certainly lasts. Called before every write to the target."""
        with self._lock:
            if self._lost is not None:
                raise self._lost_error()
            since, trouble = self._since, self._trouble
        if since is None or since.elapsed(self._clocks) >= self.duration * _SAFE_SHARE:
            text = "the lease on the target could not be renewed in time"
            if trouble is not None:
                text = f"{text}: {trouble.message}"
            raise LeaseLostError("CUT-LEASE-1", text, retriable=True) from trouble

    def keep(self, on_error: Callable[[CutoverError], None]) -> None:
        """Renew from a thread of its own until ``release`` or ``abandon``; errors go to ``on_error``."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._keep, args=(on_error,), name="lease", daemon=True)
        self._thread.start()

    def _keep(self, on_error: Callable[[CutoverError], None]) -> None:
        while not self._stop.wait(self.duration * _RENEW_SHARE):
            try:
                self.renew()
            except LeaseLostError as error:
                on_error(error)
                return
            except CutoverError as error:
                LOG.warning("the lease could not be renewed: %s", error)
                with self._lock:
                    self._trouble = error
                on_error(error)
            except Exception:
                LOG.exception("the lease could not be renewed")

    def abandon(self) -> None:
        """Stop renewing and let the lease run out; the same host re-enters at once."""
        self._stop.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=5.0)

    def release(self) -> None:
        """Give the lease back: nobody holds it. Raises like the journal's writes."""
        self.abandon()
        with self._lock:
            entry, self._entry, self._since = self._entry, None, None
        if entry is not None:
            self._replace_own(entry, {**entry.body, "owner": None, "until": None})


def held_by(entry: Entry) -> CutoverError:
    """CUT-STATE-4: somebody else holds the lease, and who, since when, until when by the holder's clock."""
    body = entry.body
    return CutoverError(
        "CUT-STATE-4",
        f"this target is being migrated into by the agent {body.get('owner')} on host {body.get('host')} "
        f"(since {body.get('since')}, lease until {body.get('until')})",
        retriable=False,
        details={name: body.get(name) for name in ("owner", "host", "since", "until")},
    )


def worker_of(lease: Mapping[str, Any], age: Optional[float] = None) -> dict[str, Any]:
    """Who has a lease, as in the status document's ``workers``; ``age``: seconds since it was seen to be renewed."""
    return {
        "id": lease.get("owner"),
        "host": lease.get("host"),
        "lease_until": lease.get("until"),
        "last_seen_seconds": None if age is None else round(age, 1),
    }


class Watch:
    """Another agent's lease as it is seen from here: it has run out when it was seen unchanged for as long as it lasts.

    As in a take-over, only the observer's own monotonic clock counts.
    """

    def __init__(self, store: Store, key: str, usual: float, clocks: Optional[Clocks] = None) -> None:
        """``usual``: how long a lease lasts that does not say it, in seconds."""
        self._store = store
        self._key = key
        self._usual = usual
        self._clocks: Clocks = clocks or SystemClocks()
        self._entry: Optional[Entry] = None
        self._seen = 0.0
        # Whether it was ever seen to change: its holder lives.
        self.renewed = False

    def look(self) -> None:
        """Read the lease."""
        before, entry = self._entry, self._store.read(self._key)
        if entry is None or before is None or entry.rev != before.rev:
            self._entry, self._seen = entry, self._clocks.monotonic()
            self.renewed = before is not None

    @property
    def values(self) -> dict[str, Any]:
        """The document as last read; empty when there is none."""
        return dict(self._entry.body) if self._entry else {}

    @property
    def held(self) -> bool:
        """Whether anybody has it, as last read."""
        return self.values.get("owner") is not None

    @property
    def age(self) -> float:
        """For how many seconds it was seen unchanged."""
        return self._clocks.monotonic() - self._seen

    @property
    def ran_out(self) -> bool:
        """Whether its holder has certainly stopped."""
        return self._entry is not None and self.held and self.age >= duration_of(self._entry, self._usual)

    def take(self, by: str) -> bool:
        """Take a lease that has run out from its holder, who cannot renew it any more then; False when it just did."""
        entry = self._entry
        if entry is None:
            return False
        try:
            self._entry = self._store.replace(self._key, {**entry.body, "owner": None, "taken_by": by}, entry.rev)
        except JournalConflictError:
            return False
        return True


def duration_of(entry: Entry, usual: float) -> float:
    """How long the holder may believe in its lease, in seconds."""
    duration = entry.body.get("duration")
    if isinstance(duration, bool) or not isinstance(duration, (int, float)) or duration <= 0:
        return usual
    return float(duration)
