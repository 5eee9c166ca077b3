# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The list of shards that API, page and modules show, one row each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .running import Running


def rows(running: Running) -> list[dict[str, Any]]:
    """Every shard with its state, leader and how far it is verified (``verified_up_to`` a tick, None before that)."""
    found = []
    for shard, state in sorted(running.plane.states().items()):
        made = running.world.map.collection(shard.database, shard.plan_id)
        leader = running.schema.leaders.get(shard)
        verified = running.verifier.verified_up_to((shard.database, shard.plan_id), leader or "")
        found.append(
            {
                "database": shard.database,
                "collection": made.name if made else None,
                "plan_id": shard.plan_id,
                "shard": shard.shard,
                "state": state.value,
                "leader": leader,
                "verified_up_to": str(verified[0]) if verified else None,
                "verified_age_seconds": round(verified[1], 3) if verified else None,
            }
        )
    return found


def page(items: Sequence[Mapping[str, Any]], options: Mapping[str, object]) -> dict[str, Any]:
    """``shards`` of ``state`` and ``database`` where given, ``limit`` (1000) from ``offset``; ``total`` counts all."""
    wanted = {name: options[name] for name in ("state", "database") if options.get(name) is not None}
    chosen = [item for item in items if all(item[name] == value for name, value in wanted.items())]
    offset, limit = int(str(options.get("offset") or 0)), int(str(options.get("limit") or 1000))
    return {"shards": chosen[offset : offset + limit], "total": len(chosen)}
