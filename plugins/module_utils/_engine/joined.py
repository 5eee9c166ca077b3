# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""This agent copies for another one, which leads the migration (design §4.8).

It goes on until the migration is over, through every loss of a connection or of its lease, and after a restart.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

from .._core.clock import SYSTEM_CLOCK, Backoff, Clock
from .._core.errors import CutoverError
from .._core.jwt import load_secret
from .._core.repeats import Repeats
from .._core.tls import client_context
from . import saved, states
from .joined_session import Led, Session, open_session
from .lease import LeaseLostError, Owner
from .load import Load
from .patience import waits_for
from .spec import LIMITS_OPTIONS, Spec, parse_options
from .times import stamp
from .world import Paths

LOG = logging.getLogger(__name__)
_CLOSE_SECONDS = 15.0


class Joined:
    """Its thread, and what is known of the migration. Public methods may be called from any thread, and are quick."""

    def __init__(
        self,
        spec: Spec,
        paths: Paths,
        secret_path: Path,
        owner: Owner,
        time_scale: float,
        *,
        known: Optional[Mapping[str, Any]] = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """``known`` is what the state directory knows of a former process."""
        known = known or {}
        self.spec = spec
        self.owner = owner
        self.since = str(known.get("since") or stamp(clock.wall()))
        self.led: Optional[Led] = None
        self.session: Optional[Session] = None
        self.waiting: Optional[tuple[str, str]] = None
        self._limits: dict[str, Any] = parse_options(known.get("limits") or {}, LIMITS_OPTIONS)
        self._paths = paths
        self._secret_path = secret_path
        self._scale = time_scale
        self._clock = clock
        self._waits = Repeats(clock)
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread: Optional[threading.Thread] = None
        self._lead: tuple[Any, float] = (None, clock.monotonic())

    def start(self) -> None:
        """Begin or go on in the background."""
        self._save()
        self._thread = threading.Thread(target=self._run, name="joined", daemon=True)
        self._thread.start()

    @property
    def active(self) -> bool:
        """Whether the migration goes on, as far as is known."""
        return self.led is None or not self.led.over

    @property
    def follows(self) -> bool:
        """Whether there certainly is somebody who leads: the lead's lease was renewed just now."""
        led, (_until, seen) = self.led, self._lead
        if led is None or led.lead.get("owner") is None:
            return False
        duration = led.lead.get("duration")
        return isinstance(duration, (int, float)) and self._clock.monotonic() - seen < duration

    @property
    def lead_host(self) -> str:
        """Where the lead runs."""
        return str((self.led.lead if self.led else {}).get("host") or "unknown")

    @property
    def load(self) -> Load:
        """The limits in force on this host."""
        return replace(self.spec.tuning, **self._limits)

    def take_credentials(self, spec: Spec) -> bool:
        """Use these credentials and limits from the next connection on; False when the limits are the same."""
        trust = client_context(spec.target_ca_path, spec.target_ca_pem)
        with self._lock:
            retuned = spec.tuning != self.spec.tuning
            if retuned:
                self._limits = {}
            self.spec = self.spec.with_credentials_of(spec)
            session = self.session
            if session is not None:
                session.log_in_anew(spec, trust)
            self._save()
        return retuned

    def set_limits(self, options: Mapping[str, Any]) -> bool:
        """Change limits of this host; False when they are so already."""
        with self._lock:
            before = self.load
            self._limits = {**self._limits, **options}
            self._save()
        return self.load != before

    def close(self, timeout: float) -> None:
        """Tell what came of the jobs and give the lease back."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def forget(self) -> None:
        """A restart of the agent does not go on with this."""
        self._paths.joined.unlink(missing_ok=True)

    def _save(self) -> None:
        with self._lock:
            limits = {name: self.load.as_values()[name] for name in self._limits}
            saved.save(self._paths.joined, self.spec, {"since": self.since, "limits": limits})

    def _run(self) -> None:
        pauses = Backoff(0.2, 10.0)
        while not self._stop.is_set():
            try:
                self._serve(pauses)
            except CutoverError as error:
                self._wait_for(error)
            except Exception:
                LOG.exception("copying for another agent broke; it begins anew")
            else:
                if not self.active:
                    LOG.info("the migration is %s: nothing is left to copy", self.led.state if self.led else None)
                    self.forget()
                    return
            self._stop.wait(pauses.next())

    def _serve(self, pauses: Backoff) -> None:
        """One session; returns when the migration is over or this agent ends."""
        secret = load_secret(str(self._secret_path))
        session = open_session(self.spec, secret, self.owner, self._scale, lambda: self.load)
        self.session = session
        try:
            self._see(session.join())
            pauses.reset()
            while self.active and not session.wait(self._stop):
                self._see(session.tick())
                self.waiting = None
        finally:
            session.close(_CLOSE_SECONDS)
            self.session = None

    def _see(self, led: Led) -> None:
        before = self.led
        renewed = led.lead.get("until")
        if before is None or renewed != self._lead[0]:
            self._lead = (renewed, self._clock.monotonic())
        if before is not None and led.migration.get("id") != before.migration.get("id"):
            # Another one has replaced it.
            led = Led(led.migration, led.lead, states.ABORTED)
        self.led = led

    def _wait_for(self, error: CutoverError) -> None:
        if isinstance(error, LeaseLostError):
            LOG.warning("the lease of this agent is lost; it joins again: %s", error)
        if self.waiting is None:
            self._waits.forget()
        self._waits.log(LOG, logging.WARNING, error.code, f"waiting: {error}")
        since = self.waiting[1] if self.waiting else stamp(self._clock.wall())
        self.waiting = (waits_for(error, error.message), since)
