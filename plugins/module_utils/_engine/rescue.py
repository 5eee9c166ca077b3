# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rescue: a fenced source whose agent's host is lost is given back from elsewhere (design §5).

The cutover's answer holds a token that is good for the server mode alone, until an hour after the deadline. As always
the record is won first: a rescue that comes too late finds the opening decided and touches nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any, Optional

from .._core.clock import SYSTEM_CLOCK
from .._core.endpoint import parse_endpoints
from .._core.errors import CutoverError
from .._core.jwt import mint
from .._core.redact import register_secret
from . import decision as record
from .decision import Decision, DecisionChangedError
from .fence import summary
from .fronts import MODE_PATHS, Fronts
from .journal import Journal, Store
from .times import stamp
from .topology import Credentials, connect_target
from .wayback import Modes, roll_back

BY = "rescue"
AFTER_DEADLINE_SECONDS = 3600.0
PATIENCE_SECONDS = 30.0
_TRIES = 10


def ticket(secret: bytes, coordinators: Sequence[str], seconds: float) -> dict[str, Any]:
    """What the operator keeps: ``token``, ``expires_at`` and the source's ``coordinators``.

    ``seconds`` until the cutover that begins now must have ended.
    """
    now = SYSTEM_CLOCK.wall()
    lifetime = seconds + AFTER_DEADLINE_SECONDS
    return {
        "token": mint(secret, now=now, lifetime=lifetime, allowed_paths=MODE_PATHS),
        "expires_at": stamp(now + lifetime),
        "coordinators": list(coordinators),
    }


def rescue_from_elsewhere(
    given: Mapping[str, Any],
    source_ca_path: Optional[str],
    target_endpoints: Sequence[str],
    target_ca_path: Optional[str],
    credentials: Credentials,
    *,
    ca_pem: Optional[str] = None,
    look_only: bool = False,
) -> dict[str, Any]:
    """``rescue`` with a ticket, from any host that reaches source and target; ``look_only`` says what it would do.

    Raises CUT-JOURNAL-4 for a target without a journal.
    """
    token = str(given["token"])
    register_secret(token)
    endpoints = parse_endpoints(target_endpoints, "target_endpoints")
    fronts = Fronts(given["coordinators"], source_ca_path, lambda: f"bearer {token}", "coordinators")
    with closing(fronts), closing(connect_target(endpoints, target_ca_path, credentials, ca_pem=ca_pem)) as target:
        found = Journal.find(target, PATIENCE_SECONDS)
        if found is None:
            raise CutoverError("CUT-JOURNAL-4", "the target holds no journal")
        return look(found, fronts) if look_only else rescue(found, fronts)


def look(store: Store, source: Modes) -> dict[str, Any]:
    """What ``rescue`` would do, writing nothing; raises CUT-RESCUE-1 like it."""
    state = Decision(store).read()
    _refuse_after_opening(state)
    return {"changed": state != record.NONE, "decision": state, "mode": summary(source.shown_modes())}


def _refuse_after_opening(state: str) -> None:
    if state in record.DECIDED_OPEN or state in record.REVOCATION:
        raise CutoverError(
            "CUT-RESCUE-1",
            f"the source is not given back: the decision record says {state}",
            details={"decision": state},
        )


def rescue(store: Store, source: Modes) -> dict[str, Any]:
    """Take the way back by the record; returns ``changed``, ``decision`` and the source's ``mode``.

    Raises CUT-RESCUE-1 when the opening is decided, or what journal and source answered; it can be repeated.
    """
    decision = Decision(store)
    for _try in range(_TRIES):
        state = decision.read()
        _refuse_after_opening(state)
        if state == record.NONE:
            return {"changed": False, "decision": state, "mode": summary(source.shown_modes())}
        try:
            roll_back(decision, source, "rescue", BY)
        except DecisionChangedError:
            continue
        return {"changed": True, "decision": decision.state, "mode": summary(source.shown_modes())}
    raise CutoverError("CUT-RESCUE-2", "the decision record changes all the time", retriable=True)
