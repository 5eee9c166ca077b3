# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long a cutover keeps the applications from writing, beside what the server takes for its change of mode alone."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.bench.bed import Bed, checked
from tests.bench.figures import Figure
from tests.bench.lag import RATE, Writer
from tests.testbed.client import Client

_SHARDS = 9
_SIZE = 300
_TIMES = 10
_ALLOWED = 2.5  # seconds beyond the server's own
_BETWEEN_LOOKS = 0.02


def figures(collections: int, documents: int) -> Iterator[Figure]:
    """Downtime with the data once and ten times; `documents` = in all collections, once."""
    found = [_downtime(collections, documents * times // collections) for times in (1, _TIMES)]
    (small, own), (large, _own) = found
    what = (
        f"{collections} collections of {_SHARDS} shards, {RATE:,} documents/s written, proof complete; "
        f"the server alone takes {own:.2f} s"
    )
    yield Figure("cutover", small, "s without writes", own + _ALLOWED, f"{documents:,} documents, {what}", own, True)
    what = f"{documents * _TIMES:,} documents against {documents:,}, {what}"
    yield Figure.against("cutover_growth", large, small, "s without writes", 1.2, what)


def _downtime(collections: int, each: int) -> tuple[float, float]:
    """Seconds of the cutover, and of the change of mode alone."""
    with Bed(shapes=((2, 3), (2, 3))) as bed:
        for number in range(collections):
            bed.create(f"c{number}", _SHARDS)
            if each:
                bed.load(f"c{number}", each, _SIZE)
        bed.create("written", _SHARDS)
        own = _mode_change(bed)
        bed.migrate()
        writer = Writer(bed, "written")
        writer.start()
        try:
            bed.wait("ready for the cutover", lambda status: bool(status["cutover"]["ready"]))
            bed.agent.call("POST", "/v1/migration/stop", {"wait_timeout": 120})
            bed.wait("completed", lambda status: bool(status["state"] == "completed"))
        finally:
            writer.ended.set()
            writer.join()
        report = bed.agent.call("GET", "/v1/migration/report")
        return float(report["fenced_seconds"]), own


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
