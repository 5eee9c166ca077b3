# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A running platform: TLS listeners of the API and of the dashboard, and the control listener."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from tests.testbed.control import Faults
from tests.testbed.errors import ArangoError
from tests.testbed.http_server import Face, HttpProtocol
from tests.testbed.message import Response
from tests.testbed.platform import api, control
from tests.testbed.platform.app import App
from tests.testbed.platform.call import Request
from tests.testbed.platform.control_answers import PLATFORM_KINDS, PRESETS
from tests.testbed.platform.errors import text_answer
from tests.testbed.platform.world import World

HOST = "127.0.0.1"
REGISTERED = api  # importing it registers the calls


def _bad_request(error: ArangoError) -> Response:
    return text_answer(error.status, f"{error.status} {error.message}")


FACE = Face("connection: keep-alive\r\n", "connection: close\r\n", _bad_request)


class Platform:
    """Listeners around a world."""

    def __init__(self, config: Mapping[str, Any], directory: Path) -> None:
        self.world = World(config, directory)
        self.app = App(self.world, Faults(PLATFORM_KINDS, PRESETS))
        self._config = config
        self._listeners: list[asyncio.Server] = []
        self._beats: asyncio.Task[None] | None = None
        self.api_port = self.dashboard_port = self.control_port = 0

    async def start(self, keyfile: Path) -> None:
        """Make keys and deployments, then open every listener; ports become known."""
        for key in self._config.get("keys", [{}]):
            self.world.add_key(key)
        for deployment in self._config.get("deployments", [{}]):
            await self.world.add_deployment(deployment)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(keyfile)
        self.api_port = await self._open(self.app.dispatch, context)
        self.dashboard_port = await self._open(self.app.dashboard, context)
        self.control_port = await self._open(control.dispatcher(self.app, self._config["control_token"]), None)
        self._beats = asyncio.create_task(self.world.clock.run())

    async def _open(
        self, dispatch: Callable[[Request], Awaitable[Response | None]], context: ssl.SSLContext | None
    ) -> int:
        connections: set[HttpProtocol[Request]] = set()
        listener = await asyncio.get_running_loop().create_server(
            lambda: HttpProtocol(Request, dispatch, connections, FACE), HOST, 0, ssl=context, backlog=128
        )
        self._listeners.append(listener)
        port: int = listener.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Close everything."""
        if self._beats is not None:
            self._beats.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._beats
        for listener in self._listeners:
            listener.close()
