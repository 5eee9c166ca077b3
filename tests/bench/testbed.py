# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`python -m tests.bench.testbed`: whether the emulator is fast and small enough not to be the bottleneck.

Rates are by CPU second of the emulator's process, whose clients are here, over TLS like everything else.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.bed import checked, documents
from tests.bench.figures import Figure
from tests.bench.process import Stopwatch, cpu_seconds, memory
from tests.testbed.client import Client
from tests.testbed.launch import TestCluster

_BATCH = 10_000  # documents in a request
_CHUNK = 8 << 20  # bytes asked for in an answer
_DUMPS = 3  # one takes half a CPU second, which is little to measure
_SIZE = 300  # bytes of a document
_HELD = 5_000_000  # documents whose memory is measured


def _create(client: Client, name: str, shards: int = 1) -> None:
    checked(client("POST", "/_api/collection", {"name": name, "numberOfShards": shards, "replicationFactor": 1}), 200)


def restore(cluster: TestCluster, client: Client, number: int) -> Iterator[Figure]:
    """Documents by restore-data into one shard, and the memory of the emulator that then holds them."""
    _create(client, "restored")
    watch = Stopwatch(cluster.pid)
    for first in range(0, number, _BATCH):
        body = b"\n".join(documents("restored", first, _BATCH, _SIZE))
        checked(
            client("PUT", "/_api/replication/restore-data?collection=restored&preserveRevisionIds=true", body), 200
        )
    rate = number / watch.seconds()
    how = f"{number:,} documents of {_SIZE} bytes, one shard, replicationFactor 1, no secondary index"
    yield Figure("testbed_restore", rate, "documents/s", 80_000, f"{how}, revisions kept, {_BATCH:,} a request")
    peak = memory(cluster.pid, "VmHWM") / 1e9 * (_HELD / number)
    scaled = "" if number == _HELD else f"; scaled up from {number:,}"
    yield Figure("testbed_memory", peak, "GB", 4, f"{_HELD:,} documents: {how}; peak{scaled}", at_most=True)


def bulk(cluster: TestCluster, client: Client, number: int) -> Iterator[Figure]:
    """Documents by bulk writes with `isRestore`."""
    _create(client, "bulk")
    watch = Stopwatch(cluster.pid)
    target = "/_api/document/bulk?isRestore=true&overwriteMode=replace"
    for first in range(0, number, _BATCH):
        body = b"[" + b",".join(documents("bulk", first, _BATCH, _SIZE)) + b"]"
        checked(client("POST", target, body), 201, 202)
    yield Figure(
        "testbed_bulk",
        number / watch.seconds(),
        "documents/s",
        80_000,
        f"{number:,} documents of {_SIZE} bytes, {_BATCH:,} a request",
    )


def tail(cluster: TestCluster, server: Client, start: int) -> Iterator[Figure]:
    """Markers from a tick to the end of the log."""
    watch, markers, position = Stopwatch(cluster.pid), 0, start
    while True:
        answer = checked(server("GET", f"/_api/wal/tail?from={position}&chunkSize={_CHUNK}"), 200, 204)
        if answer.status == 204:
            break
        markers += answer.body.count(b"\n")
        position = int(answer.headers["x-arango-replication-lastincluded"])
    rate = markers / watch.seconds()
    yield Figure(
        "testbed_tail", rate, "markers/s", 300_000, f"{markers:,} markers of inserts, {_CHUNK >> 20} MiB an answer"
    )


def dump(cluster: TestCluster, server: Client, shard: str) -> Iterator[Figure]:
    """Parallel dumps of one shard, one after the other, with the opening of their snapshots."""
    user = {"x-arango-dump-auth-user": "root"}
    watch = Stopwatch(cluster.pid)
    order = {"batchSize": _CHUNK, "docsPerBatch": 1_000_000, "prefetchCount": 2, "parallelism": 1, "shards": [shard]}
    size = 0
    for _again in range(_DUMPS):
        identifier = checked(server("POST", "/_api/dump/start", order, user), 201).headers["x-arango-dump-id"]
        number = 0
        while True:
            last = f"&lastBatch={number - 1}" if number else ""
            following = f"/_api/dump/next/{identifier}?batchId={number}{last}"
            answer = checked(server("POST", following, b"", user), 200, 204)
            if answer.status == 204:
                break
            size += len(answer.body)
            number += 1
        checked(server("DELETE", f"/_api/dump/{identifier}", None, user), 200)
    yield Figure(
        "testbed_dump",
        size / watch.seconds() / 1e6,
        "MB/s",
        500,
        f"{size / 1e6:,.0f} MB in {_DUMPS} dumps, {_CHUNK >> 20} MiB an answer",
    )


def shards(directory: Path, number: int = 10_000) -> Iterator[Figure]:
    """A cluster with many shards: from its start until they are all there."""
    per_collection, databases = 10, 50
    with TestCluster.start(directory, name="shards") as cluster, Client.root(cluster) as client:
        for index in range(databases):
            checked(client("POST", "/_api/database", {"name": f"d{index}"}), 201)
        order = {"numberOfShards": per_collection, "replicationFactor": 2}
        for index in range(number // per_collection):
            target = f"/_db/d{index % databases}/_api/collection"
            checked(client("POST", target, {"name": f"c{index}", **order}), 200)
        used = cpu_seconds(cluster.pid)
    how = f"{number:,} shards, {per_collection} a collection, {databases} databases, replicationFactor 2, by the API"
    yield Figure("testbed_shards", used, "s", 30, how, at_most=True)


def figures(directory: Path, number: int) -> Iterator[Figure]:
    """Every figure; `number` documents are restored."""
    part = min(number, 500_000)
    with (
        TestCluster.start(directory, name="speed", coordinators=1, dbservers=1) as cluster,
        Client.root(cluster) as client,
    ):
        url = next(iter(cluster.dbservers.values()))
        with Client.superuser(cluster, url) as server:
            start = int(server("GET", "/_api/wal/lastTick").json["tick"])
            yield from bulk(cluster, client, part)
            yield from tail(cluster, server, start)
            yield from restore(cluster, client, number)
            shard = client("GET", "/_api/collection/restored/shards").json["shards"][0]
            yield from dump(cluster, server, shard)
    yield from shards(directory)


def main() -> int:
    """Measure, print, write; 1 when a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=_HELD, help="how many are restored (default: %(default)s)")
    arguments = parser.parse_args()
    fine = True
    with tempfile.TemporaryDirectory(prefix="bench-testbed-") as directory:
        for figure in figures(Path(directory), arguments.documents):
            figure.write()
            print(figure.line(), flush=True)
            fine = fine and figure.ok
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
