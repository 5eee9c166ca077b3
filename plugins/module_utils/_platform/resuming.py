# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waking a paused deployment (platform facts §3.8)."""

from __future__ import annotations

from typing import Any, Optional
from urllib.parse import quote

from .._core.errors import CutoverError
from .._core.platform_rules import ASLEEP, FAILED_PRECONDITION, named, state_problems
from .client import PlatformClient, PlatformError
from .keys import require_writable
from .waiting import Waiting


def resume(client: PlatformClient, deployment: dict[str, Any], waiting: Waiting) -> dict[str, Any]:
    """Resume a deployment and wait until a migration can go into it; the deployment as it is then.

    Raises CUT-PLATFORM-11 for a read-only key, CUT-PLATFORM-3 without the permission, CUT-PLATFORM-14 when it takes
    longer than ``waiting`` allows.
    """
    require_writable(client, "resuming a deployment")
    path = f"/api/data/v1/deployments/{quote(str(deployment.get('id')), safe='')}"
    try:
        client.send("POST", f"{path}/resume")
    except PlatformError as error:
        # Somebody else has resumed it meanwhile, or an answer of ours was lost: waiting tells.
        if error.grpc_code != FAILED_PRECONDITION and not error.retriable:
            raise
    found = deployment

    def look() -> Optional[str]:
        nonlocal found
        found = client.get(path)
        return next((text for code, text in state_problems(found) if code in ASLEEP), None)

    def late(text: str) -> CutoverError:
        return CutoverError("CUT-PLATFORM-14", f"after {waiting.timeout:g} s of resuming: {text}", retriable=True)

    waiting.tell(f"{named(deployment)} is being resumed")
    waiting.until_none(look, late)
    return found
