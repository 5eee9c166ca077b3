# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The HTTP API by area; importing this package registers every endpoint. Each area adds its module here."""

from __future__ import annotations

from tests.testbed.api import (
    admin,
    checksum,
    cluster,
    collection_info,
    collections,
    databases,
    documents,
    dump,
    indexes,
    inventory,
    metrics,
    replication,
    restore,
    server_mode,
    users,
    wal,
)

__all__ = [
    "admin",
    "checksum",
    "cluster",
    "collection_info",
    "collections",
    "databases",
    "documents",
    "dump",
    "indexes",
    "inventory",
    "metrics",
    "replication",
    "restore",
    "server_mode",
    "users",
    "wal",
]
