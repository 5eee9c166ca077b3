# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The start request: flat fields, one name everywhere, checked as a whole before anything is touched (design §3)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Optional

from .._core.endpoint import Endpoint, parse_endpoint, parse_endpoints
from .._core.errors import CutoverError
from .layout import MOST_SHARDS, REV_POLICIES, Layout
from .load import MOST_COPIERS, PRESETS, Load, Window, parse_window
from .overrides import MOST_COPIES, NOTHING, ByPattern, Overrides
from .packing import AUTO, POLICIES
from .patterns import FORM, Pattern, parse_pattern
from .selection import Selection
from .shape import Shape

USERS = ("copy", "recreate", "skip")
VERIFICATION_MODES = ("counts", "checksums", "keys", "documents")
FINDING_NAMES = ({"id", "reason"}, {"code", "where", "key", "reason"})
# Who logs in is not what is migrated: new credentials for the same migration are taken over, not refused.
CREDENTIALS = ("target_username", "target_password", "target_ca_pem")
# That a completed migration may be replaced is said once, to the start: it is no part of what is migrated.
PERMISSIONS = ("replace_completed",)
# What is only how fast: it may be changed while the migration runs (design §4.10).
TUNING = tuple(Load().as_values())
MAX_NAME = 100
PEM = "-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True)
class Acceptance:
    """A precheck or finding that the operator accepts, with the reason that goes into the report."""

    id: str
    reason: str


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

    @property
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


def refuse(name: str, message: str, code: str = "CUT-SPEC-1") -> CutoverError:
    """The error for a field that is not as it must be."""
    return CutoverError(code, f"{name}: {message}", details={"field": name})


def _boolean(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise refuse(name, "must be true or false")
    return value


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise refuse(name, "must be a text that is not empty")
    return value


def _secret(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise refuse(name, "must be a text")
    return value


def _path(name: str, value: object) -> Optional[str]:
    return None if value is None else _text(name, value)


def _pem(name: str, value: object) -> str:
    if not isinstance(value, str) or PEM not in value:
        raise refuse(name, f"must be a text that holds certificates ({PEM})")
    return value


def _name(name: str, value: object) -> str:
    text = _text(name, value)
    if len(text) > MAX_NAME:
        raise refuse(name, f"must have at most {MAX_NAME} characters")
    return text


def _seconds(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e9:
        raise refuse(name, "must be a number of seconds, 0 or more")
    return float(value)


def _duration(name: str, value: object) -> float:
    seconds = _seconds(name, value)
    if seconds == 0:
        raise refuse(name, "must be more than 0 seconds")
    return seconds


def _rate(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1 <= value < 1e9:
        raise refuse(name, "must be a number of keys per second, 1 or more")
    return float(value)


def _load(name: str, value: object) -> str:
    if value not in tuple(PRESETS):
        raise refuse(name, f"must be one of {', '.join(PRESETS)}")
    return str(value)


def _limit(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e9:
        raise refuse(name, "must be a number, 0 for no limit or more")
    return float(value)


def _copiers(name: str, value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # the same number in JSON
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_COPIERS:
        raise refuse(name, f"must be a whole number from 1 to {MOST_COPIERS}")
    return value


def _windows(name: str, value: object) -> tuple[Window, ...]:
    if not isinstance(value, (list, tuple)):
        raise refuse(name, "must be a list of windows")
    try:
        return tuple(parse_window(item) for item in value)
    except ValueError as error:
        raise refuse(name, str(error)) from error


def _mode(name: str, value: object) -> str:
    if value not in VERIFICATION_MODES:
        raise refuse(name, f"must be one of {', '.join(VERIFICATION_MODES)}")
    return str(value)


def _users(name: str, value: object) -> str:
    if value not in USERS:
        raise refuse(name, f"must be one of {', '.join(USERS)}")
    return str(value)


def _compress(name: str, value: object) -> str:
    if value not in POLICIES:
        raise refuse(name, f"must be one of {', '.join(POLICIES)}")
    return str(value)


def _endpoints(name: str, value: object) -> tuple[Endpoint, ...]:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, (list, tuple)):
        raise refuse(name, "must be a list of endpoints")
    return tuple(parse_endpoints(value, name))


def _texts(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        raise refuse(name, "must be a list of texts")
    return tuple(_text(name, item) for item in value)


def _patterns(name: str, value: object) -> tuple[Pattern, ...]:
    if not isinstance(value, (list, tuple)):
        raise refuse(name, f"must be a list of patterns: {FORM}")
    return tuple(_pattern(name, item) for item in value)


def _pattern(name: str, value: object) -> Pattern:
    try:
        return parse_pattern(_text(name, value))
    except ValueError as error:
        raise refuse(name, str(error)) from error


def _copies(name: str, value: object) -> ByPattern[int]:
    return _numbers(name, value, "copies", MOST_COPIES)


def _shards(name: str, value: object) -> ByPattern[int]:
    return _numbers(name, value, "shards", MOST_SHARDS)


def _numbers(name: str, value: object, what: str, most: int) -> ByPattern[int]:
    if not isinstance(value, Mapping):
        raise refuse(name, f"must map patterns to numbers of {what}; patterns: {FORM}")
    for pattern, number in value.items():
        _pattern(name, pattern)
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= most:
            raise refuse(name, f"{pattern}: must be a whole number from 1 to {most}")
    return ByPattern.of(value)


def _rev_policy(name: str, value: object) -> ByPattern[str]:
    allowed = " or ".join(REV_POLICIES)
    if not isinstance(value, Mapping):
        raise refuse(name, f"must map patterns to {allowed}; patterns: {FORM}")
    for pattern, policy in value.items():
        _pattern(name, pattern)
        if policy not in REV_POLICIES:
            raise refuse(name, f"{pattern}: must be {allowed}")
    return ByPattern.of(value)


def _map(name: str, value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise refuse(name, "must map an endpoint or a server id to the endpoint to use")
    return {_text(name, key): parse_endpoint(_text(name, target), name).url for key, target in value.items()}


def _accept(name: str, value: object) -> tuple[Acceptance, ...]:
    if not isinstance(value, (list, tuple)):
        raise refuse(name, "must be a list of objects with id and reason")
    items = []
    for item in value:
        if not isinstance(item, Mapping) or set(item) != {"id", "reason"}:
            raise refuse(name, "each entry must have exactly id and reason")
        items.append(Acceptance(_text(f"{name}.id", item["id"]), _text(f"{name}.reason", item["reason"])))
    return tuple(items)


def _accepted_findings(name: str, value: object) -> tuple[dict[str, str], ...]:
    if not isinstance(value, (list, tuple)):
        raise refuse(name, "must be a list of findings")
    for item in value:
        if not isinstance(item, Mapping) or set(item) not in FINDING_NAMES:
            raise refuse(name, "each entry must have id and reason, or code, where, key and reason")
    return tuple({key: _text(f"{name}.{key}", item[key]) for key in item} for item in value)


LIMITS_OPTIONS: dict[str, Callable[[str, object], Any]] = {
    "load": _load,
    "mb_per_second": _limit,
    "operations_per_second": _limit,
    "verify_rate": _rate,
    "copiers": _copiers,
    "windows": _windows,
}
FIELDS: dict[str, Callable[[str, object], Any]] = {
    "source_endpoints": _endpoints,
    "source_ca_path": _path,
    "target_endpoints": _endpoints,
    "target_ca_path": _path,
    "target_ca_pem": _pem,
    "target_username": _text,
    "target_password": _secret,
    "overwrite_target": _boolean,
    "replace_completed": _text,
    "early_readers": _boolean,
    "ignore_metrics": _boolean,
    "allow_plaintext_source": _boolean,
    "accept": _accept,
    "users": _users,
    "max_downtime": _duration,
    "wait_timeout": _seconds,
    "max_lag": _duration,
    "settle_after": _seconds,
    "late_write_watch": _seconds,
    "repair": _boolean,
    **LIMITS_OPTIONS,
    "checksum_seconds": _seconds,
    "require_guard": _boolean,
    "compress": _compress,
    "warm_up": _boolean,
    "endpoint_map": _map,
    "allowed_servers": _texts,
    "include": _patterns,
    "exclude": _patterns,
    "replication_factor": _copies,
    "write_concern": _copies,
    "number_of_shards": _shards,
    "rev_policy": _rev_policy,
    "name": _name,
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
    "wait_timeout": _seconds, "max_downtime": _duration, "accept_findings": _accepted_findings,
    "hold_opening": _boolean,
}  # fmt: skip
RELEASE_OPTIONS: dict[str, Callable[[str, object], Any]] = {"open": _boolean, "reason": _text}
REHEARSE_OPTIONS: dict[str, Callable[[str, object], Any]] = {"fence_seconds": _duration, "max_downtime": _duration}
CHANGES_OPTIONS: dict[str, Callable[[str, object], Any]] = {"timeout": _duration}
VERIFICATION_OPTIONS: dict[str, Callable[[str, object], Any]] = {
    "mode": _mode, "repair": _boolean, "timeout": _duration,
}  # fmt: skip
REVOKE_OPTIONS: dict[str, Callable[[str, object], Any]] = {"name": _text, "timeout": _duration}
ABORT_OPTIONS: dict[str, Callable[[str, object], Any]] = {"reason": _text, "cleanup": _boolean}
REASON_OPTIONS: dict[str, Callable[[str, object], Any]] = {"reason": _text}


def parse_options(options: Mapping[str, object], allowed: Mapping[str, Callable[[str, object], Any]]) -> dict[str, Any]:
    """Check the options of a control request; unknown ones raise CUT-SPEC-2."""
    for name in options:
        if name not in allowed:
            raise refuse(str(name), f"is not an option here; known: {', '.join(allowed) or 'none'}", "CUT-SPEC-2")
    return {name: allowed[name](name, value) for name, value in options.items() if value is not None}
