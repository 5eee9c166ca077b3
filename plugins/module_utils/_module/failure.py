# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Errors as data for a module's or an action's result."""
from __future__ import annotations

from typing import Any

from .._core.errors import CutoverError
from .._core.redact import redact


def failure_of(error: CutoverError) -> dict[str, Any]:
    """The error as data: `code`, `http_status`, `error_num`, `retriable`, `endpoint`, `remedy`, `details`."""
    details = dict(error.details)
    return {
        "code": error.code,
        "http_status": getattr(error, "http_status", None) or details.get("http_status"),
        "error_num": details.get("error_num"),
        "retriable": error.retriable,
        "endpoint": getattr(error, "endpoint", None) or details.get("url"),
        "remedy": error.remedy,
        "details": details,
    }


def message_of(error: CutoverError) -> str:
    """The error as one text, with every blocker of a refused cutover and its remedy."""
    lines = [str(error)]
    for blocker in error.details.get("blockers") or []:
        lines.append(f"Blocked by {blocker.get('code')}: {blocker.get('text')} Remedy: {blocker.get('remedy')}")
    return redact(" | ".join(lines))
