# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Many shards: what the agent costs when little is written, or nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.bench.bed import Bed, Emulators, checked
from tests.bench.figures import Figure
from tests.bench.lag import Writer
from tests.bench.process import memory
from tests.testbed.client import Client

_DATABASES = 50
_COLLECTIONS = 1_000
_SHARDS = 10
_SERVERS = 12
_WRITES = 500  # a second
_LOOKS = 20


def figures(seconds: float) -> Iterator[Figure]:
    """Idle, and with some writes; `seconds` each."""
    what = f"{_COLLECTIONS * _SHARDS:,} shards, {_COLLECTIONS:,} collections, {_DATABASES} databases"
    with Bed(shapes=((1, _SERVERS), (1, 3))) as bed:
        _fill(bed)
        emulators, begun = Emulators(bed), time.monotonic()
        used = bed.migrate()
        taken = time.monotonic() - begun
        told = f"{what}, {used:.0f} CPU s of the agent; {emulators}"
        yield Figure("scale_start", taken, "s until in sync", 300, told, at_most=True)
        bed.wait("all verified", lambda status: status["verification"]["state"] == "watching")
        emulators, requests, watch, begun = Emulators(bed), _requests(bed), bed.watch(), time.monotonic()
        time.sleep(seconds)
        taken = time.monotonic() - begun
        idle = f"{what}, idle for {seconds:.0f} s; {emulators}"
        yield Figure("scale_idle", watch.seconds() / taken * 100, "% of a core", 5, idle, at_most=True)
        yield Figure("scale_requests", (_requests(bed) - requests) / taken, "requests/s", 40, idle, at_most=True)
        begun = time.monotonic()
        for _look in range(_LOOKS):
            bed.agent.status()
        answer = (time.monotonic() - begun) / _LOOKS * 1000
        yield Figure("scale_status", answer, "ms", 100, f"{what}, with a new TLS connection each", at_most=True)
        writer = Writer(bed, "written")
        writer.rate = _WRITES
        emulators, watch, begun = Emulators(bed), bed.watch(), time.monotonic()
        writer.start()
        time.sleep(seconds)
        busy = watch.seconds() / (time.monotonic() - begun) * 100
        writer.ended.set()
        writer.join()
        told = f"{what}, {_WRITES} documents/s written; {emulators}"
        yield Figure("scale_writes", busy, "% of a core", 100, told, at_most=True)
        yield Figure("scale_memory", memory(bed.pid, "VmHWM") / 1e6, "MB (VmHWM)", 300, what, at_most=True)


def _fill(bed: Bed) -> None:
    bed.create("written", 3)
    with Client.root(bed.source) as client:
        for number in range(_DATABASES):
            checked(client("POST", "/_api/database", {"name": f"d{number}"}), 201)
    for number in range(_COLLECTIONS):
        bed.create(f"c{number}", _SHARDS, f"d{number % _DATABASES}")


def _requests(bed: Bed) -> int:
    """How many the source has answered so far."""
    return sum(bed.source.control.get("/state/requests").values())
