# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A deployment without listeners, for tests that ask many questions: requests go straight to the dispatcher."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Mapping
from typing import Any

from tests.testbed import api, app, auth
from tests.testbed.client import Answer
from tests.testbed.control import Faults
from tests.testbed.message import Request, Response
from tests.testbed.model import Deployment, Server
from tests.testbed.options import Options

REGISTERED = api  # importing it registers endpoints
SECRET = b"in-process"


class Direct:
    """Asks the servers of a deployment; `root` on the first coordinator unless told otherwise."""

    def __init__(self, options: Mapping[str, Any] | None = None, **wishes: Any) -> None:
        parsed = Options.parse({"time_scale": 0.01, **(options or {})})
        self.loop = asyncio.new_event_loop()
        self.deployment = Deployment("direct", secret=SECRET, options=parsed, **wishes)
        self.deployment.faults = Faults()
        for server in self.deployment.servers.values():
            server.running = True
        self.front = next(iter(self.deployment.servers.values()))

    @property
    def dbservers(self) -> list[Server]:
        """The DB-Servers."""
        return self.deployment.by_role("dbserver")

    def leader(self, collection: str, database: str = "_system") -> Server:
        """The server that leads the first shard of a collection."""
        return self.deployment.database(database).collection(collection).shards[0].leader.server

    def __call__(
        self,
        method: str,
        target: str,
        body: object = None,
        *,
        on: Server | None = None,
        headers: Mapping[str, str] | None = None,
        login: str | None = None,
    ) -> Answer:
        """The answer of a server; `login` = value of the authorization header, empty for none.

        Servers with data are asked as superuser. Raises AssertionError when the connection would be cut.
        """
        server = on or self.front
        if login is None:
            login = superuser() if server.role == "dbserver" else basic("root", "")
        sent = {"authorization": login} if login else {}
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        request = Request(server, method, target, {**sent, **(headers or {})}, data, "test:1")
        response = self.loop.run_until_complete(_dispatched(request))
        assert response is not None, "the connection would be cut"
        return Answer(response.status, response.headers, response.body)

    def close(self) -> None:
        """Cancel what still runs."""
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

    def __enter__(self) -> Direct:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


async def _dispatched(request: Request) -> Response | None:
    answer = app.dispatch(request)
    return await answer if isinstance(answer, Awaitable) else answer


def basic(user: str, password: str) -> str:
    """The authorization header of a user."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def superuser(**claims: object) -> str:
    """The authorization header of the superuser."""
    return "bearer " + auth.sign(SECRET, {"iss": "arangodb", "server_id": "x", "exp": time.time() + 600, **claims})
