# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Scalars of the platform's messages: 64-bit integers and times as texts (platform facts §1.4)."""

from __future__ import annotations

import math
import re
from datetime import datetime, timezone
from typing import Any

from tests.testbed.platform.errors import invalid

SEVERITIES = tuple(f"NOTIFICATION_SEVERITY_{name}" for name in ("INFO", "WARNING", "CRITICAL"))
_BITS = {"int32": 31, "int64": 63}
_MAX_SECONDS = 315_576_000_000  # ten thousand years
_FIRST, _LAST = -62_135_596_800.0, 253_402_300_799.0  # the years 1 to 9999
_TIMESTAMP = re.compile(r"(\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)\Z", re.ASCII)
_DURATION = re.compile(r"-?\d{1,12}(?:\.\d{1,9})?s\Z", re.ASCII)
_GO_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_GO_DURATION = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(ns|us|µs|ms|s|m|h)", re.ASCII)
_ZEROS: dict[str, Any] = {"bool": False, "int32": 0, "int64": "0", "float": 0, "timestamp": None, "duration": None}
_TRUE, _FALSE = ("1", "t", "T", "TRUE", "true", "True"), ("0", "f", "F", "FALSE", "false", "False")
_BOOLEANS = {**dict.fromkeys(_TRUE, True), **dict.fromkeys(_FALSE, False)}


def is_zero(kind: str, value: Any) -> bool:
    """Whether a value is that of a field which is not set."""
    return not value or (kind == "severity" and value == SEVERITIES[0])


def zero(kind: str) -> Any:
    """What a server writes for zero that leaves nothing out."""
    return SEVERITIES[0] if kind == "severity" else _ZEROS.get(kind, "")


def write(kind: str, value: Any) -> Any:
    """The JSON of a value that is not zero."""
    if kind == "int64":
        return str(value)
    if kind == "timestamp":
        return timestamp(value)
    if kind == "duration":
        return f"{_fraction(f'{value:.9f}')}s"
    return int(value) if kind == "float" and value == int(value) else value


def timestamp(seconds: float) -> str:
    """RFC 3339 with 0, 3 or 6 digits after the second."""
    moment = datetime.fromtimestamp(min(max(seconds, _FIRST), _LAST), timezone.utc)
    text = moment.replace(tzinfo=None).isoformat(timespec="microseconds")
    return f"{_fraction(text + '000')}Z"


def _fraction(text: str) -> str:
    """A text that ends in nine digits after a point, without the groups of three zeros at its end."""
    for _group in range(3):
        text = text.removesuffix("000")
    return text.rstrip(".")


def read(kind: str, name: str, item: object) -> Any:
    """The value of a JSON field; numbers may be texts, too."""
    if kind == "bool" and isinstance(item, bool):
        return item
    if kind == "severity" and item in range(len(SEVERITIES)) and not isinstance(item, bool):
        return SEVERITIES[int(str(item))]
    if kind in _BITS or kind == "float":
        if isinstance(item, (int, float, str)) and not isinstance(item, bool):
            return number(kind, name, str(item))
    elif kind != "bool" and isinstance(item, str):
        return _text(kind, name, item)
    raise invalid(f"json: cannot unmarshal {type(item).__name__} into field {name} of type {kind}")


def parse(kind: str, name: str, text: str) -> Any:
    """The value of a query or form field; durations as Go writes them (`1h`, `30m`, `3600s`)."""
    if kind == "bool":
        if text not in _BOOLEANS:
            raise invalid(f'parsing field "{name}": invalid syntax: {text!r}')
        return _BOOLEANS[text]
    if kind in _BITS or kind == "float":
        return number(kind, name, text)
    if kind == "duration":
        return _go_duration(name, text)
    return _text(kind, name, text)


def number(kind: str, name: str, text: str) -> Any:
    """A number in range; InvalidArgument for anything else."""
    try:
        value = float(text) if kind == "float" else int(text)
    except ValueError:
        raise invalid(f'parsing field "{name}": invalid syntax: {text[:80]!r}') from None
    if not math.isfinite(value) or (kind in _BITS and not -(1 << _BITS[kind]) <= value < 1 << _BITS[kind]):
        raise invalid(f'parsing field "{name}": value out of range: {text[:80]!r}')
    return value


def _text(kind: str, name: str, text: str) -> Any:
    if kind == "timestamp":
        return _moment(name, text)
    if kind == "duration":
        if not _DURATION.match(text) or abs(float(text[:-1])) > _MAX_SECONDS:
            raise invalid(f"bad Duration in {name}: {text!r}")
        return float(text[:-1])
    if kind == "severity" and text not in SEVERITIES:
        raise invalid(f'unknown value "{text}" for enum in {name}')
    return text


def _moment(name: str, text: str) -> float:
    match = _TIMESTAMP.match(text)
    try:
        if match is None:
            raise ValueError
        zone = "+00:00" if match.group(3) == "Z" else match.group(3)
        moment = datetime.fromisoformat(match.group(1) + zone).timestamp()
    except ValueError:
        raise invalid(f"bad Timestamp in {name}: {text!r}") from None
    return moment + float(f"0.{match.group(2) or 0}")


def _go_duration(name: str, text: str) -> float:
    sign, rest = (-1.0, text[1:]) if text[:1] == "-" else (1.0, text.removeprefix("+"))
    if rest == "0":
        return 0.0
    parts = _GO_DURATION.findall(rest)
    if not parts or "".join(amount + unit for amount, unit in parts) != rest:
        raise invalid(f'parsing field "{name}": invalid duration {text!r}')
    return sign * sum(float(amount) * _GO_UNITS[unit] for amount, unit in parts)
