# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Strict reading of request bodies and queries: every refusal names the field."""
from __future__ import annotations

import json
from typing import Any, Mapping, Sequence

from .._core.errors import CutoverError
from .messages import JSON_TYPE, Request


def bad_field(field: str, problem: str) -> CutoverError:
    """CUT-AGENT-16 for one field."""
    return CutoverError("CUT-AGENT-16", f"{field}: {problem}", details={"field": field})


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, value in pairs]
    for name in names:
        if names.count(name) > 1:
            raise bad_field(name, "appears twice")
    return dict(pairs)


def json_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object (an absent body is an empty one); CUT-AGENT-15 or CUT-AGENT-16 otherwise."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    # A web page of another origin cannot send this type unasked, so it cannot steer an agent on loopback.
    if content_type != JSON_TYPE:
        raise CutoverError("CUT-AGENT-15", f"Content-Type must be {JSON_TYPE}, not {content_type or 'absent'}")
    if not request.body:
        return {}
    try:
        document = json.loads(request.body, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise CutoverError("CUT-AGENT-16", f"the body is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise CutoverError("CUT-AGENT-16", "the body must be a JSON object")
    return document


def only(document: Mapping[str, Any], known: Sequence[str]) -> None:
    """Refuse the first field that is not known."""
    for name in document:
        if name not in known:
            raise bad_field(name, f"unknown field; known are {', '.join(known) or 'none'}")


def seconds(document: Mapping[str, Any], field: str) -> float | None:
    """A duration in seconds, at least 0, or None when absent."""
    value = document.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise bad_field(field, "must be a number of seconds, 0 or more")
    return float(value)


def text(document: Mapping[str, Any], field: str, limit: int = 1000) -> str | None:
    """A text of at most `limit` characters, or None when absent."""
    value = document.get(field)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > limit:
        raise bad_field(field, f"must be a text of at most {limit} characters")
    return value


def number(query: Mapping[str, str], field: str, default: int, highest: int) -> int:
    """A whole number from 0 to `highest` out of the query."""
    raw = query.get(field)
    if raw is None:
        return default
    if not raw.isdigit() or len(raw) > 9 or int(raw) > highest:
        raise bad_field(field, f"must be a whole number from 0 to {highest}")
    return int(raw)
