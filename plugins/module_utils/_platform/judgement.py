# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What keeps a deployment from being the target of a migration, from what the platform says about it (facts §11)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from .._core.catalogue import lookup
from .._core.platform_rules import SINGLE_SERVERS, moment

_SKEW = 60.0  # seconds; the Date of an answer is exact to a second, and the way back takes time, too
Problem = dict[str, Any]


def chosen_endpoint(status: Mapping[str, Any]) -> str | None:
    """The address to migrate to: that of the deployment's own CA, which is meant for machines (platform facts §4)."""
    names = ("endpoint_self_signed", "endpoint_private_endpoint_self_signed")
    return next((str(status[name]) for name in names if status.get(name)), None)


def problems(
    deployment: Mapping[str, Any], authority: Mapping[str, Any], missing: Mapping[str, list[str]],
    verdicts: Mapping[str, str], skew: float | None, now: datetime,
) -> list[Problem]:  # fmt: skip
    """Every problem as `{code, severity, text, remedy}`, the one to solve first in front.

    ``deployment`` and ``authority`` are the platform's own objects, ``skew`` seconds that this host's clock is ahead.
    """
    name = f"deployment {deployment.get('name') or deployment.get('id')}"
    found = [*_state(deployment, name), *_reach(deployment, authority, verdicts, name, now)]
    found += [("CUT-PLATFORM-3", f"the API key lacks {permission} on {name}") for permission in missing["migration"]]
    if skew is not None and abs(skew) > _SKEW:
        text = f"this host's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the platform's"
        found.append(("CUT-PLATFORM-20", text))
    return [{"code": code, "severity": lookup(code).severity, "text": text, "remedy": lookup(code).remedy}
            for code, text in found]  # fmt: skip


def _state(deployment: Mapping[str, Any], name: str) -> Iterator[tuple[str, str]]:
    status = deployment.get("status") or {}
    model = str((deployment.get("model") or {}).get("model") or "")
    if deployment.get("is_deleted"):
        yield "CUT-PLATFORM-13", f"{name} is marked for deletion"
        return
    if model in SINGLE_SERVERS:
        yield "CUT-PLATFORM-15", f"{name} is a single server (model {model})"
    if deployment.get("is_paused"):
        yield "CUT-PLATFORM-12", f"{name} is paused"
        return
    lacking = [word for word in ("created", "bootstrapped", "ready") if not status.get(word)]
    if lacking:
        said = f": {status['description']}" if status.get("description") else ""
        yield "CUT-PLATFORM-14", f"{name} is not {lacking[0]} yet{said}"
    elif status.get("upgrading") or (status.get("backup_restore_status") or {}).get("restoring"):
        yield "CUT-PLATFORM-14", f"{name} is being {'upgraded' if status.get('upgrading') else 'restored'}"


def _reach(
    deployment: Mapping[str, Any], authority: Mapping[str, Any], verdicts: Mapping[str, str], name: str, now: datetime
) -> Iterator[tuple[str, str]]:
    if chosen_endpoint(deployment.get("status") or {}) is None:
        yield "CUT-PLATFORM-16", f"the platform names no endpoint of {name}"
    ends = moment(authority.get("expires_at"))
    if authority.get("is_expired") or (ends is not None and ends <= now):
        yield "CUT-PLATFORM-18", f"the CA certificate of {name} has expired"
    for address, verdict in verdicts.items():
        if verdict == "blocked":
            yield "CUT-PLATFORM-17", f"the allowlist of {name} does not hold {address}"
