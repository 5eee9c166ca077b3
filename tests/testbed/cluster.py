# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A running deployment: a TLS listener per server, the control listener, and killing and restarting servers."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Collection
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from tests.testbed import (
    api,
    app,
    control_api,
    control_cluster,
    control_conditions,
    control_documents,
    control_front,
    control_shards,
    heartbeat,
)
from tests.testbed.control import Faults
from tests.testbed.control_answers import carried_out
from tests.testbed.http_server import HttpProtocol
from tests.testbed.message import Request, Response
from tests.testbed.model import Deployment, Server

HOST = "127.0.0.1"
# importing them registers endpoints and faults
REGISTERED = (api, control_cluster, control_conditions, control_documents, control_front, control_shards)


class _Connection(Protocol):
    def abort(self) -> None:
        """Cut the connection."""


@dataclass
class _Listener:
    server: asyncio.Server
    connections: Collection[_Connection] = field(default_factory=set)


class ShutDoor(asyncio.Protocol):
    """A connection to a server that its platform keeps from clients: cut at once, or never answered."""

    def __init__(self, connections: set[ShutDoor], *, silent: bool) -> None:
        self._connections = connections
        self._silent = silent
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Cut the connection, or keep it."""
        self._transport = transport
        self._connections.add(self)
        if not self._silent:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._connections.discard(self)

    def abort(self) -> None:
        """Cut the connection."""
        if isinstance(self._transport, asyncio.Transport):
            self._transport.abort()


class Cluster:
    """Listeners around a deployment."""

    def __init__(self, deployment: Deployment, tls_keyfile: Path | None) -> None:
        self.deployment = deployment
        deployment.faults = Faults()
        deployment.objects["cluster"] = self
        self._context: ssl.SSLContext | None = None
        if tls_keyfile is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.minimum_version = ssl.TLSVersion.TLSv1_2
            self._context.load_cert_chain(tls_keyfile)
        self._listeners: dict[str, _Listener] = {}
        self.control_port = 0
        self._beats: asyncio.Task[None] | None = None

    async def start(self, control_token: str) -> None:
        """Open every listener; ports become known."""
        for server in self.deployment.servers.values():
            await self.open(server)
        front = next(iter(self.deployment.servers.values()))
        connections: set[HttpProtocol[Request]] = set()
        dispatch = control_api.dispatcher(self, control_token)
        listener = await asyncio.get_running_loop().create_server(
            lambda: HttpProtocol(partial(Request, front), dispatch, connections), HOST, 0
        )
        self._listeners["control"] = _Listener(listener, connections)
        self.control_port = listener.sockets[0].getsockname()[1]
        self._beats = asyncio.create_task(heartbeat.run(self.deployment))

    async def open(self, server: Server) -> None:
        """Let a server listen, on its former port if it had one."""
        connections: set[HttpProtocol[Request]] = set()
        listener = await asyncio.get_running_loop().create_server(
            lambda: HttpProtocol(partial(Request, server), self._dispatch, connections),
            server.host,
            server.port,
            ssl=self._context,
            backlog=512,
        )
        self._listeners[server.id] = _Listener(listener, connections)
        server.port = listener.sockets[0].getsockname()[1]
        self._join(server)

    def _join(self, server: Server) -> None:
        server.running = True
        if server.down:
            server.down = False
            for shard in list(server.shards.values()):
                shard.catch_up(server)

    def _dispatch(self, request: Request) -> Response | Awaitable[Response | None] | None:
        if request.server.thawed is not None:
            return self._when_thawed(request, request.server.thawed)
        return app.dispatch(request) if request.server.running else None

    async def _when_thawed(self, request: Request, thawed: asyncio.Event) -> Response | None:
        process = request.server.reboot_id
        await thawed.wait()
        alive = request.server.running and request.server.reboot_id == process
        return await carried_out(request, app.dispatch) if alive else None

    def freeze(self, server: Server) -> None:
        """Answer nothing from now on, as when the process is stopped; connections stay."""
        server.running, server.down = False, True
        server.thawed = server.thawed or asyncio.Event()

    def thaw(self, server: Server) -> None:
        """Let a frozen server go on: it carries out what it was asked meanwhile."""
        self._join(server)
        self._release(server)

    @staticmethod
    def _release(server: Server) -> None:
        if server.thawed is not None:
            server.thawed.set()
            server.thawed = None

    @property
    def front(self) -> list[Server]:
        """The servers that clients reach."""
        return self.deployment.by_role("coordinator" if self.deployment.clustered else "single")

    async def shut(self, server: Server, *, silent: bool) -> None:
        """Take connections on the port of a closed server, and cut them or be silent."""
        connections: set[ShutDoor] = set()
        listener = await asyncio.get_running_loop().create_server(
            lambda: ShutDoor(connections, silent=silent), server.host, server.port
        )
        self._listeners[server.id] = _Listener(listener, connections)

    def load_keyfile(self, path: Path) -> None:
        """Use another certificate for connections to come."""
        if self._context is not None:
            self._context.load_cert_chain(path)

    def cut(self, server: Server) -> None:
        """Cut a server's connections; its listener goes on."""
        for connection in list(self._listeners[server.id].connections):
            connection.abort()

    def close(self, server: Server) -> None:
        """Cut a server's connections and its listener, as when its process is killed."""
        server.running, server.down = False, True
        self._release(server)
        listener = self._listeners.pop(server.id, None)
        if listener is not None:
            listener.server.close()
            for connection in list(listener.connections):
                connection.abort()

    async def stop(self) -> None:
        """Close everything."""
        if self._beats is not None:
            self._beats.cancel()
        for server in self.deployment.servers.values():
            self.close(server)
        self._listeners.pop("control").server.close()
