# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The storage's transactions: what others see, locks, frames in the logs (facts §5.5, §2.3)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.testbed.api.collections import create_collection
from tests.testbed.collection import Collection
from tests.testbed.control import Faults
from tests.testbed.documents import Writer
from tests.testbed.errors import ArangoError
from tests.testbed.model import Deployment
from tests.testbed.options import Options
from tests.testbed.rawjson import Element
from tests.testbed.storage import Transaction
from tests.testbed.wal_tail import TailQuery


@pytest.fixture
def collection() -> Collection:
    deployment = Deployment("unit", secret=b"s", dbservers=2, options=Options(nasty=False))
    deployment.faults = Faults()
    wishes = {"name": "c", "numberOfShards": 4, "replicationFactor": 2}
    return create_collection(deployment.databases["_system"], wishes)


def _writer(collection: Collection, **kind: Any) -> Writer:
    server = collection.deployment.by_role("coordinator")[0]
    return Writer(Transaction(collection.database, **kind), collection, server)


def _markers(collection: Collection) -> list[list[dict[str, Any]]]:
    """Markers of documents and frames, per data server."""
    query = TailQuery(None, include_system=True, chunk_size=1 << 27)
    found = []
    for server in collection.deployment.data_servers:
        lines = b"".join(server.log.tail(query).pieces).splitlines()
        found.append([marker for marker in map(json.loads, lines) if marker["type"] >= 2200])
    return found


def test_a_single_operation_has_no_frame_and_is_in_the_log_of_both_replicas(collection: Collection) -> None:
    writer = _writer(collection, single=True)
    writer.insert(Element.of({"_key": "a"}))
    writer.transaction.commit()
    for markers in _markers(collection):
        assert [(marker["type"], marker["tid"]) for marker in markers] == [(2300, "0")]
    assert len({markers[0]["data"]["_rev"] for markers in _markers(collection)}) == 1


def test_an_array_is_framed_per_shard_a_stream_per_server(collection: Collection) -> None:
    plain = _writer(collection)
    stream = _writer(collection, tid="77", stream=True)
    for writer, prefix in ((plain, "p"), (stream, "s")):
        for number in range(20):
            writer.insert(Element.of({"_key": f"{prefix}{number}"}))
    plain.transaction.commit()
    stream.transaction.commit()
    for markers in _markers(collection):
        kinds = [marker["type"] for marker in markers]
        assert kinds.count(2200) == kinds.count(2201) == 5
        streamed = [marker for marker in markers if marker["tid"] == "77"]
        assert (streamed[0]["type"], streamed[-1]["type"]) == (2200, 2201)
        assert len({marker["cuid"] for marker in streamed[1:-1]}) == 4


def test_others_see_nothing_before_the_commit_and_the_transaction_sees_itself(collection: Collection) -> None:
    stream = _writer(collection, tid="5", stream=True)
    stream.insert(Element.of({"_key": "a", "v": 1}))
    stream.update("a", Element.of({"w": 2}))
    assert json.loads(stream.read("a")[1][1])["w"] == 2
    with pytest.raises(ArangoError) as caught:
        _writer(collection).read("a")
    assert caught.value.error_num == 1202
    stream.transaction.commit()
    assert json.loads(_writer(collection).read("a")[1][1]) | {"v": 1, "w": 2} == json.loads(stream.read("a")[1][1])


def test_an_abort_leaves_nothing_but_what_was_committed_in_between(collection: Collection) -> None:
    stream = _writer(collection, tid="6", stream=True)
    stream.insert(Element.of({"_key": "a"}))
    stream.transaction.intermediate_commit()
    stream.insert(Element.of({"_key": "b"}))
    stream.transaction.abort()
    assert collection.count() == 1
    frames = [marker["tid"] for marker in _markers(collection)[0] if marker["type"] == 2200]
    assert frames == ["6"]
    _writer(collection, single=True).insert(Element.of({"_key": "b"}))


def test_parts_of_a_stream_are_frames_with_one_id(collection: Collection) -> None:
    stream = _writer(collection, tid="9", stream=True)
    for key in ("a", "b"):
        stream.insert(Element.of({"_key": key}))
        stream.transaction.intermediate_commit()
    stream.transaction.commit()
    markers = _markers(collection)[0]
    assert [marker["tid"] for marker in markers if marker["type"] == 2200] == ["9", "9"]


def test_a_key_that_a_stream_wrote_is_locked(collection: Collection) -> None:
    stream = _writer(collection, tid="8", stream=True)
    stream.insert(Element.of({"_key": "a"}))
    with pytest.raises(ArangoError, match="write-write conflict") as caught:
        _writer(collection, single=True).insert(Element.of({"_key": "a"}))
    assert (caught.value.error_num, caught.value.status) == (1200, 409)
    stream.transaction.abort()
    other = _writer(collection, single=True)
    other.insert(Element.of({"_key": "a"}))
    other.transaction.commit()
    assert collection.count() == 1


def test_moving_a_shard_shows_in_the_new_servers_log(collection: Collection) -> None:
    writer = _writer(collection)
    for number in range(20):
        writer.insert(Element.of({"_key": str(number)}))
    writer.transaction.commit()
    shard = collection.shards[0]
    old, new = (collection.deployment.servers[name] for name in shard.servers)
    shard.place([old])
    before = len(_markers(collection)[collection.deployment.data_servers.index(new)])
    shard.place([new])
    markers = _markers(collection)[collection.deployment.data_servers.index(new)][before:]
    copied = [marker["data"]["_key"] for marker in markers if marker["type"] == 2300]
    assert sorted(copied) == sorted(shard.leader.keys)
    assert shard.name not in old.shards
