# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Probes of the target that only read."""

from __future__ import annotations

from typing import Any, Callable

from ..._core.errors import ArangoError
from ..packing import takes_compressed
from ..verify.rows import hashes_alike
from .capability import Seen
from .context import Context
from .probes_source import refused


def _readable(what: str, read: Callable[[], Any]) -> Seen:
    try:
        read()
    except ArangoError as error:
        if not refused(error):
            raise
        return Seen(False, f"{what}: {error.message}")
    return Seen(True, f"{what}: can be read")


def health(context: Context) -> Seen:
    """See the registry."""
    return _readable("/_admin/cluster/health", context.target.health)


def metrics(context: Context) -> Seen:
    """See the registry."""
    return _readable("/_admin/metrics of the DB-Servers", context.target.metrics)


def mode(context: Context) -> Seen:
    """See the registry."""
    return _readable("/_admin/server/mode", context.target.mode)


def license_shown(context: Context) -> Seen:
    """See the registry."""
    return _readable("/_admin/license", context.target.license)


def compressed(context: Context) -> Seen:
    """See the registry."""
    taken = takes_compressed(context.target.coordinators())
    words = {True: "a compressed query was understood", False: "a compressed query was refused", None: "no answer"}
    return Seen(taken, words[taken])


def hashes(context: Context) -> Seen:
    """See the registry."""
    alike = hashes_alike(context.source.coordinators(), context.target.coordinators())
    return Seen(alike, f"HASH() of one sample is {'the same' if alike else 'not the same'} on both sides")
