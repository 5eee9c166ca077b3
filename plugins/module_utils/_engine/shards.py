# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a shard is for the data path: its identity, its plan and its state (design §4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ShardState(str, Enum):
    """Where a shard stands; the values are the texts shown to people and kept in the journal."""

    PENDING = "pending"
    COPYING = "copying"
    CATCHING_UP = "catching-up"
    IN_SYNC = "in-sync"
    HELD = "held"
    SUSPECT = "suspect"


@dataclass(frozen=True, order=True)
class ShardId:
    """One shard of the source; dropped and re-created collections differ in ``plan_id`` (design §4.7)."""

    database: str
    plan_id: str
    shard: str


@dataclass(frozen=True)
class ShardPlan:
    """How one shard is to be migrated.

    ``cuid`` is the text of its markers (facts §5.6), ``leader`` the id of the DB-Server (``PRMR-…``) whose log counts,
    ``key_determines_shard`` whether ``_key`` alone decides the shard (else removes are guarded, design §4.5),
    ``first_copy_into_empty`` whether no copy into this target collection was ever begun (else a sweep ends the copy).
    """

    id: ShardId
    collection: str
    cuid: str
    leader: str
    key_determines_shard: bool = True
    first_copy_into_empty: bool = True
    is_system: bool = False
