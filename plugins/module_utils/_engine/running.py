# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the supervisor does again and again: follow definitions and users, checkpoint, watch the topology."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from functools import partial
from typing import Any, Callable, Optional

from .._core.catalogue import lookup
from .._core.clock import SYSTEM_CLOCK, Clock, Deadline, Every
from .._core.errors import CutoverError
from . import acceptance, fence, proof
from .checkpoint_number import CheckpointNumber
from .choice import Choice
from .dataplane import DataPlane
from .eta import seconds_left
from .findings import Finding, Findings
from .fleet import Fleet, end_former_jobs
from .gate import Facts
from .index_builder import IndexBuilder
from .inventory import Inventory
from .journal import Record
from .key_guard import KeyGuard
from .key_question import KeyQuestion
from .mapping import Version
from .ordering import migrated
from .parallel import gather
from .proof import Subject
from .protection import Protection
from .schema import Schema, leaders_of
from .server_watch import ServerWatch
from .shards import ShardId, ShardState
from .source_disks import SourceDisks
from .unexplained import Unexplained
from .verify.verifier import Options, Verifier
from .wanted_indexes import WantedIndexes
from .wipe import KEY as WIPE_KEY
from .wipe import wipe
from .world import World

LOG = logging.getLogger(__name__)
POLL_SECONDS = 3.0
_POLL_SECONDS_PER_DATABASE = 0.2
_LEAST_POLL = 0.2
# Reading them takes a tenth of the time at most, unless that would be too seldom.
_POLL_TIMES = 10.0
_MOST_POLL = 60.0
CHECKPOINT_SECONDS = 2.0
# How often the target's users are looked at though nothing has changed on the source.
_AUDIT_SECONDS = 30.0
_AUDIT_SECONDS_PER_DATABASE = 1.0
_LEAST_CHECKPOINT = 0.2
_UNKNOWN_POLL = 0.3
# Findings of a data path that has ended: by the journal, which the next one begins with, its shards are not in sync.
# Those of definitions are told again by the first pass, as far as they are still true.
_OF_ONE_LIFE = (
    "CUT-DATA-7", "CUT-DATA-14", "CUT-STATE-11", "CUT-TOPO-9",
    "CUT-SCHEMA-1", "CUT-SCHEMA-2", "CUT-SCHEMA-3", "CUT-SCHEMA-4", "CUT-SCHEMA-5", "CUT-SCHEMA-6",
)  # fmt: skip
_TOPOLOGY_SECONDS = 10.0
# After trouble with a server leaders are looked at often for so long.
_ALARM_SECONDS = 10.0


def verifier_of(world: World, plane: DataPlane, findings: Findings) -> Verifier:
    """The verification of a migration."""
    rate = world.spec.tuning.at(SYSTEM_CLOCK.wall()).verify_rate
    options = Options(rate, world.spec.repair, world.settings.time_scale)
    sides = (world.source.coordinators, world.target)
    return Verifier(*sides, plane.inspection, findings, world.paths.data / "verify", options)


class Running:
    """The moving parts of a migration. All methods but those that only read are for the supervisor's thread."""

    def __init__(
        self,
        world: World,
        findings: Findings,
        *,
        make_plane: Callable[..., DataPlane] = DataPlane,
        make_verifier: Callable[[World, DataPlane, Findings], Verifier] = verifier_of,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.world = world
        self.findings = findings
        self._clock = clock
        self._scale = world.settings.time_scale
        self.inventory: Inventory = {}
        self._number = CheckpointNumber(
            world.paths.data / "checkpoint.json",
            world.migration.values.get("id"),
            int(world.ticks.load().get("checkpoint", 0)),
        )
        # Of what another agent, or this one on a later state of its disk, left without an answer nobody here knows.
        self._inherits = world.inherits or self._number.doubt is not None
        self.plane = make_plane(
            source=world.source,
            target=world.target,
            gate=world.lease,
            state_dir=world.paths.data,
            settings=world.settings,
            report=findings.report,
            took_over=self._inherits,
        )
        for code in _OF_ONE_LIFE:
            findings.resolve(code)
        if self._number.doubt is not None and not world.inherits:
            LOG.warning("%s", self._number.doubt)
            remedy = lookup("CUT-STATE-11").remedy
            findings.report(Finding("CUT-STATE-11", "warning", "agent", self._number.doubt, remedy))
        self.choice = Choice(world.source.coordinators, world.spec, findings)
        self.schema = Schema(
            world.admin, self.plane, world.map, findings.report, findings.resolve, world.target_version
        )
        self.builder = IndexBuilder(
            world.admin, self.plane, findings.report, findings.resolve, self._index_built,
            time_scale=world.settings.time_scale,
        )  # fmt: skip
        self.indexes = WantedIndexes(self.schema, self.plane, self.builder, world.target_version)
        self.verifier = make_verifier(world, self.plane, findings)
        self.disks = SourceDisks(
            lambda: world.source.servers, findings.report, findings.resolve,
            lambda: seconds_left(self.plane.progress()), time_scale=self._scale, clock=clock,
        )  # fmt: skip
        self.protection = Protection(
            self.plane,
            lambda: {name: server.queue_time or 0.0 for name, server in dict(world.source.servers).items()},
            lambda: world.target.queue_time or 0.0,
            world.paths.data,
            self.verifier.set_rate,
            world.spec.tuning,
            self.disks,
            time_scale=self._scale,
            clock=clock,
        )
        self._look_again: set[str] = set()
        self._dropped: set[ShardId] = set()
        self._lock = threading.Lock()
        self._polled = Every(clock)
        self._reading_took = 0.0
        self._audited = Every(clock)
        self._checkpointed = Every(clock)
        self._refreshed = Every(clock)
        self._alarmed = Every(clock)
        self._positions: dict[str, Any] = {}
        self.keys = KeyQuestion(KeyGuard(world, self.verifier.keys, world.journal.stop), clock, self._scale)
        self._unexplained = Unexplained(world.source, self.plane, self.schema)
        self.watch = ServerWatch(world.source, self.plane, findings)
        self.fleet = Fleet(world.journal, world.lease, self.plane, time_scale=self._scale)
        self.modes: Mapping[str, str] = {}

    def _index_built(self, database: str) -> None:
        with self._lock:
            self._look_again.add(database)

    def prepare(self) -> None:
        """Empty the target if that was asked for, then start the data path and make everything on the target.

        After a restart the shards that were in sync go on from the journaled positions.
        """
        world = self.world
        end_former_jobs(world.journal, world.lease, world.journal.stop.wait, time_scale=self._scale)
        if world.spec.overwrite_target:
            own = [world.spec.target_username]
            wipe(world.target, world.admin, world.lease, Record(world.journal, WIPE_KEY), own)
        world.map.load()
        known = world.ticks.load()
        reboots = {server: int(reboot) for server, reboot in known.get("reboots", {}).items()}
        restarted = self.watch.begin(reboots)
        ticks = {
            server: int(tick)
            for server, tick in known.get("ticks", {}).items()
            if server in world.source.servers and server not in restarted
        }
        self.inventory = self.choice.read()
        self.schema.resume(self.inventory, ticks)
        self.findings.accept(acceptance.load(world.journal))
        self.verifier.resume(inherited=self._inherits)
        world.inherited()
        directories = known.get("data_directories", {})
        # Before anything is copied: what held the copy back may still be there.
        self.disks.start(known.get("least_logs", {}))
        self.protection.start(known.get("protection", {}))
        self.plane.start({server: ticks.get(server) for server in world.source.servers}, directories)
        self.builder.start()
        self.verifier.start()
        self.fleet.begin()
        self.poll()

    def tick(self) -> None:
        """Whatever is due now; what failed is due again at once. Checkpoints come first: they go on while the source's
        definitions cannot be read.
        """
        if self._checkpointed.due(max(_LEAST_CHECKPOINT, CHECKPOINT_SECONDS * self._scale)):
            self.checkpoint()
        unknown = self.plane.unknown_cuids()
        at_once = bool(self._look_again or self._dropped or self.plane.take_users_dirty())
        if self.plane.take_alarm():
            self._alarmed.done()
            at_once = True
        soon = unknown or self.alarmed
        if at_once or self._polled.due(_UNKNOWN_POLL if soon else self.poll_seconds):
            self.poll()
        self.indexes.hand_over()

    @property
    def poll_seconds(self) -> float:
        """How often definitions are read: slower when there are many databases, or when it takes long."""
        seconds = max(POLL_SECONDS, _POLL_SECONDS_PER_DATABASE * len(self.inventory)) * self._scale
        return max(_LEAST_POLL, seconds, min(_MOST_POLL * self._scale, _POLL_TIMES * self._reading_took))

    @property
    def alarmed(self) -> bool:
        """Whether there was trouble with a server or a doubt just now: leaders may change."""
        return not self._alarmed.due(_ALARM_SECONDS * self._scale)

    def poll(self) -> None:
        """Read the source's definitions and users, and bring the target to them."""
        began = self._clock.monotonic()
        self._note_dropped()
        source = self.choice.read()
        self._reading_took = self._clock.monotonic() - began
        due = self.alarmed or self._refreshed.due(_TOPOLOGY_SECONDS * self._scale)
        if due or self.watch.missing(leaders_of(source)):
            self._watch_servers()
        self._follow(source)
        self._sync_users()
        self._unexplained.explain(self.inventory)
        self._polled.done()

    def _sync_users(self) -> None:
        users = self.world.users
        users.sync()
        pause = max(_AUDIT_SECONDS, _AUDIT_SECONDS_PER_DATABASE * len(self.inventory))
        if self._audited.due(pause * self._scale):
            users.audit(repair=self.world.spec.repair)
            self.doubt_definitions()
            self._audited.done()

    def doubt_definitions(self) -> None:
        """Compare every database with the target in the next pass: somebody may have changed the target itself."""
        for name in self.schema.map.databases:
            self.schema.look_again(name)

    def settle_on(self, source: Inventory) -> None:
        """Bring the target to definitions on which all coordinators agree, during a cutover."""
        self._watch_servers()
        self._note_dropped()
        self._follow(source)
        self._unexplained.explain(self.inventory)

    def _note_dropped(self) -> None:
        """Before the definitions are read: who is dropped later has been there when they were."""
        self._dropped |= self.plane.take_dropped()

    def _follow(self, source: Inventory) -> None:
        """Bring everything to these definitions. Dropped shards that are led where they were have been away; they are
        remembered until that is settled, whatever fails before.
        """
        leaders = {shard: self.schema.leaders.get(shard) for shard in self._dropped}
        with self._lock:
            again, self._look_again = self._look_again, set()
        for database in again:
            self.schema.look_again(database)
        self.schema.follow(source)
        self.inventory = source
        back = [shard for shard, leader in leaders.items() if leader and self.schema.leaders.get(shard) == leader]
        if back:
            self.plane.suspect(back, "source", "shards were dropped from their leader and are there again")
        self._dropped.clear()

    def _watch_servers(self) -> None:
        """Servers that came, went or were restarted; the modes are for the status only."""
        self.watch.refresh()
        self._refreshed.done()
        try:
            self.modes = fence.read_modes(self.world.source)
        except CutoverError as error:
            LOG.info("the modes of the source's servers are not all known: %s", error)

    def checkpoint(self) -> None:
        """Journal positions and states. Positions and the logs that they are of are read first: a shard that falls out
        of step in between is then journaled as such; the other way round its markers could be passed over after a
        restart (invariant I4). So is one that was dropped from its leader, until the definitions tell whether it is
        there again.
        """
        ticks, directories = self.plane.restart_ticks(), self.plane.data_directories()
        self._note_dropped()
        states = self.plane.states()
        states.update(dict.fromkeys(self._dropped & states.keys(), ShardState.SUSPECT))
        self.verifier.save()
        self.world.map.note_states(states, self.schema.leaders)
        positions = {
            "ticks": {server: str(tick) for server, tick in sorted(ticks.items())},
            "data_directories": directories,
            "reboots": dict(self.watch.reboots),
            "protection": self.protection.as_value(),
            "least_logs": self.disks.least,
            "rechecks": self.plane.recheck_pending(),
        }
        if positions != self._positions:
            self.world.ticks.save({**positions, "checkpoint": self._number.begin()})
            self._number.journaled()
            self._positions = positions
        self.plane.checkpointed(ticks)
        self.findings.save()
        self._checkpointed.done()

    def subjects(self) -> list[Subject]:
        """Collections that the proof compares."""
        return subjects_of(self.inventory, self.world.target_version)

    def measure_proof(self, deadline: Deadline) -> float:
        """Seconds that counts and checksums take; nobody is harmed by it."""
        world = self.world
        sides = (world.source.coordinators, world.target)
        return proof.measure(*sides, self.subjects(), deadline, world.spec.checksum_seconds)

    def facts(self, *, paused: bool, waiting: Optional[str], measured: Mapping[str, float]) -> Facts:
        """What the gate and the status look at; from memory."""
        progress = self.plane.progress()
        spec = self.world.spec
        return Facts(
            shards=self.plane.counts(),
            lag_seconds=progress.lag_seconds,
            max_lag=spec.max_lag,
            recheck_pending=self.plane.recheck_pending(),
            indexes_missing=self.indexes.missing() + (1 if self.builder.busy else 0),
            unexplained_shards=len(self.plane.unknown_cuids()),
            findings=self.findings.blocking(),
            users_current=self.world.users.current,
            unverified=self.verifier.blockers(spec.max_lag),
            keys=self.keys.text,
            keys_known=self.keys.known,
            paused=paused,
            waiting=waiting,
            documents=progress.documents_total or progress.documents_copied,
            max_downtime=spec.max_downtime,
            checksum_seconds=spec.checksum_seconds,
            measured=measured,
            time_scale=self._scale,
            collections=sum(item.selected for one in self.inventory.values() for item in one.collections.values()),
            open_jobs=self.plane.open_jobs,
        )

    def all_in_sync(self) -> bool:
        """Whether every shard is in sync (or held for an index)."""
        return self.plane.counts().keys() <= {ShardState.IN_SYNC, ShardState.HELD}

    def unexplained(self) -> list[str]:
        """Shards in the logs that the definitions, or any server, have, but the data path does not copy."""
        return self._unexplained.not_copied(self.inventory)

    def apart(self, source: Inventory) -> Optional[str]:
        """Which shards only the definitions, or only the data path, have; None when both have the same."""
        return self._unexplained.apart(source)

    def all_calm(self) -> bool:
        """Whether every shard is in sync and none is held."""
        return self.plane.counts().keys() <= {ShardState.IN_SYNC}

    def end_ticks(self) -> dict[str, int]:
        """The end of the log now of every DB-Server that leads a shard or answers (facts §5.1)."""
        needed = self.plane.needed_servers()
        servers = {name: server for name, server in self.world.source.servers.items() if name in needed}
        answers = gather({name: partial(_last_tick, server) for name, server in servers.items()})
        return {name: int(answer["tick"]) for name, answer in answers.items()}

    def close(self, timeout: float) -> None:
        """End the data path, the index builder and the verification."""
        self.verifier.stop()
        for what in (
            self.fleet.close, self.protection.close, self.disks.close, self.plane.close, self.builder.close,
            self.verifier.close,
        ):  # fmt: skip
            try:
                what(timeout)
            except CutoverError as error:
                LOG.warning("while closing: %s", error)


def subjects_of(source: Inventory, version: Version) -> list[Subject]:
    """The collections of an inventory that are migrated to a target of this version."""
    return [
        Subject(database.name, item.name, item.likeness)
        for database in source.values()
        for item in database.collections.values()
        if migrated(item, version)
    ]


def _last_tick(server: Any) -> Any:
    return server.json("GET", "/_api/wal/lastTick", database="_system", timeout=30.0)
