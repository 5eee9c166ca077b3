# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Moving a snapshot, TLS at both ends: the agent, `curl | curl`, and the scripts that a user would write."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from tests.bench.bed import Bed, Children, Emulators, checked
from tests.bench.figures import Figure
from tests.bench.process import Curve
from tests.bench.sink import Sink
from tests.e2e.migration import in_sync
from tests.testbed.client import Client

_SHARDS = 16
_SIZE = 300
_BATCH = 8 << 20
_SCRIPT_SHARE = 20  # the scripts move a part only, as they take so long
_PATIENCE = 300.0  # seconds
_TLS = "the same bytes, same servers, TLS at both ends"


class Round(NamedTuple):
    """CPU seconds a GB of the agent's copy, of that with what comes before it, of `curl | curl`, and of the scripts:
    those that decode documents, and one that does not.
    """

    ours: float
    whole: float
    curl: float
    scripts: dict[str, float]
    raw: float
    told: str

    @property
    def script(self) -> float:
        """That of the cheapest script."""
        return min(self.scripts.values())


def figures(megabytes: int, rounds: int = 3) -> Iterator[Figure]:
    """CPU seconds per GB of documents; of several rounds the middle one by its ratio to the peer."""
    number = megabytes * 1_000_000 // _SIZE
    found = [_round(number) for _round_number in range(rounds)]
    what = (
        f"{megabytes:,} MB, {number:,} documents of {_SIZE:,} bytes, {_SHARDS} shards, from the state initial-sync to "
        "running"
    )
    middle, ratios = _middle(found, lambda one: one.ours / one.curl)
    yield Figure.against(
        "relay", middle.ours, middle.curl, "CPU s/GB", 0.5,
        f"{what}; with connections, prechecks and definitions, which any migration takes, {middle.whole:.2f} s/GB; "
        f"peer: curl | curl, {_TLS}; {ratios}; {_cipher()}; {middle.told}",
    )
    middle, ratios = _middle(found, lambda one: one.ours / one.script)
    told = ", ".join(f"{name} {value:.1f}" for name, value in middle.scripts.items())
    yield Figure.against(
        "relay_script", middle.ours, middle.script, "CPU s/GB", 1 / 15,
        f"{what}; peers (the cheaper counts): export cursor and import_bulk of python-arango, cursor and restore-data "
        f"with requests, of {megabytes / _SCRIPT_SHARE:,.0f} MB: {told}; {ratios}; not counted, as it does what "
        f"curl | curl does: batches of a dump handed on to restore-data with requests, {middle.raw:.1f} s/GB",
    )


def _middle(rounds: Sequence[Round], ratio: Callable[[Round], float]) -> tuple[Round, str]:
    """The round with the middle ratio, and a text with all of them."""
    ordered = sorted(rounds, key=ratio)
    told = ", ".join(f"{ratio(one):.3f}" for one in ordered)
    return ordered[len(ordered) // 2], f"the middle one of the ratios {told}"


def _cipher() -> str:
    """What nobody who relays TLS can save: each byte is decrypted and encrypted once."""
    order = ["openssl", "speed", "-seconds", "1", "-bytes", "16384", "-evp", "aes-256-gcm"]
    try:
        told = subprocess.run(order, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        return f"the cipher alone was not measured: {error}"
    kilobytes = float(told.split()[-1].rstrip("k"))
    return f"the cipher alone takes {2e6 / kilobytes:.2f} s/GB (openssl speed, both ways)"


def _round(number: int) -> Round:
    with Bed() as bed, Sink(bed.target) as sink:
        size = _fill(bed, "things", _SHARDS, number)
        part = _fill(bed, "part", 1, number // _SCRIPT_SHARE)
        scripts = {name: _script(bed, name) / part * 1e9 for name in ("driver", "requests")}
        raw = _script(bed, "raw") / part * 1e9
        servers = Emulators(bed, sink=sink.pid)
        curl = _curl(bed, sink.url) / size * 1e9
        told = f"during curl | curl {servers}"
        _arrived(sink, size)
        bed.clear("by_curl", "by_driver", "by_requests", "by_raw")
        bed.clear("part", cluster=bed.source)
        bed.agent.start()
        servers = Emulators(bed, sink=sink.pid)
        begun, seconds = (value / size * 1e9 for value in _migrate(bed, sink.url))
        told = f"{servers}, {told}"
        _arrived(sink, 2 * size)
        return Round(seconds - begun, seconds, curl, scripts, raw, told)


def _arrived(sink: Sink, size: int) -> None:
    """Whoever moves less is not quicker. Bodies that were compressed to see whether that helps are a little less."""
    received = sink.received()
    if received < 0.95 * size:
        raise RuntimeError(f"{received:,} of {size:,} bytes have arrived")


def _fill(bed: Bed, name: str, shards: int, number: int) -> int:
    bed.create(name, shards)
    return bed.load(name, number, _SIZE)


def _migrate(bed: Bed, target: str) -> tuple[float, float]:
    """CPU seconds of the agent before the copy begins, and until all is in sync.

    Its log says when that was: whoever asks for its status has it do the work of a handshake each time.
    """
    with Curve(bed.pid) as curve:
        started = time.time()
        bed.begin(verify_rate=1_000, target_endpoints=[target])
        while "running" not in (moments := _moments(bed)):
            if time.time() > started + _PATIENCE:
                raise RuntimeError(f"not in sync within {_PATIENCE:.0f} s: {bed.agent.log()}")
            time.sleep(0.05)
    bed.wait("every shard in sync", in_sync)
    before, begun, end = (curve.at(moment) for moment in (started, moments["initial-sync"], moments["running"]))
    return begun - before, end - before


def _moments(bed: Bed) -> dict[str, float]:
    """When the migration was first in a state, seconds since the epoch."""
    changes = re.findall(r"^(\S+)Z INFO \S+ state \S+ -> (\S+)$", bed.agent.log_path.read_text(), re.MULTILINE)
    return {state: datetime.fromisoformat(f"{at}+00:00").timestamp() for at, state in reversed(changes)}


def _curl(bed: Bed, target: str) -> float:
    """CPU seconds of the processes that move one collection, a pair for each shard."""
    user = {"x-arango-dump-auth-user": "root"}
    with Client.root(bed.target) as client:
        checked(client("POST", "/_api/collection", {"name": "by_curl", "numberOfShards": _SHARDS}), 200)
    with Client.root(bed.source) as client:
        shards = checked(client("GET", "/_api/collection/things/shards?details=true"), 200).json["shards"]
    children = Children()
    for shard, (leader, *_followers) in shards.items():
        with Client.superuser(bed.source, bed.source.dbservers[leader]) as server:
            order = {"batchSize": _BATCH, "docsPerBatch": 1_000_000, "prefetchCount": 2, "parallelism": 1}
            answer = checked(server("POST", "/_api/dump/start", {**order, "shards": [shard]}, user), 201)
            identifier = answer.headers["x-arango-dump-id"]
            _pair(bed, target, bed.source.dbservers[leader], identifier, str(server.authorization))
    return children.seconds()


def _pair(bed: Bed, target: str, server: str, identifier: str, authorization: str) -> None:
    """One shard: batches one after the other into one request of the other side."""
    quiet = ["curl", "--silent", "--show-error", "--fail"]
    reader = subprocess.Popen(
        [
            *quiet, "--cacert", str(bed.source.ca_path), "-X", "POST", "-H", f"authorization: {authorization}",
            "-H", "x-arango-dump-auth-user: root", f"{server}/_api/dump/next/{identifier}?batchId=[0-{_batches(bed)}]",
        ],
        stdout=subprocess.PIPE,
    )
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
