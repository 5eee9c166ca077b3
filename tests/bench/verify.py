# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keys and revisions of both sides compared: the agent, and a script with python-arango."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from tests.bench.bed import Bed, Children, Emulators
from tests.bench.figures import Figure

_SIZE = 300
_PART = 0.001  # of the documents is different in the second comparison


def figures(number: int) -> Iterator[Figure]:
    """Keys by CPU second, with equal sides and with some documents that differ."""
    with Bed() as bed:
        bed.create("things", 4)
        bed.load("things", number, _SIZE)
        bed.migrate(repair=False)
        bed.wait("compared once", lambda status: status["verification"]["state"] == "watching")
        seconds, told_equal = _compare(bed)
        equal = number / seconds
        children = Children()
        subprocess.run(
            [sys.executable, "-m", "tests.bench.scripts", "compare", *bed.sides()], check=True,
            stdout=subprocess.DEVNULL,
        )
        peer = number / children.seconds()
        for key in range(int(number * _PART)):
            bed.target.control.fault(
                "drop_document", database="_system", collection="things", key=f"k{key * int(1 / _PART):07}"
            )
        seconds, told_different = _compare(bed)
        different = number / seconds
    what = f"{number:,} keys and revisions of both sides, 4 shards"
    told = f"{what}, equal; {told_equal}; peer: python-arango, two dicts"
    yield Figure("verify", equal, "keys/CPU s", 200_000, told, peer)
    yield Figure("verify_ratio", equal / peer, "times the peer", 5, what)
    told = f"{what}, {_PART:.1%} of them missing on the target; {told_different}"
    yield Figure("verify_different", different, "keys/CPU s", 200_000, told, peer)


def _compare(bed: Bed) -> tuple[float, str]:
    """CPU seconds of the agent for one comparison that was asked for, and what the emulators did meanwhile."""
    emulators, watch = Emulators(bed), bed.watch()
    bed.finished("/v1/verification", {"mode": "keys"}, 0.5)
    return watch.seconds(), str(emulators)
