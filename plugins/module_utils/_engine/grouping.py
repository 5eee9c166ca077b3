# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which shards are read in one snapshot: a shard that cannot be read must not keep others from it."""

from __future__ import annotations

import math
import time
from typing import Sequence

from .shards import Shard


def grouped(shards: Sequence[Shard], most: int) -> list[Shard]:
    """The first one and others of its database; those whose group has failed go alone."""
    first = shards[0]
    if first.alone:
        return [first]
    return [shard for shard in shards if shard.id.database == first.id.database and not shard.alone][:most]


def share(group: Sequence[Shard], agents: int) -> list[Shard]:
    """So much of a group, the largest shards first, that other agents find work too: half of an equal share.

    The less is left, the less is taken, so that all end at about the same time.
    """
    if agents == 1:
        return list(group)
    most = math.ceil(len(group) / (2 * agents))
    left = sum(shard.documents or 0 for shard in group) / (2 * agents)
    taken: list[Shard] = []
    for shard in group[:most]:
        left -= shard.documents or 0
        if taken and left < 0:
            break
        taken.append(shard)
    return taken


def failed(group: Sequence[Shard], pause: float) -> None:
    """A snapshot of them was lost or refused: each goes alone next, and one that was alone waits ``pause`` seconds."""
    for shard in group:
        if len(group) == 1:
            shard.not_before = time.monotonic() + pause
        shard.alone = True
