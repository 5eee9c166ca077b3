# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The source's log applied to the target: the agent, and python-arango that gets the operations decoded."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from tests.bench.bed import Bed, Children, Emulators, checked, documents
from tests.bench.figures import Figure
from tests.testbed.client import Client

_COLLECTIONS = 10
_SHARDS = 10
_SIZE = 300
_BATCH = 2_000
_PEER_SHARE = 10  # the script applies a part only, as it takes so long


def figures(operations: int) -> Iterator[Figure]:
    """CPU seconds for the operations, with one copy of each document on the source, then with three."""
    for copies in (1, 3):
        with Bed(shapes=((1, 3), (1, 3))) as bed:
            seconds, told = _apply(bed, operations, copies)
            ours = seconds / operations * 1e6
            what = f"{operations:,} operations of {_SIZE} bytes over {_COLLECTIONS * _SHARDS} shards, {told}"
            if copies == 1:
                peer = _script(bed, operations // _PEER_SHARE) / (operations // _PEER_SHARE) * 1e6
                told = f"{what}; peer: python-arango, insert_many of decoded documents"
                yield Figure.against("apply", ours, peer, "CPU s/million", 0.1, told)
                yield Figure("apply_rate", 1e6 / ours, "operations/CPU s", 80_000, what)
            else:
                told = f"{what}, replicationFactor {copies}: the markers of followers are dropped"
                yield Figure("apply_followers", 1e6 / ours, "operations/CPU s", 80_000 / copies, told)


def _apply(bed: Bed, operations: int, copies: int) -> tuple[float, str]:
    """CPU seconds of the agent from the first write until the target has the last, and what else was done meanwhile.

    How many keys the verification reads back is up to the emulator: it takes long to hash a document.
    """
    names = [f"c{number}" for number in range(_COLLECTIONS)]
    for name in names:
        bed.create(name, _SHARDS, replicationFactor=copies)
    bed.migrate(verify_rate=1_000)
    emulators, watch = Emulators(bed), bed.watch()
    each = operations // _COLLECTIONS
    with Client.root(bed.source) as client:
        for first in range(0, each, _BATCH):
            for name in names:
                body = b"[" + b",".join(documents(name, first, min(_BATCH, each - first), _SIZE)) + b"]"
                checked(client("POST", f"/_api/document/{name}?silent=true&overwriteMode=replace", body), 201, 202)

    def arrived(status: dict[str, Any]) -> bool:
        caught_up = (status["replication"]["lag_seconds"] or 0) < 1
        return caught_up and all(bed.count(name, bed.target) == each for name in names)

    status = bed.wait("every operation on the target", arrived)
    read_back = operations - status["verification"]["pending"]
    return watch.seconds(), f"{read_back:,} of them read back meanwhile; {emulators}"


def _script(bed: Bed, operations: int) -> float:
    lines = b"\n".join(documents("applied", 0, operations, _SIZE))
    path = bed.home / "operations"
    path.write_bytes(lines)
    children = Children()
    with path.open("rb") as stream:
        subprocess.run([sys.executable, "-m", "tests.bench.scripts", "apply", *bed.sides()], check=True, stdin=stream)
    return children.seconds()
