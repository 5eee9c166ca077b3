# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rescue: a fenced source whose agent's host is lost is given back from elsewhere (design §5).

The cutover's answer holds a token that is good for the server mode alone, until an hour after the deadline. As always
the record is won first: a rescue that comes too late finds the opening decided and touches nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._core.clock import SYSTEM_CLOCK
from .._core.errors import CutoverError
from .._core.jwt import mint
from . import decision as record
from .decision import Decision, DecisionChangedError
from .fence import summary
from .fronts import MODE_PATHS
from .journal import Store
from .times import stamp
from .wayback import Modes, roll_back

BY = "rescue"
AFTER_DEADLINE_SECONDS = 3600.0
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


def rescue(store: Store, source: Modes) -> dict[str, Any]:
    """Take the way back by the record; returns ``changed``, ``decision`` and the source's ``mode``.

    Raises CUT-RESCUE-1 when the opening is decided, or what journal and source answered; it can be repeated.
    """
    decision = Decision(store)
    for _try in range(_TRIES):
        state = decision.read()
        if state in record.DECIDED_OPEN or state in record.REVOCATION:
            raise CutoverError(
                "CUT-RESCUE-1",
                f"the source is not given back: the decision record says {state}",
                details={"decision": state},
            )
        if state == record.NONE:
            return {"changed": False, "decision": state, "mode": summary(source.shown_modes())}
        try:
            roll_back(decision, source, "rescue", BY)
        except DecisionChangedError:
            continue
        return {"changed": True, "decision": decision.state, "mode": summary(source.shown_modes())}
    raise CutoverError("CUT-RESCUE-2", "the decision record changes all the time", retriable=True)
