# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The connected parts of one migration, opened in an order in which a refusal has touched nothing."""

from __future__ import annotations

import ssl
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from .._core.arango import Coordinators
from .._core.errors import CutoverError
from .._core.jwt import load_secret
from .dataplane_types import Settings, TargetGate
from .decision import Decision
from .exactness import prints_exactly
from .findings import Findings
from .journal import Journal, Record
from .lease import Lease, Owner
from .mapping import Version, parse_version
from .schema_map import SchemaMap
from .spec import Spec
from .target_admin import TargetAdmin
from .topology import Access, Credentials, Source, connect, target_of
from .user_writers import Recreated, Restored
from .users import Users

LEASE_SECONDS = 30.0
# A lease shorter than this could end while a busy machine does not get to renew it.
_LEAST_LEASE = 5.0
MIGRATION_KEY = "migration"
TICKS_KEY = "ticks"
RESULT_KEY = "result"
CAPABILITIES_KEY = "capabilities"


@dataclass(frozen=True)
class Paths:
    """Files of a migration below the agent's state directory."""

    root: Path

    @property
    def owner(self) -> Path:
        """This host's id."""
        return self.root / "owner.json"

    @property
    def migration(self) -> Path:
        """The start request with the password, and the last state."""
        return self.root / "migration.json"

    @property
    def findings(self) -> Path:
        """Findings with keys."""
        return self.root / "findings.json"

    @property
    def report(self) -> Path:
        """The report of the last attempt."""
        return self.root / "report.json"

    @property
    def opening(self) -> Path:
        """Present from just before an opening is tried."""
        return self.root / "opening-attempted.json"

    @property
    def alarm(self) -> Path:
        """Present while the guard can neither leave the source nor give it back."""
        return self.root / "guard-alarm.json"

    @property
    def passwords(self) -> Path:
        """Passwords of users that were made anew; the operator hands them out and removes it."""
        return self.root / "new-passwords.json"

    @property
    def joined(self) -> Path:
        """The start request with the password, while this agent copies for another one."""
        return self.root / "joined.json"

    @property
    def data(self) -> Path:
        """Spools and queues of the data path."""
        return self.root / "data"


@dataclass
class World:
    """Everything connected; closed as a whole."""

    spec: Spec
    settings: Settings
    paths: Paths
    source: Source
    target: Coordinators
    credentials: Credentials
    target_version: Version
    target_version_text: str
    journal: Journal
    lease: Lease
    decision: Decision
    migration: Record
    ticks: Record
    result: Record
    map: SchemaMap
    admin: TargetAdmin
    users: Users

    @property
    def inherits(self) -> bool:
        """Whether an agent with another disk worked last: requests of it may still run whose keys only that disk knows.

        ``migration`` must have been read.
        """
        return self.migration.values.get("owner") != self.lease.owner.id

    def inherited(self) -> None:
        """Everything that the former agent left open is noted on this disk."""
        if self.inherits:
            self.migration.update(owner=self.lease.owner.id)

    def log_in_anew(self, spec: Spec, trust: ssl.SSLContext) -> None:
        """Use another login for the target from the next request on, and another CA from the next connection on."""
        self.credentials.replace(spec.target_username, spec.target_password)
        for server in self.target.servers:
            server.client.trust(trust)

    def end_waiting(self) -> None:
        """From now on nothing is repeated: calls that still wait end with an error."""
        self.journal.stop.set()
        self.admin.stop.set()

    def close(self) -> None:
        """Stop renewing the lease and close every connection; calls that still wait end with an error."""
        self.lease.abandon()
        self.end_waiting()
        self.source.close()
        self.target.close()


def lease_seconds(time_scale: float) -> float:
    """How long a lease on the target lasts."""
    return max(_LEAST_LEASE, LEASE_SECONDS * time_scale)


def access_of(spec: Spec, secret: bytes) -> Access:
    """How this specification lets the source's servers be reached."""
    return Access(secret, spec.source_ca_path, spec.endpoint_map, spec.allowed_servers, spec.allow_plaintext_source)


def target_version(target: Coordinators) -> str:
    """The target's version text."""
    return str(target.json("GET", "/_api/version", database="_system")["version"])


def count_dbservers(target: Coordinators) -> int:
    """DB-Servers of the target; 1 where its health document cannot be had."""
    try:
        health = target.json("GET", "/_admin/cluster/health")["Health"]
        return sum(1 for entry in health.values() if str(entry.get("Role", "")).lower() == "dbserver")
    except (CutoverError, KeyError, TypeError, AttributeError):
        return 1


def open_world(
    spec: Spec,
    paths: Paths,
    *,
    secret_path: Path,
    owner: Owner,
    time_scale: float,
    findings: Findings,
    stop: threading.Event,
) -> World:
    """Connect to source and target, make or find the journal, take the lease.

    Raises what was refused, with everything closed again: bad secret, certificates, credentials, CUT-TOPO, CUT-STATE-4
    (another agent renews its lease), CUT-JOURNAL-1.
    """
    source = connect(spec.source_endpoints, access_of(spec, load_secret(str(secret_path))))
    opened: list[Callable[[], None]] = [source.close]
    try:
        credentials = Credentials(spec.target_username, spec.target_password)
        target = target_of(spec, credentials)
        opened.append(target.close)
        version = target_version(target)
        journal, lease = _leased_journal(target, owner, lease_seconds(time_scale), stop)
    except CutoverError:
        for close in reversed(opened):
            close()
        raise
    settings = Settings(
        settle_after=spec.settle_after,
        time_scale=time_scale,
        compress=spec.compress,
        exact_numbers=prints_exactly(source.version),
        shared=spec.join,
    )
    return World(
        spec=spec,
        settings=settings,
        paths=paths,
        source=source,
        target=target,
        credentials=credentials,
        target_version=parse_version(version),
        target_version_text=version,
        journal=journal,
        lease=lease,
        decision=Decision(journal),
        migration=Record(journal, MIGRATION_KEY),
        ticks=Record(journal, TICKS_KEY),
        result=Record(journal, RESULT_KEY),
        map=SchemaMap(journal),
        admin=TargetAdmin(target, lease, settle=settings.settle_seconds),
        users=make_users(spec, source, target, journal, lease, findings, paths.passwords, settings.settle_seconds),
    )


def _leased_journal(
    target: Coordinators, owner: Owner, seconds: float, stop: threading.Event
) -> tuple[Journal, Lease]:
    """Make or find the journal and take its lease; ``stop`` ends waiting for that, and nothing later."""
    journal = Journal.ensure(target, count_dbservers(target))
    journal.stop = stop
    lease = Lease(journal, owner, seconds)
    lease.acquire(stop)
    # Closing a world must not end its migration, which may open another one.
    journal.stop = threading.Event()
    return journal, lease


def make_users(
    spec: Spec,
    source: Source,
    target: Coordinators,
    journal: Journal,
    gate: TargetGate,
    findings: Findings,
    passwords: Path,
    settle: float,
) -> Users:
    """The users' part of a world."""
    made_anew = spec.users == "recreate"
    writer = Recreated(target, gate, passwords, findings.report) if made_anew else Restored(target, gate)
    return Users(
        source.coordinators,
        target,
        gate,
        writer,
        Record(journal, "users-map"),
        policy=spec.users,
        early_readers=spec.early_readers,
        own=[spec.target_username],
        report=findings.report,
        resolve=findings.resolve,
        settle=settle,
        selection=spec.selection,
    )
