# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Moving a snapshot, TLS at both ends: the agent, `curl | curl`, and the scripts that a user would write."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from tests.bench.bed import Bed, Children, Emulators, checked
from tests.bench.figures import Figure
from tests.e2e.migration import in_sync
from tests.testbed.client import Client

_SHARDS = 16
_SIZE = 2_000
_BATCH = 8 << 20
_SCRIPT_SHARE = 20  # the scripts move a part only, as they take so long
_LOOK = 0.1  # seconds
_LOOKS_BEFORE = 4  # the status may be so old: what was spent then was certainly not spent for the copy
_TLS = "the same bytes, same servers, TLS at both ends"


def figures(megabytes: int) -> Iterator[Figure]:
    """CPU seconds per GB of documents."""
    number = megabytes * 1_000_000 // _SIZE
    with Bed() as bed:
        bed.create("things", _SHARDS)
        size = bed.load("things", number, _SIZE)
        bed.create("part", 1)
        part = bed.load("part", number // _SCRIPT_SHARE, _SIZE)
        emulators = Emulators(bed)
        curl = _curl(bed) / size * 1e9
        told = f"during curl | curl {emulators}"
        scripts = {name: _script(bed, name) / part * 1e9 for name in ("driver", "requests")}
        bed.clear("by_curl", "by_driver", "by_requests")
        bed.agent.start()
        emulators = Emulators(bed)
        begun, seconds = _migrate(bed)
        told = f"{emulators}, {told}"
    ours = (seconds - begun) / (size + part) * 1e9
    what = (
        f"{size / 1e6:,.0f} MB, {number:,} documents of {_SIZE:,} bytes, {_SHARDS} shards, until in sync, without "
        f"{begun:.2f} s before the copy (connections, prechecks, definitions), which any migration takes: with them "
        f"{seconds / (size + part) * 1e9:.2f} s/GB"
    )
    yield Figure.against("relay", ours, curl, "CPU s/GB", 0.5, f"{what}; peer: curl | curl, {_TLS}; {told}")
    best = min(scripts.values())
    told = ", ".join(f"{name} {value:.1f}" for name, value in scripts.items())
    yield Figure.against(
        "relay_script", ours, best, "CPU s/GB", 1 / 15,
        f"{what}; peers (the cheaper counts): export cursor and import_bulk of python-arango, cursor and restore-data "
        f"with requests, of {part / 1e6:,.0f} MB: {told}",
    )


def _migrate(bed: Bed) -> tuple[float, float]:
    """CPU seconds of the agent until the copy begins, and until all is in sync."""
    watch = bed.watch()
    bed.begin(verify_rate=1_000)
    spent = [0.0]

    def begun(status: Mapping[str, Any]) -> bool:
        spent.append(watch.seconds())
        return bool(status["progress"]["bytes_copied"])

    bed.wait("the copy has begun", begun, _LOOK)
    bed.wait("every shard in sync", in_sync)
    return max(spent[:-_LOOKS_BEFORE], default=0.0), watch.seconds()


def _curl(bed: Bed) -> float:
    """CPU seconds of the processes that move one collection, a pair for each shard."""
    user = {"x-arango-dump-auth-user": "root"}
    with Client.root(bed.target) as target:
        checked(target("POST", "/_api/collection", {"name": "by_curl", "numberOfShards": _SHARDS}), 200)
    with Client.root(bed.source) as client:
        shards = checked(client("GET", "/_api/collection/things/shards?details=true"), 200).json["shards"]
    children = Children()
    for shard, (leader, *_followers) in shards.items():
        with Client.superuser(bed.source, bed.source.dbservers[leader]) as server:
            order = {"batchSize": _BATCH, "docsPerBatch": 1_000_000, "prefetchCount": 2, "parallelism": 1}
            answer = checked(server("POST", "/_api/dump/start", {**order, "shards": [shard]}, user), 201)
            _pair(bed, bed.source.dbservers[leader], answer.headers["x-arango-dump-id"], str(server.authorization))
    return children.seconds()


def _pair(bed: Bed, server: str, identifier: str, authorization: str) -> None:
    """One shard: batches one after the other into one request of the other side."""
    quiet = ["curl", "--silent", "--show-error", "--fail"]
    reader = subprocess.Popen(
        [
            *quiet, "--cacert", str(bed.source.ca_path), "-X", "POST", "-H", f"authorization: {authorization}",
            "-H", "x-arango-dump-auth-user: root", f"{server}/_api/dump/next/{identifier}?batchId=[0-{_batches(bed)}]",
        ],
        stdout=subprocess.PIPE,
    )
    target = bed.target.coordinators[0]
    subprocess.run(
        [
            *quiet, "--cacert", str(bed.target.ca_path), "-X", "PUT", "-u", f"root:{bed.target.root_password}",
            "--data-binary", "@-", "-o", "/dev/null",
            f"{target}/_api/replication/restore-data?collection=by_curl&preserveRevisionIds=true",
        ],
        stdin=reader.stdout, check=True,
    )
    if reader.wait() != 0:
        raise RuntimeError(f"curl ended with {reader.returncode}")


def _batches(bed: Bed) -> int:
    """The number of the batch that says that nothing is left, or of one after it."""
    return bed.count("things", bed.source) * _SIZE // _SHARDS // _BATCH + 2


def _script(bed: Bed, name: str) -> float:
    """CPU seconds of a script that moves the collection `part`."""
    children = Children()
    subprocess.run([sys.executable, "-m", "tests.bench.scripts", name, *bed.sides()], check=True)
    return children.seconds()
