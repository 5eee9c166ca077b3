# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a cluster saw of a workload: its requests and its leaders' logs, whatever the workload says of itself."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.testbed.client import Client
from tests.testbed.launch import TestCluster

__all__ = [
    "REMOVE", "REQUESTS", "TRUNCATE", "WRITE", "Frame", "Logs", "cycles", "hand_overs", "keep_logs", "made", "requests",
]

Marker = Mapping[str, Any]
Frame = list[Marker]  # the markers of one transaction of a shard, or a single one (facts §5.5)
TRUNCATE, BEGIN, COMMIT, WRITE, REMOVE = 2004, 2200, 2201, 2300, 2302
_READER = "syncerId=4711&includeSystem=true&includeFoxxQueues=true&chunkSize=8388608"
_ONE = "/[^/?]+"

REQUESTS = {  # what users and administrators do → method and path of the request
    "database made": ("POST", "/_api/database"),
    "database dropped": ("DELETE", f"/_api/database{_ONE}"),
    "collection made": ("POST", "/_api/collection"),
    "collection changed": ("PUT", f"/_api/collection{_ONE}/properties"),
    "collection truncated": ("PUT", f"/_api/collection{_ONE}/truncate"),
    "collection dropped": ("DELETE", f"/_api/collection{_ONE}"),
    "index made": ("POST", "/_api/index"),
    "index dropped": ("DELETE", f"/_api/index{_ONE}{_ONE}"),
    "view made": ("POST", "/_api/view"),
    "view changed": ("PATCH", f"/_api/view{_ONE}/properties"),
    "view dropped": ("DELETE", f"/_api/view{_ONE}"),
    "analyzer made": ("POST", "/_api/analyzer"),
    "analyzer dropped": ("DELETE", f"/_api/analyzer{_ONE}"),
    "graph made": ("POST", "/_api/gharial"),
    "graph changed": ("POST", f"/_api/gharial{_ONE}/edge"),
    "graph dropped": ("DELETE", f"/_api/gharial{_ONE}"),
    "user made": ("POST", "/_api/user"),
    "user changed": ("PUT", f"/_api/user{_ONE}"),
    "user dropped": ("DELETE", f"/_api/user{_ONE}"),
    "database granted": ("PUT", f"/_api/user{_ONE}/database{_ONE}"),
    "collection granted": ("PUT", f"/_api/user{_ONE}/database{_ONE}{_ONE}"),
    "grant revoked": ("DELETE", f"/_api/user{_ONE}/database{_ONE}"),
    "transaction begun": ("POST", "/_api/transaction/begin"),
    "transaction committed": ("PUT", f"/_api/transaction{_ONE}"),
}


def _acknowledged(cluster: TestCluster) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Kind and entry of each recorded request that was carried out."""
    for entry in cluster.control.get("/state/recorded"):
        path = re.sub(r"^/_db/[^/]+", "", entry["target"]).partition("?")[0]
        for kind, (method, pattern) in REQUESTS.items():
            if entry["method"] == method and (entry["status"] or 500) < 300 and re.fullmatch(pattern, path):
                yield kind, entry


def requests(cluster: TestCluster) -> Counter[str]:
    """How often each kind of REQUESTS was acknowledged since the cluster records (fault `record`)."""
    return Counter(kind for kind, _entry in _acknowledged(cluster))


def made(cluster: TestCluster, kind: str, field: str) -> set[Any]:
    """The values of one field of the bodies of acknowledged requests of a kind."""
    return {json.loads(entry["body"]).get(field) for name, entry in _acknowledged(cluster) if name == kind}


def _tail(server: Client, start: int) -> tuple[list[Marker], bool]:
    """Everything from a tick on, and whether it was all there (facts §5.2 to §5.4)."""
    markers: list[Marker] = []
    tick, scanned, complete = start, 0, True
    while True:
        answer = server("GET", f"/_api/wal/tail?global=true&from={tick}&lastScanned={scanned}&{_READER}")
        complete = complete and answer.headers["x-arango-replication-frompresent"] == "true"
        markers += [json.loads(line) for line in answer.body.splitlines()]
        if answer.headers["x-arango-replication-checkmore"] != "true" or not answer.body:
            return markers, complete
        tick = int(answer.headers["x-arango-replication-lastincluded"])
        scanned = int(answer.headers["x-arango-replication-lastscanned"])


def keep_logs(cluster: TestCluster) -> dict[str, int]:
    """Have every DB-Server keep its log from now on; the ticks by server (facts §5.7)."""
    starts = {}
    for identifier, url in cluster.dbservers.items():
        with Client.superuser(cluster, url) as server:
            starts[identifier] = int(server("GET", "/_api/wal/lastTick").json["tick"])
            server("GET", f"/_api/wal/tail?global=true&from={starts[identifier]}&{_READER}")
    return starts


class Logs:
    """The logs of all DB-Servers from these ticks to now, read once."""

    def __init__(self, cluster: TestCluster, starts: Mapping[str, int]) -> None:
        self._cluster = cluster
        self.complete = True
        self._markers: dict[str, list[Marker]] = {}
        for identifier, start in starts.items():
            with Client.superuser(cluster, cluster.dbservers[identifier]) as server:
                self._markers[identifier], complete = _tail(server, start)
            self.complete = self.complete and complete

    def frames(self, database: str, collection: str) -> list[list[Frame]]:
        """What the leader of each shard of a collection logged, in order."""
        target = f"/_db/{database}/_api/collection/{collection}/shards?details=true"
        with Client.root(self._cluster) as root:
            shards = root("GET", target).json["shards"]
        return [list(_grouped(self._markers[servers[0]], shard)) for shard, servers in shards.items()]


def _grouped(markers: Iterable[Marker], shard: str) -> Iterator[Frame]:
    frame: Frame | None = None
    for marker in markers:
        if marker["type"] == BEGIN:
            frame = []
        elif marker["type"] == COMMIT:
            if frame:
                yield frame
            frame = None
        elif str(marker.get("cuid", "")).endswith(f"/{shard}"):
            if frame is None:
                yield [marker]
            else:
                frame.append(marker)


def _after(values: Mapping[str, Any], frame: Frame, field: str) -> dict[str, Any]:
    """The field's value by key when a frame has been applied."""
    after = dict(values)
    for marker in frame:
        if marker["type"] == WRITE:
            after[marker["data"]["_key"]] = marker["data"].get(field)
        elif marker["type"] == REMOVE:
            after.pop(marker["data"]["_key"], None)
    return after


def cycles(frames: Iterable[Frame], field: str) -> Counter[int]:
    """How many frames handed values of a field round among documents, by the number of documents."""
    found: Counter[int] = Counter()
    values: dict[str, Any] = {}
    for frame in frames:
        after = _after(values, frame, field)
        changed = [key for key in values if values[key] != after.get(key)]
        if changed and sorted(values[key] for key in changed) == sorted(str(after.get(key)) for key in changed):
            found[len(changed)] += 1
        values = after
    return found


def hand_overs(frames: Iterable[Frame], field: str) -> int:
    """How often a document was removed, its value given to another one, and itself inserted anew with the other's."""
    values: dict[str, Any] = {}
    waiting: dict[str, Any] = {}  # removed key → the value that it has to come back with
    found = 0
    for frame in frames:
        after = _after(values, frame, field)
        for key in [key for key in waiting if key in after]:
            found += after[key] == waiting.pop(key)
        for gone in [key for key in values if key not in after]:
            for taker in [key for key in after if after[key] == values[gone] != values.get(key)]:
                waiting[gone] = values.get(taker)
        values = after
    return found
