# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What recorded exchanges are sent to: a server behind a plain socket, by default an emulated one of its own."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from dataclasses import dataclass
from typing import Any

from tests.testbed.auth import sign
from tests.testbed.cluster import Cluster
from tests.testbed.model import Deployment
from tests.testbed.options import Options


@dataclass
class Reply:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: Any


class Target:
    """A connection to one server; `headers` go with every request."""

    def __init__(self, host: str, port: int, headers: dict[str, str]) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=30)
        self._headers = headers

    def send(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Reply:
        """One request; texts are sent as they are, other bodies as JSON."""
        data = body.encode() if isinstance(body, str) else b"" if body is None else json.dumps(body).encode()
        self._connection.request(method, path, data, {**self._headers, **(headers or {})})
        response = self._connection.getresponse()
        content = response.read()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, found, _decode(content))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class Emulated(Target):
    """One emulated deployment behind plain sockets, and a connection of the superuser to it."""

    def __init__(self, version: str, topology: str) -> None:
        flavour: Any = "single" if topology == "single" else "selfhosted"
        options = Options(mode_put_delay=0.0, default_replication_factor=1)
        self.deployment = Deployment(
            "recorded", version=version, flavour=flavour, coordinators=3, secret=b"recorded", options=options
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._cluster = Cluster(self.deployment, None)
        self._run(self._cluster.start("unused"))
        self.port = next(iter(self.deployment.servers.values())).port
        # The recordings were made without authentication, which makes every caller the superuser.
        token = "bearer " + sign(b"recorded", {"iss": "arangodb", "server_id": "recorded"})
        super().__init__("127.0.0.1", self.port, {"authorization": token})

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def close(self) -> None:
        """Stop everything."""
        super().close()
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _stop(self) -> None:
        await self._cluster.stop()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _decode(content: bytes) -> Any:
    if not content:
        return None
    text = content.decode()
    try:
        return json.loads(text)
    except ValueError:
        return text
