# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The server mode of the source outside a cutover: read, set, and what gives it back from another host (design §3)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .._core.clock import Deadline
from .._core.errors import CutoverError
from . import fence, rescue, states
from .migration import Migration
from .topology import Source, connect
from .world import access_of

_MODE_SECONDS = 60.0


@contextmanager
def connected(migration: Migration, secret: bytes) -> Iterator[Source]:
    """Connections for one call: those of the migration are closed whenever its thread begins anew or ends."""
    source = connect(migration.spec.source_endpoints, access_of(migration.spec, secret))
    try:
        yield source
    finally:
        source.close()


def read(migration: Migration, secret: bytes) -> dict[str, Any]:
    """``mode`` (default, readonly or mixed) and ``servers`` by id, read now from every server."""
    with connected(migration, secret) as source:
        modes = fence.read_modes(source)
    _show(migration, modes)
    return {"mode": fence.summary(modes), "servers": modes}


def change(migration: Migration, secret: bytes, mode: str) -> bool:
    """Set ``mode`` and see it on every server; False when all have it. CUT-STATE-5 while a cutover decides it."""
    if migration.state == states.STOPPING:
        raise CutoverError("CUT-STATE-5", "the cutover itself sets the server mode while it runs")
    if migration.revoke_request is not None:
        raise CutoverError("CUT-STATE-5", "the revocation itself sets the server mode when it is decided")
    with connected(migration, secret) as source:
        if fence.everywhere(source, mode) is not None:
            return False
        _show(migration, fence.set_mode(source, mode, Deadline(_MODE_SECONDS)))
    return True


def rescue_ticket(migration: Migration, secret: bytes) -> dict[str, Any]:
    """What gives a source that a cutover from now on fences back when this host is lost. Secret."""
    with connected(migration, secret) as source:
        fronts = [server.client.endpoint.url for server in source.fronts.values()]
    return rescue.ticket(secret, fronts, migration.spec.wait_timeout + migration.spec.max_downtime)


def _show(migration: Migration, modes: dict[str, str]) -> None:
    migration.modes = modes
    if migration.running is not None:
        migration.running.modes = modes
