# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which recorded exchanges are left out, and why: decided by what they ask for, never by their names."""

from __future__ import annotations

import re
from typing import Any

_PATHS = (
    (r"/_api/replication/(applier-start|make-|sync)", "replication applier that runs"),
    (r"/_api/replication/logger-tick-ranges", "number of files of a server's log"),
    (r"/_api/replication/logger-follow.*chunkSize", "what was in a server's log before the recording"),
    (r"/_api/(foxx|pregel|batch|view-search)", "Foxx, Pregel, batch requests"),
    (r"/_open/", "login"),
)


def out_of_scope(script: list[dict[str, Any]]) -> str | None:
    """The reason why a script is left out, None when it is replayed."""
    reason: str | None
    for exchange in script:
        request = exchange["request"]
        if "pairing" in exchange:
            return "request and answer could not be paired for certain"
        for pattern, reason in _PATHS:
            if re.search(pattern, request["path"]):
                return reason
        answer = exchange["response"]["body"]
        if isinstance(answer, dict) and isinstance(answer.get("features"), dict) and "expires" in answer["features"]:
            return "contents of a license"
        reason = _applier_reason(answer) or _body_reason(request.get("body"))
        if reason is not None:
            return reason
    return None


def _applier_reason(answer: Any) -> str | None:
    state = answer.get("state") if isinstance(answer, dict) else None
    if not isinstance(state, dict) or "phase" not in state:
        return None
    if state["lastError"]["errorNum"]:
        return "replication applier that runs"
    if answer["server"]["version"].startswith("3.12.10-"):
        return "nightly build from before a removal"
    return None


def _body_reason(body: Any) -> str | None:
    if isinstance(body, str) and body == "@-":
        return "the recording lacks the request's body"
    if not isinstance(body, dict):
        return None
    if "action" in body and "collections" in body:
        return "JavaScript transactions"
    options = body.get("options")
    if isinstance(options, dict) and options.get("profile"):
        return "query profiles"
    return None
