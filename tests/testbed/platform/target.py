# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A running emulated cluster behind an emulated deployment: the platform reaches it by its control listener only."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from tests.testbed.launch import Control

Door = Literal["open", "reset", "silent"]


class Target:
    """Endpoints, CA certificate and control listener of a cluster; OSError or RuntimeError when it does not answer."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self.endpoints: list[str] = list(spec["endpoints"])
        self.ca_pem = str(spec["ca_pem"])
        self.root_password = str(spec["root_password"])
        self._control = Control(spec["control"], spec["control_token"])
        self.door: Door = "open"

    async def overview(self) -> dict[str, Any]:
        """Version, servers and databases."""
        found: dict[str, Any] = await asyncio.to_thread(self._control.get, "/state/overview")
        return found

    async def _order(self, kind: str, **fields: object) -> None:
        await asyncio.to_thread(self._control.fault, kind, **fields)

    async def change_root_password(self, password: str) -> None:
        """Logins with another password get 401 from now on."""
        await self._order("change_password", user="root", password=password)
        self.root_password = password

    async def set_door(self, door: Door) -> None:
        """Let clients in, cut them, or leave them without an answer."""
        if door != self.door:
            await self._order("front_door", state=door)
            self.door = door

    async def load_keyfile(self, path: Path) -> None:
        """Use another server certificate."""
        await self._order("load_keyfile", path=str(path))

    async def restart(self, server: str) -> None:
        """Restart one server."""
        await self._order("restart_server", server=server)
