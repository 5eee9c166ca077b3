# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Revision trees: fingerprints of a shard's set of revisions, by ranges of revisions (facts §6)."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.testbed import hlc
from tests.testbed.message import dumps

DEPTH = 6
BRANCHING = 8
LEAVES: int = BRANCHING**DEPTH
_VERSION = 2
_EMPTY = (0, 0)
_MILLISECOND = 1 << 20


def text(value: int) -> str:
    """A revision or a hash in eleven characters."""
    return hlc.encode(value).rjust(11, "-")


def revision_hash(revision: int) -> int:
    """The hash of one revision, to be combined by XOR."""
    return int.from_bytes(hashlib.blake2b(revision.to_bytes(8, "big"), digest_size=8).digest(), "big")


@dataclass
class Tree:
    """Count and hash of revisions by leaf; a leaf covers `width` revisions from `low` on."""

    low: int
    width: int
    leaves: dict[int, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, revisions: Iterable[int]) -> Tree:
        """The tree over a set of revisions; its range is the smallest power of two that holds them all."""
        values = sorted(revisions)
        low = values[0] - values[0] % _MILLISECOND if values else 0
        width = _MILLISECOND
        while values and low + width * LEAVES <= values[-1]:
            width *= 2
        tree = cls(low, width)
        for value in values:
            tree.add((value - low) // width, 1, revision_hash(value))
        return tree

    def add(self, leaf: int, count: int, value: int) -> None:
        """Combine something into a leaf."""
        known = self.leaves.get(leaf, _EMPTY)
        self.leaves[leaf] = (known[0] + count, known[1] ^ value)

    def level(self, depth: int) -> dict[int, tuple[int, int]]:
        """Nodes that are not empty of one level, the root being level 0."""
        span = BRANCHING ** (DEPTH - depth)
        nodes: dict[int, tuple[int, int]] = {}
        for leaf, (count, value) in self.leaves.items():
            known = nodes.get(leaf // span, _EMPTY)
            nodes[leaf // span] = (known[0] + count, known[1] ^ value)
        return nodes

    def root(self) -> tuple[int, int]:
        """Count and hash of everything."""
        return self.level(0).get(0, _EMPTY)

    def render(self, *, levels: bool) -> bytes:
        """JSON: the nodes of the lowest level, or in another reading of all levels, top first (facts §6, §12.6)."""
        count, value = self.root()
        head: dict[str, object] = {"version": _VERSION, "branchingFactor": BRANCHING, "maxDepth": DEPTH}
        head |= {"rangeMin": text(self.low), "rangeMax": text(self.low + self.width * LEAVES)}
        if not levels:
            head |= {"count": count, "hash": text(value), "initialRangeMin": text(self.low)}
        pieces: list[bytes] = []
        for depth in range(DEPTH + 1) if levels else (DEPTH,):
            nodes = [_node(*_EMPTY)] * BRANCHING**depth
            for number, node in self.level(depth).items():
                nodes[number] = _node(*node)
            pieces += nodes
        return dumps(head)[:-1] + b',"nodes":[' + b",".join(pieces) + b"]}"


def _node(count: int, value: int) -> bytes:
    return b'{"count":%d,"hash":"%b"}' % (count, text(value).encode())


def within(revisions: list[int], low: int, high: int) -> list[int]:
    """Those of sorted revisions that lie in a range, both ends included."""
    return revisions[bisect_left(revisions, low) : bisect_left(revisions, high + 1)]
