# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What keeps a deployment from being the target of a migration, from what the platform says about it (facts §11)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from .._core.catalogue import lookup
from .._core.platform_rules import moment, named, state_problems
from .._core.tls import holds_certificate

_SKEW = 60.0  # seconds; the Date of an answer is exact to a second, and the way back takes time, too
Problem = dict[str, Any]


def problems(
    deployment: Mapping[str, Any], authority: Mapping[str, Any], missing: Mapping[str, list[str]],
    verdicts: Mapping[str, str], skew: float | None, now: datetime,
) -> list[Problem]:  # fmt: skip
    """Every problem as `{code, severity, text, remedy}`, the one to solve first in front.

    ``deployment`` and ``authority`` are the platform's own objects, ``skew`` seconds that this host's clock is ahead.
    """
    name = named(deployment)
    found = [*state_problems(deployment), *_authority(authority, missing, name)]
    found += _reach(authority, verdicts, name, now)
    found += [("CUT-PLATFORM-3", f"the API key lacks {permission} on {name}") for permission in missing["migration"]]
    if skew is not None and abs(skew) > _SKEW:
        text = f"this host's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the platform's"
        found.append(("CUT-PLATFORM-20", text))
    return [{"code": code, "severity": lookup(code).severity, "text": text, "remedy": lookup(code).remedy}
            for code, text in found]  # fmt: skip


def _authority(
    authority: Mapping[str, Any], missing: Mapping[str, list[str]], name: str
) -> Iterator[tuple[str, str]]:
    if "crypto.cacertificate.get" in missing["migration"]:
        return  # what may not be read says nothing
    if not holds_certificate(str(authority.get("certificate_pem") or "")):
        yield "CUT-PLATFORM-6", f"the platform gives no CA certificate of {name}"


def _reach(
    authority: Mapping[str, Any], verdicts: Mapping[str, str], name: str, now: datetime
) -> Iterator[tuple[str, str]]:
    ends = moment(authority.get("expires_at"))
    if authority.get("is_expired") or (ends is not None and ends <= now):
        yield "CUT-PLATFORM-18", f"the CA certificate of {name} has expired"
    for address, verdict in verdicts.items():
        if verdict == "blocked":
            yield "CUT-PLATFORM-17", f"the allowlist of {name} does not hold {address}"
