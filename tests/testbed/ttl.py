# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Removal of documents whose time has come, by TTL indexes (facts §2.3, §7.7)."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import datetime, timezone
from typing import Any

from tests.testbed.collection import Collection
from tests.testbed.documents import Writer
from tests.testbed.model import Deployment
from tests.testbed.storage import Transaction

DEFAULT_INTERVAL = 3600.0  # seconds of emulated time; the option `ttl_interval` changes it (ArangoDB's own is 30)


def start(deployment: Deployment) -> None:
    """Begin to expire documents from time to time; called with every new TTL index, the first one counts."""
    if deployment.objects.setdefault("ttl_started", False):
        return
    deployment.objects["ttl_started"] = True
    _schedule(deployment, asyncio.get_running_loop())


def _schedule(deployment: Deployment, loop: asyncio.AbstractEventLoop) -> None:
    def due() -> None:
        expire(deployment, time.time())
        _schedule(deployment, loop)

    loop.call_later(deployment.scaled(float(deployment.options.extra.get("ttl_interval", DEFAULT_INTERVAL))), due)


def expire(deployment: Deployment, now: float) -> int:
    """Remove what is expired, one document a transaction; shards of read-only leaders pause. Answers how many."""
    removed = 0
    for database in list(deployment.databases.values()):
        for collection in list(database.collections.values()):
            index = next((entry for entry in collection.indexes if entry["type"] == "ttl"), None)
            if index is not None:
                removed += _expire_collection(collection, index, now)
    return removed


def _expire_collection(collection: Collection, index: dict[str, Any], now: float) -> int:
    removed = 0
    for shard in collection.shards:
        server = shard.leader.server
        if server.readonly or not server.running:
            continue
        for _revision, raw in shard.leader.snapshot():
            document = json.loads(raw)
            since = _seconds(document.get(index["fields"][0]))
            if since is not None and since + index["expireAfter"] <= now:
                transaction = Transaction(collection.database, single=True)
                Writer(transaction, collection, server).remove(document)
                transaction.commit()
                removed += 1
    return removed


def _seconds(value: object) -> float | None:
    """A number is a Unix time, a text a date of ISO 8601; anything else never expires."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
