# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The two kinds of truncate and what each leaves in the logs (facts §5.5)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

import pytest

from tests.testbed.client import Client
from tests.testbed.launch import TestCluster


def _markers(cluster: TestCluster, identity: str) -> dict[str, Counter[int]]:
    """Per shard: markers of a collection by type, taken from the log of the shard's leader."""
    with Client.root(cluster) as client:
        layout = client("GET", f"/_api/collection/{identity}/shards?details=true").json["shards"]
    found: dict[str, Counter[int]] = {shard: Counter() for shard in layout}
    for name, url in cluster.dbservers.items():
        with Client.superuser(cluster, url) as server:
            body = server("GET", "/_api/wal/tail?global=true&includeSystem=true&chunkSize=100000000").body
        for line in body.splitlines():
            marker = json.loads(line)
            shard = marker.get("cuid", "").partition("/")[2]
            if shard in layout and layout[shard][0] == name:
                found[shard][marker["type"]] += 1
    return found


@pytest.mark.parametrize(("threshold", "expected"), [(32768, 2302), (10, 2004)])
def test_small_shards_are_removed_one_by_one_large_ones_by_range(
    start: Callable[..., TestCluster], threshold: int, expected: int
) -> None:
    cluster = start(options={"truncate_threshold": threshold})
    with Client.root(cluster) as client:
        identity = client("POST", "/_api/collection", {"name": "t", "numberOfShards": 2, "replicationFactor": 2}).json[
            "id"
        ]
        client("POST", "/_api/document/t", [{"_key": str(number)} for number in range(100)])
        counts = client("GET", "/_api/collection/t/count?details=true").json["count"]
        answer = client("PUT", "/_api/collection/t/truncate")
        assert (answer.status, answer.json["name"]) == (200, "t")
        assert client("GET", "/_api/collection/t/count").json["count"] == 0
    for shard, markers in _markers(cluster, identity).items():
        assert markers[expected] == (1 if expected == 2004 else counts[shard])
        assert markers[2302 if expected == 2004 else 2004] == 0
    assert cluster.control.documents("_system", "t") == {}


def test_a_truncated_collection_takes_writes_again(client: Client) -> None:
    client("POST", "/_api/collection", {"name": "again"})
    client("POST", "/_api/document/again", [{"_key": "a"}, {"_key": "b"}])
    client("PUT", "/_api/collection/again/truncate")
    assert client("POST", "/_api/document/again", {"_key": "a"}).status == 202
    assert client("GET", "/_api/collection/again/count").json["count"] == 1
