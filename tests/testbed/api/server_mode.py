# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read-only mode: a flag of the whole cluster which every server picks up by its heartbeat (facts §2.3)."""

from __future__ import annotations

import asyncio
import random

from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, result
from tests.testbed.model import Deployment, Server
from tests.testbed.routing import EVERYWHERE, route

_SPREAD = (0.4, 1.6)
_KEY = "readonly"
LATE = "mode_late"  # server id → seconds by which the flag comes later than usual


@route("GET", "/_admin/server/mode", level="any", on=EVERYWHERE)
def mode(request: Request) -> Response:
    """The flag of the answering server."""
    return result(mode=_text(request.server.readonly))


def _text(readonly: bool) -> str:
    return "readonly" if readonly else "default"


@route("PUT", "/_admin/server/mode", level="any", on=EVERYWHERE)
async def set_mode(request: Request) -> Response:
    """Set the flag for the cluster; answers late, when this server has usually seen it (facts §2.3)."""
    deployment = request.deployment
    if deployment.authenticator.database_level(request.caller, "_system") != "rw":
        raise ArangoError(11)
    try:
        body = request.json()
    except ArangoError as error:
        raise ArangoError(400, "invalid JSON") from error
    wanted = body.get("mode") if isinstance(body, dict) else None
    if wanted not in ("readonly", "default"):
        raise ArangoError(400, "mode invalid")
    propagate(deployment, wanted == "readonly")
    await asyncio.sleep(deployment.scaled(deployment.options.mode_put_delay))
    return result(mode=_text(request.server.readonly))


def propagate(deployment: Deployment, readonly: bool) -> None:
    """Write the flag for all; each running server sees it at its own next heartbeat."""
    deployment.objects[_KEY] = readonly
    loop = asyncio.get_running_loop()
    late: dict[str, float] = deployment.objects.get(LATE, {})
    seed = random.Random(f"{deployment.name}/{readonly}")
    for server in deployment.servers.values():
        delay = deployment.scaled(deployment.options.mode_delay * seed.uniform(*_SPREAD))
        loop.call_later(delay + late.get(server.id, 0.0), heartbeat, server)


def heartbeat(server: Server) -> None:
    """What a server does with the cluster's flag; one that is down reads it when it starts."""
    if server.running:
        server.mode_readonly = bool(server.deployment.objects.get(_KEY, False))
