# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A platform without listeners, for tests that ask many questions: requests go straight to the dispatcher."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.testbed.client import Answer
from tests.testbed.control import Faults
from tests.testbed.platform import api, control
from tests.testbed.platform.app import App
from tests.testbed.platform.call import FORM, Request
from tests.testbed.platform.control_answers import PLATFORM_KINDS, PRESETS
from tests.testbed.platform.world import World

REGISTERED = api  # importing it registers the calls
_PIECES = 50  # of a stream, at most


class DirectPlatform:
    """A platform with one key and some deployments; every request has a token of the key."""

    def __init__(
        self,
        deployments: Sequence[Mapping[str, Any]] = ({},),
        key: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        self.loop = asyncio.new_event_loop()
        self.token = ""
        self._directory = tempfile.TemporaryDirectory(prefix="platform-")
        self.world, self.app = self.loop.run_until_complete(self._made(deployments, key or {}, options))
        key_id, made = next(iter(self.world.keys.all.items()))
        body = urlencode({"secret": made.secret}).encode()
        answer = self("POST", f"/api/iam/v1/apikeys/{key_id}/authenticate", body, headers={"content-type": FORM})
        self.token = str(answer.json["token"])

    async def _made(
        self, deployments: Sequence[Mapping[str, Any]], key: Mapping[str, Any], options: Mapping[str, Any]
    ) -> tuple[World, App]:
        world = World({"options": options}, Path(self._directory.name))
        world.add_key(key)
        for spec in deployments:
            await world.add_deployment(spec)
        return world, App(world, Faults(PLATFORM_KINDS, PRESETS))

    @property
    def deployment(self) -> str:
        """The id of the first deployment."""
        return next(iter(self.world.deployments))

    def __call__(
        self, method: str, target: str, body: object = None, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """The answer to a request; of a stream the first pieces. AssertionError when the connection would be cut."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"authorization": f"bearer {self.token}"} if self.token else {}
        request = Request(method, target, {**sent, **(headers or {})}, data, "test:1")
        return self.loop.run_until_complete(self._answered(request))

    async def _answered(self, request: Request) -> Answer:
        response = await self.app.dispatch(request)
        assert response is not None, "the connection would be cut"
        body = response.body
        if response.stream is not None:
            left = _PIECES
            async for piece in response.stream:
                body, left = body + piece, left - 1
                if not (piece and left):
                    break
        return Answer(response.status, {"content-type": response.content_type, **response.headers}, body)

    def get(self, target: str, **query: Any) -> Any:
        """The JSON of a call that succeeds; `__` in names of query fields is a dot."""
        text = urlencode({name.replace("__", "."): value for name, value in query.items()}, doseq=True)
        answer = self("GET", f"{target}?{text}" if text else target)
        assert answer.status == 200, answer.body
        return answer.json

    def fault(self, kind: str, **fields: Any) -> Any:
        """What `POST /fault` of the control listener does."""

        async def act() -> Any:
            if kind in self.app.faults.kinds:
                return self.app.faults.add({"kind": kind, **fields})
            return await control.act(self.world, {"kind": kind, **fields})

        return self.loop.run_until_complete(act())

    def close(self) -> None:
        """Forget everything."""
        self.loop.close()
        self._directory.cleanup()

    def __enter__(self) -> DirectPlatform:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()
