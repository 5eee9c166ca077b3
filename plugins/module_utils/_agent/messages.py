# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Requests and responses of the agent's API, and how an error becomes an answer (design §9)."""
from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Iterator, Mapping

from .._core.errors import ArangoError, CutoverError, TransportError

JSON_TYPE = "application/json"
# Codes of areas that are not named here are conflicts with what runs now (409).
STATUS_BY_AREA = {"CUT-SPEC": 400, "CUT-TLS": 400, "CUT-STATE": 409, "CUT-PRECHECK": 422}
STATUS_BY_CODE = {
    "CUT-AGENT-10": 401,
    "CUT-AGENT-11": 403,
    "CUT-AGENT-12": 404,
    "CUT-AGENT-13": 405,
    "CUT-AGENT-14": 413,
    "CUT-AGENT-15": 415,
    "CUT-AGENT-16": 400,
    "CUT-AGENT-17": 431,
    "CUT-AGENT-18": 500,
    "CUT-AGENT-19": 409,
    "CUT-AGENT-20": 404,
    "CUT-AGENT-21": 404,
    "CUT-AGENT-22": 503,
}


@dataclass(frozen=True)
class Principal:
    """Who asks: a token's or a certificate's name and the roles that it carries."""

    name: str
    roles: frozenset[str]


@dataclass(frozen=True)
class Request:
    """One parsed request. `path` is without the query; header names are lower case; `caller` is who has proved it."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    peer: str = ""
    client_subject: str | None = None
    caller: str = ""


@dataclass(frozen=True)
class Response:
    """One answer, whole in memory (status documents, pages and lists of bounded length), or a stream without an end."""

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: Iterator[bytes] | None = None


def json_response(status: int, document: Any, headers: Mapping[str, str] | None = None) -> Response:
    """An answer carrying `document` as JSON."""
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n"
    return Response(status, body, JSON_TYPE, headers or {})


def status_of(error: CutoverError) -> int:
    """HTTP status that answers `error`."""
    area = error.code.rpartition("-")[0]
    fallback = 502 if isinstance(error, (TransportError, ArangoError)) else 409
    return STATUS_BY_CODE.get(error.code) or STATUS_BY_AREA.get(area, fallback)


def error_response(error: CutoverError, headers: Mapping[str, str] | None = None) -> Response:
    """The error form of design §9."""
    return json_response(status_of(error), {"error": error.as_dict()}, headers)
