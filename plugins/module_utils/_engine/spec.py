# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The start request: flat fields, one name everywhere, checked as a whole before anything is touched (design §3)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Callable, Optional

from .._core.endpoint import Endpoint
from .._core.errors import CutoverError
from . import spec_values as values
from .layout import Layout
from .load import Load
from .overrides import MOST_COPIES, NOTHING, ByPattern, Overrides
from .packing import AUTO
from .patterns import Pattern
from .selection import Selection
from .shape import Shape
from .spec_values import Acceptance, refuse

# Who logs in is not what is migrated: new credentials for the same migration are taken over, not refused.
CREDENTIALS = ("target_username", "target_password", "target_ca_pem")
# What is said to the start alone is no part of what is migrated: that a completed migration may be replaced, and that
# this agent may copy for another one.
PERMISSIONS = ("replace_completed", "join")
# What is only how fast: it may be changed while the migration runs (design §4.10).
TUNING = tuple(Load().as_values())


@dataclass(frozen=True)
class Spec:
    """A checked start request. All durations are seconds as given, not scaled."""

    source_endpoints: tuple[Endpoint, ...]
    target_endpoints: tuple[Endpoint, ...]
    target_password: str = field(repr=False)
    target_username: str = "root"
    source_ca_path: Optional[str] = None
    target_ca_path: Optional[str] = None
    target_ca_pem: Optional[str] = field(default=None, repr=False)
    overwrite_target: bool = False
    replace_completed: Optional[str] = None
    join: bool = False
    early_readers: bool = False
    ignore_metrics: bool = False
    allow_plaintext_source: bool = False
    accept: tuple[Acceptance, ...] = ()
    users: str = "copy"
    max_downtime: float = 300.0
    wait_timeout: float = 0.0
    max_lag: float = 5.0
    settle_after: float = 300.0
    late_write_watch: float = 10.0
    repair: bool = True
    tuning: Load = field(default_factory=Load)
    checksum_seconds: float = 2.0
    require_guard: bool = False
    endpoint_map: Mapping[str, str] = field(default_factory=dict)
    allowed_servers: tuple[str, ...] = ()
    include: tuple[Pattern, ...] = ()
    exclude: tuple[Pattern, ...] = ()
    replication_factor: ByPattern[int] = NOTHING
    write_concern: ByPattern[int] = NOTHING
    number_of_shards: ByPattern[int] = NOTHING
    rev_policy: ByPattern[str] = NOTHING
    compress: str = AUTO
    warm_up: bool = False
    name: str = "default"

    def as_request(self) -> dict[str, Any]:
        """The start request that gives this specification again, with the password: only for the state directory."""
        return {**self.public(), **{name: getattr(self, name) for name in CREDENTIALS}}

    def public(self) -> dict[str, Any]:
        """The specification without credentials, as JSON values."""
        return {
            "name": self.name,
            "source_endpoints": [endpoint.url for endpoint in self.source_endpoints],
            "source_ca_path": self.source_ca_path,
            "target_endpoints": [endpoint.url for endpoint in self.target_endpoints],
            "target_ca_path": self.target_ca_path,
            "overwrite_target": self.overwrite_target,
            "replace_completed": self.replace_completed,
            "join": self.join,
            "early_readers": self.early_readers,
            "ignore_metrics": self.ignore_metrics,
            "allow_plaintext_source": self.allow_plaintext_source,
            "accept": [{"id": item.id, "reason": item.reason} for item in self.accept],
            "users": self.users,
            "max_downtime": self.max_downtime,
            "wait_timeout": self.wait_timeout,
            "max_lag": self.max_lag,
            "settle_after": self.settle_after,
            "late_write_watch": self.late_write_watch,
            "repair": self.repair,
            **self.tuning.as_values(),
            "checksum_seconds": self.checksum_seconds,
            "require_guard": self.require_guard,
            "compress": self.compress,
            "warm_up": self.warm_up,
            "endpoint_map": dict(self.endpoint_map),
            "allowed_servers": list(self.allowed_servers),
            "include": [str(item) for item in self.include],
            "exclude": [str(item) for item in self.exclude],
            "replication_factor": self.replication_factor.as_dict(),
            "write_concern": self.write_concern.as_dict(),
            "number_of_shards": self.number_of_shards.as_dict(),
            "rev_policy": self.rev_policy.as_dict(),
        }

    @cached_property
    def config_digest(self) -> str:
        """SHA-256 (hex) of what is migrated and how, not of how fast: the same digest is the same migration."""
        text = json.dumps(self.identity(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8")).hexdigest()

    def identity(self) -> dict[str, Any]:
        """What makes it this migration: everything but credentials, permissions and how fast it goes."""
        return {name: value for name, value in self.public().items() if name not in (*TUNING, *PERMISSIONS)}

    def differs_in(self, other: Spec) -> list[str]:
        """Names of the fields of ``identity`` whose values differ."""
        mine, theirs = self.identity(), other.identity()
        return sorted(name for name, value in mine.items() if theirs[name] != value)

    def require_same(self, other: Spec, how: str) -> None:
        """Raise CUT-STATE-2 unless the other one is this migration, which runs ``how``, too."""
        if self.config_digest == other.config_digest:
            return
        fields = self.differs_in(other)
        raise CutoverError(
            "CUT-STATE-2",
            f"the migration {self.name} {how} with another specification: "
            f"{', '.join(fields)} {'differs' if len(fields) == 1 else 'differ'}",
            details={"config_digest": self.config_digest, "fields": fields},
        )

    def with_credentials_of(self, other: Spec) -> Spec:
        """This specification with the credentials and the speed of another."""
        return replace(
            self,
            tuning=other.tuning,
            **{name: getattr(other, name) for name in CREDENTIALS},
        )

    @property
    def selection(self) -> Selection:
        """What is migrated."""
        return Selection(self.include, self.exclude)

    @property
    def shape(self) -> Shape:
        """What the target is to have."""
        return Shape(
            self.selection,
            Overrides(self.replication_factor, self.write_concern),
            Layout(self.number_of_shards, self.rev_policy),
        )

    @property
    def accepted(self) -> dict[str, str]:
        """Reason by accepted id."""
        return {item.id: item.reason for item in self.accept}


LIMITS_OPTIONS: dict[str, Callable[[str, object], Any]] = {
    "load": values.load,
    "mb_per_second": values.limit,
    "operations_per_second": values.limit,
    "verify_rate": values.rate,
    "copiers": values.copiers,
    "windows": values.windows,
}
FIELDS: dict[str, Callable[[str, object], Any]] = {
    "source_endpoints": values.endpoints,
    "source_ca_path": values.path,
    "target_endpoints": values.endpoints,
    "target_ca_path": values.path,
    "target_ca_pem": values.pem,
    "target_username": values.text,
    "target_password": values.secret,
    "overwrite_target": values.boolean,
    "replace_completed": values.text,
    "join": values.boolean,
    "early_readers": values.boolean,
    "ignore_metrics": values.boolean,
    "allow_plaintext_source": values.boolean,
    "accept": values.accept,
    "users": values.users,
    "max_downtime": values.duration,
    "wait_timeout": values.seconds,
    "max_lag": values.duration,
    "settle_after": values.seconds,
    "late_write_watch": values.seconds,
    "repair": values.boolean,
    **LIMITS_OPTIONS,
    "checksum_seconds": values.seconds,
    "require_guard": values.boolean,
    "compress": values.compress,
    "warm_up": values.boolean,
    "endpoint_map": values.endpoint_map,
    "allowed_servers": values.texts,
    "include": values.patterns,
    "exclude": values.patterns,
    "replication_factor": values.copies,
    "write_concern": values.copies,
    "number_of_shards": values.shards,
    "rev_policy": values.rev_policy,
    "name": values.name,
}
REQUIRED = ("source_endpoints", "target_endpoints", "target_password")


def parse(request: object) -> Spec:
    """Check a start request as a whole.

    Raises ``CutoverError`` CUT-SPEC-1 (value), CUT-SPEC-2 (unknown field), CUT-SPEC-3 (missing field), CUT-SPEC-4
    (fields that contradict each other), or CUT-SPEC-901 to 904 (endpoints); ``details.field`` names the field. A
    field that is null counts as not given.
    """
    if not isinstance(request, Mapping):
        raise refuse("request", "must be an object")
    unknown = sorted(str(name) for name in request if name not in FIELDS)
    if unknown:
        known = ", ".join(FIELDS)
        raise refuse(unknown[0], f"is not a field of the start request; known: {known}", "CUT-SPEC-2")
    given = {name: value for name, value in request.items() if value is not None}
    for name in REQUIRED:
        if name not in given:
            raise refuse(name, "is required", "CUT-SPEC-3")
    checked = {name: FIELDS[name](name, value) for name, value in given.items()}
    tuning = {name: checked.pop(name) for name in TUNING if name in checked}
    spec = Spec(**checked, tuning=Load(**tuning))
    if spec.users == "skip" and spec.early_readers:
        raise refuse("early_readers", "needs users: copy or recreate, since others cannot read", "CUT-SPEC-4")
    if spec.target_ca_path is not None and spec.target_ca_pem is not None:
        raise refuse("target_ca_pem", "cannot be given together with target_ca_path", "CUT-SPEC-4")
    if spec.replace_completed is not None and not spec.overwrite_target:
        text = "needs overwrite_target: true, since everything that the completed migration has moved is destroyed"
        raise refuse("replace_completed", text, "CUT-SPEC-4")
    twice = sorted(str(item) for item in set(spec.include) & set(spec.exclude))
    if twice:
        raise refuse("exclude", f"{', '.join(twice)} is in include and in exclude", "CUT-SPEC-4")
    if any(str(item) in ("*", "*/*") for item in spec.exclude):
        raise refuse("exclude", "nothing would be left to migrate; use include to choose", "CUT-SPEC-4")
    factors = spec.replication_factor.as_dict()
    high = [name for name, number in spec.write_concern.as_dict().items() if number > factors.get(name, MOST_COPIES)]
    if high:
        raise refuse("write_concern", f"{', '.join(high)}: more than replication_factor has copies", "CUT-SPEC-4")
    if not set(spec.source_endpoints).isdisjoint(spec.target_endpoints):
        raise refuse("target_endpoints", "source and target are the same server", "CUT-SPEC-4")
    return spec


STOP_OPTIONS: dict[str, Callable[[str, object], Any]] = {
    "wait_timeout": values.seconds, "max_downtime": values.duration, "accept_findings": values.accepted_findings,
    "hold_opening": values.boolean,
}  # fmt: skip
# What a precheck can be asked for beyond a start request.
PRECHECK_OPTIONS: dict[str, Callable[[str, object], Any]] = {
    "sample_seconds": values.sample_seconds, "probe_target": values.boolean,
}  # fmt: skip
RELEASE_OPTIONS: dict[str, Callable[[str, object], Any]] = {"open": values.boolean, "reason": values.text}
REHEARSE_OPTIONS: dict[str, Callable[[str, object], Any]] = {
    "fence_seconds": values.duration, "max_downtime": values.duration,
}  # fmt: skip
CHANGES_OPTIONS: dict[str, Callable[[str, object], Any]] = {"timeout": values.duration}
VERIFICATION_OPTIONS: dict[str, Callable[[str, object], Any]] = {
    "mode": values.mode, "repair": values.boolean, "timeout": values.duration,
}  # fmt: skip
REVOKE_OPTIONS: dict[str, Callable[[str, object], Any]] = {"name": values.text, "timeout": values.duration}
ABORT_OPTIONS: dict[str, Callable[[str, object], Any]] = {"reason": values.text, "cleanup": values.boolean}
REASON_OPTIONS: dict[str, Callable[[str, object], Any]] = {"reason": values.text}


def parse_options(options: Mapping[str, object], allowed: Mapping[str, Callable[[str, object], Any]]) -> dict[str, Any]:
    """Check the options of a control request; unknown ones raise CUT-SPEC-2."""
    for name in options:
        if name not in allowed:
            raise refuse(str(name), f"is not an option here; known: {', '.join(allowed) or 'none'}", "CUT-SPEC-2")
    return {name: allowed[name](name, value) for name, value in options.items() if value is not None}
