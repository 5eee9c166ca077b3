# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The exceptions of the whole collection: each carries a code, a message for humans and a remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from .catalogue import lookup

# Codes of errors after which ArangoDB may still run, or already have run, the request: the coordinator lost its
# DB-Server or was stopped in the middle (facts §7.8: lost answers).
_UNKNOWN_ERROR_NUMS = frozenset({21, 30, 1457, 1465, 1474, 1478, 1500})
_GATEWAY_STATUSES = frozenset({408, 502, 504})


class CutoverError(Exception):
    """An error with a code of the catalogue.

    ``details`` holds JSON values only and never a secret; ``retriable`` says whether the same call can succeed later.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        remedy: Optional[str] = None,
        retriable: bool = False,
        details: Optional[Mapping[str, Any]] = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.remedy = lookup(code).remedy if remedy is None else remedy
        self.retriable = retriable
        self.details: dict[str, Any] = dict(details or {})

    def as_dict(self) -> dict[str, Any]:
        """The error as the JSON object that interfaces hand out."""
        return {
            "code": self.code,
            "message": self.message,
            "remedy": self.remedy,
            "retriable": self.retriable,
            "details": self.details,
        }

    def __str__(self) -> str:
        text = f"{self.message} ({self.code})."
        return f"{text} Remedy: {self.remedy}" if self.remedy else text


class TransportError(CutoverError):
    """No complete answer came back.

    ``outcome_unknown`` is False only when the request certainly did not reach the server: no connection, or TLS
    failed before the first byte of the request was handed over.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        outcome_unknown: bool,
        retriable: bool = True,
        remedy: Optional[str] = None,
        details: Optional[Mapping[str, Any]] = None,
    ) -> None:
        super().__init__(code, message, remedy=remedy, retriable=retriable, details=details)
        self.outcome_unknown = outcome_unknown


class ArangoError(CutoverError):
    """ArangoDB (or something in front of it) answered with an error status.

    ``kind`` is that of ``retry.kind``: ``transient``, ``longer``, ``operator`` or ``fatal``; ``error_num`` is 0 when
    the answer carried none; ``url`` is without query.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int,
        error_num: int,
        method: str,
        url: str,
        kind: str,
        from_arangodb: bool = True,
    ) -> None:
        details = {"http_status": status, "error_num": error_num, "method": method, "url": url}
        super().__init__(code, message, retriable=kind in ("transient", "longer"), details=details)
        self.status = status
        self.error_num = error_num
        self.method = method
        self.url = url
        self.kind = kind
        self.from_arangodb = from_arangodb

    @property
    def outcome_unknown(self) -> bool:
        """True when the request may have run, or may still run, in spite of the error answer."""
        if self.status in _GATEWAY_STATUSES or self.error_num in _UNKNOWN_ERROR_NUMS:
            return True
        return self.status >= 500 and not self.from_arangodb
