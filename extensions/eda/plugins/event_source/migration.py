# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events of a migration, from the agent's own stream: in order, none twice, none lost over a lost connection."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import logging
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

DOCUMENTATION = r"""
short_description: Follow a migration by its agent's events
description:
  - Reads the server-sent events of the agent. After a lost connection it goes on behind the last event, with pauses
    that grow up to O(max_pause). The agent keeps the last 1,000 events.
  - Every event has C(kind) (V(state), V(ready), V(blocked), V(step), V(attempt), V(problem), V(resolved), V(status) or
    V(figures)), C(migration), the migration's name, C(at), the time, and C(id). Events of the kind V(figures) are made
    every O(figures_interval) seconds and hold C(state), C(percent), C(lag_seconds) and C(ready).
  - With O(max_lag), an event of the kind V(lag) is made of the figures when the lag is above it, and when it has come
    back below four fifths of it. It holds C(high), C(lag_seconds) and C(max_lag).
options:
  agent_endpoint:
    description: Address of the agent, C(https://HOST:PORT).
    type: str
    required: true
  agent_ca_path:
    description: CA certificates of the agent.
    type: path
    required: true
  agent_token_path:
    description: File with a token of the agent. The role V(read) is enough.
    type: path
  agent_client_keyfile:
    description: Client certificate and key in one PEM, if the agent asks for one.
    type: path
  after:
    description: Begin behind this event, V(0) for the oldest that is kept. Without it with the last one.
    type: int
  figures_interval:
    description: Seconds between two events of the kind V(figures), V(0) for none.
    type: float
    default: 30
  max_lag:
    description: Seconds of lag that are too many. Those that the agent's own webhook has are left out then.
    type: float
  max_pause:
    description: Longest pause in seconds before the agent is asked again.
    type: float
    default: 60
"""

EXAMPLES = r"""
- name: React to a migration
  hosts: localhost
  sources:
    - cutover.arangodb.migration:
        agent_endpoint: https://db1.example.com:8629
        agent_ca_path: /etc/cutover-arangodb/ca.pem
        agent_token_path: /etc/cutover-arangodb/read.token
  rules:
    - name: Tell that it is ready
      condition: event.kind == "ready"
      action:
        debug:
          msg: "{{ event.migration }} is ready for the cutover"
"""

LOG = logging.getLogger(__name__)
FIRST_PAUSE = 0.5
# The agent sends something at least every ten seconds.
SILENCE = 35.0
MAX_LINE = 1 << 20
# A lag that was too high has come back when it is below this share of the limit.
EASED = 0.8
KNOWN = {
    "agent_endpoint", "agent_ca_path", "agent_token_path", "agent_client_keyfile", "after", "figures_interval",
    "max_lag", "max_pause",
}  # fmt: skip


class AgentRefusedError(Exception):
    """The agent answered with a status that does not pass by itself: the rulebook ends with this text."""


class Agent:
    """Requests to one agent, always over verified TLS; raises `ValueError` naming an argument that cannot be used."""

    def __init__(self, args: Mapping[str, Any]) -> None:
        unknown = sorted(set(args) - KNOWN - {"source_name"})
        if unknown:
            raise ValueError(f"{unknown[0]}: unknown argument; known are {', '.join(sorted(KNOWN))}")
        parts = urlsplit(str(args.get("agent_endpoint") or ""))
        if parts.scheme != "https" or not parts.hostname or parts.username:
            raise ValueError("agent_endpoint: is not of the form https://HOST:PORT")
        self._address = (parts.hostname, parts.port or 8629)
        if not args.get("agent_ca_path"):
            raise ValueError("agent_ca_path: is missing")
        self._context = ssl.create_default_context(cafile=str(args["agent_ca_path"]))
        if args.get("agent_client_keyfile"):
            self._context.load_cert_chain(str(args["agent_client_keyfile"]))
        self._token_path = args.get("agent_token_path")

    @contextlib.contextmanager
    def get(self, path: str) -> Iterator[http.client.HTTPResponse]:
        """An answer with the status 200; the token is read anew each time, so that it can be changed."""
        connection = http.client.HTTPSConnection(*self._address, timeout=SILENCE, context=self._context)
        try:
            headers = {}
            if self._token_path:
                headers["Authorization"] = f"Bearer {Path(self._token_path).read_text().strip()}"
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            if answer.status != 200:
                text = f"GET {path} of the agent was answered with {answer.status}: {answer.read(2000)!r}"
                if 400 <= answer.status < 500:
                    raise AgentRefusedError(text)
                raise ConnectionError(text)
            yield answer
        finally:
            connection.close()


async def _follow(
    agent: Agent, queue: asyncio.Queue[Any], after: int | None, max_pause: float, left_out: str | None
) -> None:
    """Put every event but those of one kind into the queue, which is waited for when it is full."""
    pause = FIRST_PAUSE
    while True:
        try:
            path = "/v1/migration/events" + ("" if after is None else f"?after={after}")
            with contextlib.ExitStack() as opened:
                answer = await asyncio.to_thread(opened.enter_context, agent.get(path))
                async for number, data in _events(answer):
                    if data["kind"] != left_out:
                        await queue.put({**data, "id": number})
                    after, pause = number, FIRST_PAUSE
        except (OSError, http.client.HTTPException, ValueError) as error:
            LOG.warning("the agent's events broke off (%s), asked again in %.1f s", error, pause)
        await asyncio.sleep(pause)
        pause = min(pause * 2, max_pause)


async def _events(answer: http.client.HTTPResponse) -> AsyncIterator[tuple[int, dict[str, Any]]]:
    """Number and data of each server-sent event until the stream ends."""
    number: int | None = None
    while True:
        line = await asyncio.to_thread(answer.readline, MAX_LINE)
        if not line:
            return
        name, _colon, value = line.decode().rstrip("\n").partition(": ")
        if name == "id":
            number = int(value)
        elif name == "data" and number is not None:
            yield number, json.loads(value)


def _status(agent: Agent) -> dict[str, Any]:
    with agent.get("/v1/migration") as answer:
        found: dict[str, Any] = json.loads(answer.read(16 << 20))
    return found


async def _figures(agent: Agent, queue: asyncio.Queue[Any], interval: float, max_lag: float | None) -> None:
    lags = False
    while interval > 0:
        try:
            status = await asyncio.to_thread(_status, agent)
        except (OSError, http.client.HTTPException, ValueError) as error:
            LOG.warning("the agent's status cannot be had (%s)", error)
        else:
            about = {"migration": (status.get("migration") or {}).get("name"), "at": status.get("at")}
            lag = (status.get("replication") or {}).get("lag_seconds")
            await queue.put({
                "kind": "figures", **about, "state": status.get("state"), "lag_seconds": lag,
                "percent": (status.get("progress") or {}).get("percent"),
                "ready": (status.get("cutover") or {}).get("ready"),
            })  # fmt: skip
            if max_lag is not None and lag is not None and (lag > max_lag * (EASED if lags else 1.0)) is not lags:
                lags = not lags
                await queue.put({"kind": "lag", **about, "high": lags, "lag_seconds": lag, "max_lag": max_lag})
        await asyncio.sleep(interval)


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """Entry point of ansible-rulebook: runs until it is cancelled or the agent refuses."""
    agent = Agent(args)
    after = None if args.get("after") is None else int(args["after"])
    max_lag = None if args.get("max_lag") is None else float(args["max_lag"])
    own_lag = None if max_lag is None else "lag"
    await asyncio.gather(
        _follow(agent, queue, after, float(args.get("max_pause", 60)), own_lag),
        _figures(agent, queue, float(args.get("figures_interval", 30)), max_lag),
    )
