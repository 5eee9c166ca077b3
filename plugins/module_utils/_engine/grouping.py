# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which shards are read in one snapshot: a shard that cannot be read must not keep others from it."""

from __future__ import annotations

import time
from typing import Sequence

from .shards import Shard


def grouped(shards: Sequence[Shard], most: int) -> list[Shard]:
    """The first one and others of its database; those whose group has failed go alone."""
    first = shards[0]
    if first.alone:
        return [first]
    return [shard for shard in shards if shard.id.database == first.id.database and not shard.alone][:most]


def failed(group: Sequence[Shard], pause: float) -> None:
    """A snapshot of them was lost or refused: each goes alone next, and one that was alone waits ``pause`` seconds."""
    for shard in group:
        if len(group) == 1:
            shard.not_before = time.monotonic() + pause
        shard.alone = True
