# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The HTTP API by area; importing this package registers every endpoint. Each area adds its module here."""

from __future__ import annotations

from tests.testbed.api import (
    admin,
    analyzers,
    checksum,
    cluster,
    collection_info,
    collections,
    cursor,
    databases,
    documents,
    dump,
    gharial,
    indexes,
    inventory,
    metrics,
    query,
    replication,
    restore,
    server_mode,
    transactions,
    users,
    views,
    wal,
)

__all__ = [
    "admin",
    "analyzers",
    "checksum",
    "cluster",
    "collection_info",
    "collections",
    "cursor",
    "databases",
    "documents",
    "dump",
    "gharial",
    "indexes",
    "inventory",
    "metrics",
    "query",
    "replication",
    "restore",
    "server_mode",
    "transactions",
    "users",
    "views",
    "wal",
]
