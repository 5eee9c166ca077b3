# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checksums and counts (facts §6)."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable

import pytest

from tests.testbed.checksums import Hashes, document_hash
from tests.testbed.client import Client
from tests.testbed.launch import TestCluster

_NAMES = (f"c{number}" for number in itertools.count())
FULL = "?withRevisions=true&withData=true"
DATA = "?withData=true"


def fill(client: Client, shards: int, lines: list[str], kind: int = 2) -> str:
    name = next(_NAMES)
    client("POST", "/_api/collection", {"name": name, "numberOfShards": shards, "type": kind})
    target = f"/_api/replication/restore-data?collection={name}&preserveRevisionIds=true"
    assert client("PUT", target, "\n".join(lines).encode()).status == 200
    return name


def checksum(client: Client, name: str, query: str = FULL) -> str:
    answer = client("GET", f"/_api/collection/{name}/checksum{query}")
    assert answer.status == 200
    assert answer.json["checksum"].isdecimal()
    return str(answer.json["checksum"])


LINES = [f'{{"_key":"k{number}","_rev":"_jt3aNJ{letter}---","n":{number}}}' for number, letter in enumerate("abcdefgh")]


def test_6_equal_across_shard_counts_and_orders(client: Client) -> None:
    one, five = fill(client, 1, LINES), fill(client, 5, LINES[::-1])
    assert checksum(client, one) == checksum(client, five) != "0"


def test_6_revisions_and_data_count_only_when_asked(client: Client) -> None:
    base = fill(client, 1, LINES[:1])
    other_rev = fill(client, 1, [LINES[0].replace("Ja--", "Jb--")])
    other_data = fill(client, 1, [LINES[0].replace('"n":0', '"n":1')])
    assert checksum(client, base, "") == checksum(client, other_rev, "") == checksum(client, other_data, "")
    assert checksum(client, base, DATA) == checksum(client, other_rev, DATA) != checksum(client, other_data, DATA)
    assert checksum(client, base, FULL) != checksum(client, other_rev, FULL)


def test_6_edges_always_include_their_ends(client: Client) -> None:
    first = fill(client, 1, ['{"_key":"a","_from":"x/1","_to":"x/2"}'], 3)
    second = fill(client, 1, ['{"_key":"a","_from":"x/1","_to":"x/3"}'], 3)
    assert checksum(client, first, "") != checksum(client, second, "")


def test_6_a_second_call_sees_changes(client: Client) -> None:
    name = fill(client, 2, LINES)
    before = checksum(client, name)
    client("PATCH", f"/_api/document/{name}/k1", {"n": 99})
    changed = checksum(client, name)
    client("PUT", f"/_api/replication/restore-data?collection={name}&preserveRevisionIds=true", LINES[1].encode())
    assert before != changed
    assert checksum(client, name) == before


def test_6_a_body_altered_under_its_revision_is_seen(cluster: TestCluster, client: Client) -> None:
    name = fill(client, 2, LINES)
    before = checksum(client, name)
    cluster.control.fault("alter_document", database="_system", collection=name, key="k3", body={"n": -1})
    assert checksum(client, name) != before


def test_6_shard_checksums_give_the_collection_s(cluster: TestCluster, client: Client) -> None:
    name = fill(client, 3, LINES)
    total = 0
    for shard, servers in client("GET", f"/_api/collection/{name}/shards?details=true").json["shards"].items():
        with Client.superuser(cluster, cluster.dbservers[servers[0]]) as server:
            total ^= int(checksum(server, shard))
    assert str(total) == checksum(client, name)


def test_6_versions_may_hash_differently(client: Client, start: Callable[..., TestCluster]) -> None:
    name = fill(client, 1, LINES)
    same, other = start(coordinators=1, dbservers=1), start(coordinators=1, dbservers=1, options={"checksum_seed": 7})
    with Client.root(same) as first, Client.root(other) as second:
        assert checksum(first, fill(first, 2, LINES)) == checksum(client, name)
        assert checksum(second, fill(second, 2, LINES)) != checksum(client, name)


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (b"1", b"1.0", True),
        (b"1e2", b"100", True),
        (b"-0.0", b"0", True),
        (b"1", b"1.5", False),
        (b'"1"', b"1", False),
        (b'{"a":1,"b":2}', b'{"b":2,"a":1}', True),
        (b"[1,2]", b"[2,1]", False),
        (b"18446744073709551615", b"18446744073709551614", False),
        (b"100000000000000000000", b"1e20", True),
    ],
)
def test_6_values_are_normalised(left: bytes, right: bytes, equal: bool) -> None:
    hashes = [
        document_hash(b'{"_key":"a","v":' + value + b"}", revisions=True, data=True, seed=0) for value in (left, right)
    ]
    assert (hashes[0] == hashes[1]) is equal


def test_6_a_checksum_takes_time_for_each_document(start: Callable[..., TestCluster]) -> None:
    with Client.root(start(coordinators=1, dbservers=1, options={"time_scale": 50.0})) as root:
        name = fill(root, 1, [f'{{"_key":"k{number}"}}' for number in range(4000)])
        begun = time.monotonic()
        checksum(root, name)
    assert time.monotonic() - begun >= 0.4  # 500,000 documents/s, fifty times slower


def test_6_hashing_ahead_finds_what_is_new_and_trusts_no_altered_bytes() -> None:
    kept = Hashes((True, True), 0)
    docs = {revision: f'{{"_key":"{revision}","_rev":"{revision}"}}'.encode() for revision in "abcd"}
    assert [asyncio.run(kept.warm(docs, 3)) for _ in range(3)] == [3, 1, 0]
    before = asyncio.run(kept.total(docs))
    assert before == asyncio.run(Hashes((True, True), 0).total(docs))
    docs["b"] = b'{"_key":"b","_rev":"b","altered":1}'
    assert asyncio.run(kept.total(docs)) != before


def test_6_counts_per_shard(client: Client) -> None:
    name = fill(client, 3, LINES)
    shards = client("GET", f"/_api/collection/{name}/count?details=true").json["count"]
    assert len(shards) == 3
    assert sum(shards.values()) == len(LINES) == client("GET", f"/_api/collection/{name}/count").json["count"]
