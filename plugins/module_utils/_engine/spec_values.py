# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Readers of the values of options, one per kind: each returns the checked value of the field ``name`` or refuses it.

All of them raise ``CutoverError`` CUT-SPEC-1 with the field and what it must be (endpoints: CUT-SPEC-901 to 904).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional

from .._core.endpoint import Endpoint, parse_endpoint, parse_endpoints
from .._core.errors import CutoverError
from .layout import MOST_SHARDS, REV_POLICIES
from .load import MOST_COPIERS, PRESETS, Window, parse_window
from .overrides import MOST_COPIES, ByPattern
from .packing import POLICIES
from .patterns import FORM, Pattern, parse_pattern

USERS = ("copy", "recreate", "skip")
VERIFICATION_MODES = ("counts", "checksums", "keys", "documents")
FINDING_NAMES = ({"id", "reason"}, {"code", "where", "key", "reason"})
MAX_NAME = 100
# Seconds for which a precheck may read the source's shards and logs.
LONGEST_SAMPLE = 60.0
PEM = "-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True)
class Acceptance:
    """A precheck or finding that the operator accepts, with the reason that goes into the report."""

    id: str
    reason: str


def refuse(name: str, message: str, code: str = "CUT-SPEC-1") -> CutoverError:
    """The error for a field that is not as it must be."""
    return CutoverError(code, f"{name}: {message}", details={"field": name})


def boolean(name: str, value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise refuse(name, "must be true or false")
    return value


def text(name: str, value: object) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise refuse(name, "must be a text that is not empty")
    return value


def secret(name: str, value: object) -> str:
    """A text, also an empty one; it is in no message."""
    if not isinstance(value, str):
        raise refuse(name, "must be a text")
    return value


def path(name: str, value: object) -> Optional[str]:
    """The path of a file, or nothing."""
    return None if value is None else text(name, value)


def pem(name: str, value: object) -> str:
    """Certificates as a text."""
    if not isinstance(value, str) or PEM not in value:
        raise refuse(name, f"must be a text that holds certificates ({PEM})")
    return value


def name(name: str, value: object) -> str:
    """A name for people."""
    given = text(name, value)
    if len(given) > MAX_NAME:
        raise refuse(name, f"must have at most {MAX_NAME} characters")
    return given


def seconds(name: str, value: object) -> float:
    """Seconds, 0 or more."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e9:
        raise refuse(name, "must be a number of seconds, 0 or more")
    return float(value)


def duration(name: str, value: object) -> float:
    """Seconds, more than 0."""
    given = seconds(name, value)
    if given == 0:
        raise refuse(name, "must be more than 0 seconds")
    return given


def sample_seconds(name: str, value: object) -> float:
    """Seconds of a sample, 0 for none."""
    given = seconds(name, value)
    if given > LONGEST_SAMPLE:
        raise refuse(name, f"must be at most {LONGEST_SAMPLE:g} seconds")
    return given


def rate(name: str, value: object) -> float:
    """Keys per second."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1 <= value < 1e9:
        raise refuse(name, "must be a number of keys per second, 1 or more")
    return float(value)


def load(name: str, value: object) -> str:
    """A preset of the load."""
    if value not in tuple(PRESETS):
        raise refuse(name, f"must be one of {', '.join(PRESETS)}")
    return str(value)


def limit(name: str, value: object) -> float:
    """A limit; 0 lifts it."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e9:
        raise refuse(name, "must be a number, 0 for no limit or more")
    return float(value)


def copiers(name: str, value: object) -> int:
    """How many copiers work at a time."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # the same number in JSON
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_COPIERS:
        raise refuse(name, f"must be a whole number from 1 to {MOST_COPIERS}")
    return value


def windows(name: str, value: object) -> tuple[Window, ...]:
    """Times of day with a bandwidth of their own."""
    if not isinstance(value, (list, tuple)):
        raise refuse(name, "must be a list of windows")
    try:
        return tuple(parse_window(item) for item in value)
    except ValueError as error:
        raise refuse(name, str(error)) from error


def mode(name: str, value: object) -> str:
    """How thorough a verification on demand is."""
    if value not in VERIFICATION_MODES:
        raise refuse(name, f"must be one of {', '.join(VERIFICATION_MODES)}")
    return str(value)


def users(name: str, value: object) -> str:
    """What becomes of users."""
    if value not in USERS:
        raise refuse(name, f"must be one of {', '.join(USERS)}")
    return str(value)


def compress(name: str, value: object) -> str:
    """When bodies go compressed."""
    if value not in POLICIES:
        raise refuse(name, f"must be one of {', '.join(POLICIES)}")
    return str(value)


def endpoints(name: str, value: object) -> tuple[Endpoint, ...]:
    """Endpoints, one or a list."""
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, (list, tuple)):
        raise refuse(name, "must be a list of endpoints")
    return tuple(parse_endpoints(value, name))


def texts(name: str, value: object) -> tuple[str, ...]:
    """Texts that are not empty."""
    if not isinstance(value, (list, tuple)):
        raise refuse(name, "must be a list of texts")
    return tuple(text(name, item) for item in value)


def patterns(name: str, value: object) -> tuple[Pattern, ...]:
    """Patterns for databases and collections."""
    if not isinstance(value, (list, tuple)):
        raise refuse(name, f"must be a list of patterns: {FORM}")
    return tuple(pattern(name, item) for item in value)


def pattern(name: str, value: object) -> Pattern:
    """One pattern."""
    try:
        return parse_pattern(text(name, value))
    except ValueError as error:
        raise refuse(name, str(error)) from error


def copies(name: str, value: object) -> ByPattern[int]:
    """Numbers of copies by pattern."""
    return _numbers(name, value, "copies", MOST_COPIES)


def shards(name: str, value: object) -> ByPattern[int]:
    """Numbers of shards by pattern."""
    return _numbers(name, value, "shards", MOST_SHARDS)


def _numbers(name: str, value: object, what: str, most: int) -> ByPattern[int]:
    """Whole numbers from 1 to ``most`` by pattern."""
    if not isinstance(value, Mapping):
        raise refuse(name, f"must map patterns to numbers of {what}; patterns: {FORM}")
    for which, number in value.items():
        pattern(name, which)
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= most:
            raise refuse(name, f"{which}: must be a whole number from 1 to {most}")
    return ByPattern.of(value)


def rev_policy(name: str, value: object) -> ByPattern[str]:
    """Whose revisions the target has, by pattern."""
    allowed = " or ".join(REV_POLICIES)
    if not isinstance(value, Mapping):
        raise refuse(name, f"must map patterns to {allowed}; patterns: {FORM}")
    for which, policy in value.items():
        pattern(name, which)
        if policy not in REV_POLICIES:
            raise refuse(name, f"{which}: must be {allowed}")
    return ByPattern.of(value)


def endpoint_map(name: str, value: object) -> dict[str, str]:
    """Endpoints by the endpoint or server id that they stand for."""
    if not isinstance(value, Mapping):
        raise refuse(name, "must map an endpoint or a server id to the endpoint to use")
    return {text(name, key): parse_endpoint(text(name, target), name).url for key, target in value.items()}


def accept(name: str, value: object) -> tuple[Acceptance, ...]:
    """Prechecks and findings that are accepted."""
    if not isinstance(value, (list, tuple)):
        raise refuse(name, "must be a list of objects with id and reason")
    items = []
    for item in value:
        if not isinstance(item, Mapping) or set(item) != {"id", "reason"}:
            raise refuse(name, "each entry must have exactly id and reason")
        items.append(Acceptance(text(f"{name}.id", item["id"]), text(f"{name}.reason", item["reason"])))
    return tuple(items)


def accepted_findings(name: str, value: object) -> tuple[dict[str, str], ...]:
    """Findings that a cutover is to accept."""
    if not isinstance(value, (list, tuple)):
        raise refuse(name, "must be a list of findings")
    for item in value:
        if not isinstance(item, Mapping) or set(item) not in FINDING_NAMES:
            raise refuse(name, "each entry must have id and reason, or code, where, key and reason")
    return tuple({key: text(f"{name}.{key}", item[key]) for key in item} for item in value)
