# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long a cutover keeps the applications from writing, beside what the server takes for its change of mode alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

from tests.bench.bed import Bed, Emulators, checked
from tests.bench.figures import Figure
from tests.bench.lag import RATE, Writer
from tests.bench.process import memory
from tests.e2e.migration import in_sync
from tests.testbed.client import Client

_SHARDS = 9
_SIZE = 300
_TIMES = 10
_ALLOWED = 2.5  # seconds beyond the server's own
_BETWEEN_LOOKS = 0.02
_CHECKPOINT = 6.0  # seconds, longer than between two checkpoints


def figures(collections: int, documents: int, rate: int = RATE) -> Iterator[Figure]:
    """Downtime with the data once and ten times; `documents` = in all collections, once; `rate` = written a second."""
    small, large = (_migrated(collections, documents * times // collections, rate) for times in (1, _TIMES))
    what = f"{collections} collections of {_SHARDS} shards, {rate:,} documents/s written"
    told = f"{documents:,} documents, {what}, proof complete; the server alone takes {small.own:.2f} s; {small.busy}"
    yield Figure("cutover", small.downtime, "s without writes", small.own + _ALLOWED, told, small.own, True)
    told = f"{documents * _TIMES:,} documents against {documents:,}, {what}; {large.busy}"
    yield Figure.against("cutover_growth", large.downtime, small.downtime, "s without writes", 1.2, told)
    yield Figure.against("cutover_memory", large.peak / 1e6, small.peak / 1e6, "MB (VmHWM)", 1.15, told)
    told = f"killed by SIGKILL when all shards were in sync, and started again; {what[: what.index(',')]}"
    yield Figure("resume", large.copied_again, "documents copied again", 0, told, at_most=True)


class Migrated(NamedTuple):
    """Seconds without writes and of the change of mode alone, bytes of memory, documents that a restart copied."""

    downtime: float
    own: float
    peak: int
    copied_again: int
    busy: str


def _migrated(collections: int, each: int, rate: int) -> Migrated:
    with Bed(shapes=((2, 3), (2, 3))) as bed:
        for number in range(collections):
            bed.create(f"c{number}", _SHARDS)
            if each:
                bed.load(f"c{number}", each, _SIZE)
        bed.create("written", _SHARDS)
        own = _mode_change(bed)
        bed.migrate()
        peak = memory(bed.pid, "VmHWM")
        copied_again = _restarted(bed)
        emulators = Emulators(bed)
        writer = Writer(bed, "written")
        writer.rate = rate
        writer.start()
        try:
            bed.wait("ready for the cutover", lambda status: bool(status["cutover"]["ready"]))
            bed.agent.call("POST", "/v1/migration/stop", {"wait_timeout": 120})
            bed.wait("completed", lambda status: bool(status["state"] == "completed"))
        finally:
            writer.ended.set()
            writer.join()
        report = bed.agent.call("GET", "/v1/migration/report")
        peak = max(peak, memory(bed.pid, "VmHWM"))
        return Migrated(float(report["fenced_seconds"]), own, peak, copied_again, str(emulators))


def _restarted(bed: Bed) -> int:
    """Documents that are copied when the agent goes on after it was killed."""
    # What is in sync is known to the journal after the next checkpoint.
    time.sleep(_CHECKPOINT)
    bed.agent.kill()
    bed.agent.start()
    return int(bed.wait("in sync again", in_sync)["progress"]["documents_copied"])


def _mode_change(bed: Bed) -> float:
    """Seconds until every coordinator is read-only after one was told so."""
    with Client.root(bed.source, 0) as first, Client.root(bed.source, 1) as second:
        taken = _switch((first, second), "readonly")
        _switch((first, second), "default")
    return taken


def _switch(clients: tuple[Client, ...], mode: str) -> float:
    begun = time.monotonic()
    checked(clients[0]("PUT", "/_admin/server/mode", {"mode": mode}), 200)
    while any(checked(client("GET", "/_admin/server/mode"), 200).json["mode"] != mode for client in clients):
        time.sleep(_BETWEEN_LOOKS)
    return time.monotonic() - begun
