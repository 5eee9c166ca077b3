# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The facade of the engine: one migration at a time, started, watched, cut over or aborted."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from .._core.clock import Deadline
from .._core.errors import ArangoError, CutoverError, TransportError
from .._core.jwt import load_secret
from . import changes, fresh, joined_status, saved, shard_list, source_modes, spec, states, status, verification
from .after_opening import REVOKE_SECONDS
from .findings import Findings
from .fresh import Standing
from .guard_lock import ENGINE_LOCK, take
from .joined import Joined
from .journal import Journal
from .lease import Owner
from .migration import Migration
from .pins import Pins
from .precheck.context import Context, Environment
from .precheck.runner import run_whole as run_prechecks
from .schema_map import SchemaMap
from .spec import Spec
from .spec_values import refuse
from .topology import target_of
from .verify.on_demand import Wish
from .world import Paths, World, open_world

LOG = logging.getLogger(__name__)
_SNAPSHOT_SECONDS = 0.25
# Then it rests so many times as long as a snapshot took: with ten thousand shards it is no small work.
_SNAPSHOT_REST = 20.0
_CHANGES_SECONDS = 3600.0
_VERIFICATION_SECONDS = 3600.0


@dataclass
class EngineConfig:
    """What only the agent's own configuration says.

    ``allowed_sources`` and ``allowed_targets`` are the pins of ``Pins``. ``time_scale`` multiplies
    every wait for something that a server does by itself.
    """

    state_directory: Path
    source_jwt_secret_path: Path
    allowed_sources: Optional[Sequence[str]] = None
    allowed_targets: Optional[Sequence[str]] = None
    time_scale: float = 1.0
    hostname: Optional[str] = None


class Engine:
    """Thread safe. Errors are ``CutoverError``; booleans say whether something changed."""

    def __init__(self, config: EngineConfig) -> None:
        """Raises CUT-STATE-6 when another process uses the state directory."""
        self._config = config
        self._paths = Paths(Path(config.state_directory))
        self._paths.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock_file = self._lock_directory()
        self._owner = Owner.load(self._paths.owner, config.hostname)
        self._lock = threading.RLock()
        self._starting = threading.Lock()
        self._migration: Optional[Migration] = None
        self._joined: Optional[Joined] = None
        self._snapshot = status.inactive()
        self._closing = threading.Event()
        self._snapshots = threading.Thread(target=self._keep_snapshot, name="status", daemon=True)
        self._snapshots.start()

    def _lock_directory(self) -> int:
        descriptor = take(self._paths.root / ENGINE_LOCK)
        if descriptor is None:
            raise CutoverError("CUT-STATE-6", f"the state directory {self._paths.root} is in use by another process")
        return descriptor

    # -- control ------------------------------------------------------------------------------------------------

    def recover(self) -> None:
        """Resume what the state directory knows; returns at once, when the status tells of it. Raises CUT-STATE-10."""
        copied = saved.load(self._paths.joined)
        if copied is not None:
            self._begin_joined(*copied)
            return
        known = saved.load(self._paths.migration)
        if known is None:
            return
        migration = self._make(*known)
        with self._lock:
            self._migration = migration
        if migration.state in states.ACTIVE or migration.unfinished or migration.revoke_request is not None:
            migration.start()
        self._take_snapshot()

    def _make(self, wanted: Spec, known: Optional[Mapping[str, Any]] = None) -> Migration:
        return Migration(wanted, self._paths, self._open_world, known=known)

    def _open_world(self, wanted: Spec, stop: threading.Event, findings: Findings) -> World:
        return open_world(
            wanted,
            self._paths,
            secret_path=self._config.source_jwt_secret_path,
            owner=self._owner,
            time_scale=self._config.time_scale,
            findings=findings,
            stop=stop,
        )

    def start(self, request: Mapping[str, object]) -> bool:
        """Check and begin, or resume after a failure. The running migration again: credentials and
        limits are taken over; False unless the limits are others.

        Raises CUT-SPEC (the request), CUT-STATE (another migration runs, or was completed), CUT-PRECHECK-2 with
        ``details.checks``, or what source and target refuse; nothing was touched then.
        """
        wanted = spec.parse(request)
        Pins(self._config.allowed_sources, self._config.allowed_targets).check(wanted)
        with self._starting:
            joined = self._joined
            if joined is not None and joined.active:
                joined.spec.require_same(wanted, "is copied for another agent")
                if wanted.join and joined.follows:
                    return self._and_snapshot(joined.take_credentials(wanted))
            current = self._migration
            if current is not None and current.state in states.ACTIVE:
                current.spec.require_same(wanted, f"is {current.state}")
                retuned = wanted.tuning != current.spec.tuning
                current.take_credentials(wanted)
                return self._and_snapshot(retuned)
            standing = self._standing(wanted, current)
            capabilities: list[dict[str, Any]] = []
            if standing is not Standing.RESUME_AT_ONCE:
                capabilities = self._precheck(wanted, resuming=standing is Standing.RESUME)
            if current is not None:
                current.close(30.0)
            try:
                self._begin(wanted, current, capabilities)
            except CutoverError as error:
                if error.code == "CUT-STATE-4" and wanted.join:
                    return self._join(wanted)
                raise
        return True

    def _join(self, wanted: Spec) -> bool:
        """Copy for the agent that leads; False when this one does already."""
        if self._joined is not None and self._joined.active:
            return self._and_snapshot(self._joined.take_credentials(wanted))
        self._begin_joined(wanted)
        return True

    def _begin_joined(self, wanted: Spec, known: Optional[Mapping[str, Any]] = None) -> None:
        joined = Joined(
            wanted,
            self._paths,
            self._config.source_jwt_secret_path,
            self._owner,
            self._config.time_scale,
            known=known,
        )
        with self._lock:
            self._joined = joined
            self._snapshot = joined_status.build(joined)
        joined.start()

    def _standing(self, wanted: Spec, current: Optional[Migration]) -> Standing:
        """What the target's journal says to this start, before a lease is taken or waited for.

        Raises like ``fresh.standing``. A CA file or target that cannot be used is the prechecks' to explain.
        """
        try:
            target = target_of(wanted)
        except CutoverError:
            return Standing.NEW
        try:
            journal = Journal.find(target)
            found = Standing.NEW if journal is None else fresh.standing(journal, wanted)
        except (TransportError, ArangoError):
            return Standing.NEW
        finally:
            target.close()
        busy = current is not None and current.state == states.COMPLETED and current.alive
        if current is not None and busy and wanted.replace_completed is None:
            raise CutoverError("CUT-STATE-3", f"the migration was completed at {current.since}")
        return found

    def _precheck(self, wanted: Spec, *, resuming: bool) -> list[dict[str, Any]]:
        """What source and target were found able to do; raises CUT-PRECHECK-2."""
        environment = Environment(str(self._config.source_jwt_secret_path), str(self._paths.root))
        result = run_prechecks(Context(wanted, environment, resuming=resuming))
        result.require()
        return result.capabilities

    def _begin(self, wanted: Spec, before: Optional[Migration], capabilities: Sequence[Mapping[str, Any]]) -> None:
        known = None
        if before is not None and before.state in (states.ABORTED, states.FAILED):
            known = {"state": before.state, "since": before.since}
        migration = self._make(wanted, known)
        world = migration.open()
        try:
            fresh.begin(world, migration, SchemaMap(world.journal))
            fresh.note_capabilities(world, migration, capabilities)
        except CutoverError:
            world.lease.release()
            world.close()
            raise
        joined = self._joined
        with self._lock:
            self._migration, self._joined = migration, None
            self._snapshot = status.build(migration)
        migration.start()
        if joined is not None:
            joined.forget()
            joined.close(30.0)

    def _started(self) -> Migration:
        joined = self._joined
        if joined is not None:
            raise CutoverError("CUT-FLEET-1", f"this agent copies for the one on host {joined.lead_host}, which leads")
        migration = self._migration
        if migration is None:
            raise CutoverError("CUT-STATE-1", "no migration was started on this agent")
        return migration

    def stop(self, options: Mapping[str, object], by: str = "") -> bool:
        """Begin the cutover that ``by`` asks for; False when it is under way or done.

        Raises CUT-GATE-1 with every blocker at once.
        """
        checked = spec.parse_options(options, spec.STOP_OPTIONS)
        migration = self._started()
        if migration.state == states.COMPLETED:
            return False
        if migration.state == states.ABORTED:
            raise CutoverError("CUT-STATE-1", "the migration was aborted: nothing is started")
        return self._and_snapshot(migration.stops.ask(checked, by))

    def release(self, options: Mapping[str, object]) -> bool:
        """Let the cutover that holds its opening ``open`` the target, or have it take the way back.

        Raises CUT-SPEC-3 without ``open``, CUT-STATE-5 when nothing is held, CUT-CUTOVER-8 after another answer.
        """
        checked = spec.parse_options(options, spec.RELEASE_OPTIONS)
        if "open" not in checked:
            raise refuse("open", "is required: true opens the target, false takes the way back", "CUT-SPEC-3")
        return self._and_snapshot(self._started().stops.release(checked["open"], checked.get("reason", "")))

    def abort(self, options: Mapping[str, object]) -> bool:
        """End without opening: the source as it was found, the target's users inactive; with ``cleanup`` they and the
        copy are removed.
        """
        checked = spec.parse_options(options, spec.ABORT_OPTIONS)
        return self._and_snapshot(self._started().request_abort(checked.get("cleanup", False)))

    def rehearse(self, options: Mapping[str, object], by: str = "") -> bool:
        """Begin a rehearsal, with a fence of ``fence_seconds`` if given; False when one is under way."""
        checked = spec.parse_options(options, spec.REHEARSE_OPTIONS)
        return self._and_snapshot(self._started().request_rehearse(checked, by))

    def revoke(self, options: Mapping[str, object], by: str = "") -> bool:
        """Begin to revoke the opening of the migration that is named; False when that is under way or was done.

        Raises CUT-SPEC-3 without a name, CUT-SPEC-1 for another one, CUT-REVOKE-1 without an opening.
        """
        checked = spec.parse_options(options, spec.REVOKE_OPTIONS)
        migration = self._started()
        if "name" not in checked:
            raise refuse("name", "is required: revoking an opening is asked for by name", "CUT-SPEC-3")
        if checked["name"] != migration.spec.name:
            raise refuse("name", f"the migration of this agent has the name {migration.spec.name!r}")
        return self._and_snapshot(migration.request_revoke(checked.get("timeout", REVOKE_SECONDS), by))

    def pause(self, options: Mapping[str, object]) -> bool:
        """Suspend copying and replication."""
        reason = spec.parse_options(options, spec.REASON_OPTIONS).get("reason", "by operator")
        return self._and_snapshot(self._started().pause.begin(reason))

    def resume(self, options: Mapping[str, object]) -> bool:
        """Go on after a pause."""
        spec.parse_options(options, spec.REASON_OPTIONS)
        return self._and_snapshot(self._started().pause.end())

    def limits(self, options: Mapping[str, object]) -> bool:
        """Change how fast it goes; False when it is so already. What is not named stays."""
        checked = spec.parse_options(options, spec.LIMITS_OPTIONS)
        return self._and_snapshot((self._joined or self._started()).set_limits(checked))

    def _and_snapshot(self, changed: bool) -> bool:
        self._take_snapshot()
        return changed

    # -- reading ------------------------------------------------------------------------------------------------

    def _keep_snapshot(self) -> None:
        pause = _SNAPSHOT_SECONDS
        while not self._closing.wait(pause):
            began = time.monotonic()
            self._take_snapshot()
            pause = max(_SNAPSHOT_SECONDS, _SNAPSHOT_REST * (time.monotonic() - began))

    def _take_snapshot(self) -> None:
        joined, migration = self._joined, self._migration
        try:
            if joined is not None:
                self._snapshot = joined_status.build(joined)
            elif migration is not None:
                self._snapshot = status.build(migration)
            else:
                with self._lock:  # one that begins right now has its snapshot already
                    if self._migration is None and self._joined is None:
                        self._snapshot = status.inactive()
        except Exception:
            LOG.exception("the status could not be built")

    def status(self) -> dict[str, Any]:
        """The status document, from the last snapshot, with its age."""
        snapshot = self._snapshot
        return status.with_age(snapshot)

    def shards(self, options: Mapping[str, object]) -> dict[str, Any]:
        """``shards`` (of ``state`` and ``database`` where given; ``limit`` from ``offset``) and ``total``."""
        running = self._migration.running if self._migration else None
        return shard_list.page([] if running is None else shard_list.rows(running), options)

    def findings(self) -> list[dict[str, Any]]:
        """All findings."""
        return self._migration.findings.all() if self._migration else []

    def report(self) -> Optional[dict[str, Any]]:
        """The report of the last attempt, None when there was none."""
        return self._migration.report if self._migration else None

    def changes(self, options: Mapping[str, object]) -> dict[str, Any]:
        """What was written on the target since its opening; also kept in the report. Takes as long as a scan of it.

        Raises CUT-CHANGES-1 for a migration whose target is not open, CUT-CHANGES-2 after ``timeout`` seconds (3600).
        """
        checked = spec.parse_options(options, spec.CHANGES_OPTIONS)
        migration = self._started()
        if migration.state != states.COMPLETED:
            raise CutoverError("CUT-CHANGES-1", f"the migration is {migration.state}: its target is not open")
        target = target_of(migration.spec)
        with source_modes.connected(migration, self._secret) as source, closing(target):
            found = changes.since_opening(source, target, Deadline(checked.get("timeout", _CHANGES_SECONDS)))
        migration.add_to_report(changes_since_open=found)
        return found

    def verification(self, options: Mapping[str, object]) -> dict[str, Any]:
        """Compare source and target now, in the ``mode`` asked for (keys), with a list of differences; with ``repair``
        they are put right. Takes as long as reading both sides; raises CUT-VERIFY-12 after ``timeout`` seconds (3600).
        """
        checked = spec.parse_options(options, spec.VERIFICATION_OPTIONS)
        migration = self._started()
        seconds = checked.get("timeout", _VERIFICATION_SECONDS)
        wish = Wish(checked.get("mode", "keys"), checked.get("repair", False), seconds)
        target = target_of(migration.spec)
        with source_modes.connected(migration, self._secret) as source, closing(target):
            return verification.run(migration, source, target, wish)

    # -- server mode --------------------------------------------------------------------------------------------

    @property
    def _secret(self) -> bytes:
        """The source's JWT secret as the file has it now."""
        return load_secret(str(self._config.source_jwt_secret_path))

    def rescue_ticket(self) -> dict[str, Any]:
        """What gives a source that a cutover from now on fences back when this host is lost. Secret."""
        return source_modes.rescue_ticket(self._started(), self._secret)

    def server_mode(self) -> dict[str, Any]:
        """``mode`` (default, readonly or mixed) and ``servers`` by id, read now from every server of the source."""
        return source_modes.read(self._started(), self._secret)

    def set_server_mode(self, mode: str) -> bool:
        """Set the source's mode and see it on every server. Refused while a cutover runs (CUT-STATE-5)."""
        return source_modes.change(self._started(), self._secret, mode)

    def close(self, timeout: float) -> None:
        """Write a checkpoint and end all threads within ``timeout`` seconds."""
        self._closing.set()
        if self._joined is not None:
            self._joined.close(timeout)
        if self._migration is not None:
            self._migration.close(timeout)
        self._snapshots.join(1.0)
        if self._lock_file >= 0:
            os.close(self._lock_file)
            self._lock_file = -1
