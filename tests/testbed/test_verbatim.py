# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The short way of restored documents stores what the ordinary one does (facts §5.8, §7.4, §7.5)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.testbed import verbatim
from tests.testbed.documents import Writer
from tests.testbed.inprocess import Direct
from tests.testbed.rawjson import compact
from tests.testbed.replica import Insertions
from tests.testbed.storage import ShardWriter

pytest.importorskip("msgspec", reason="the environment is older than the lock file: make setup")

PLAIN = b'{"_key":"a","_id":"c/a","_rev":"_r1","n":1.00,"s":"a, b"}'
VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture
def direct() -> Direct:
    """A cluster with a collection `c` and an edge collection `e`."""
    asked = Direct()
    for name, kind in (("c", 2), ("e", 3)):
        asked("POST", "/_api/collection", {"name": name, "type": kind})
    return asked


def stored(direct: Direct, name: str = "c") -> list[bytes]:
    collection = direct.deployment.database("_system").collection(name)
    return [raw for shard in collection.shards for _revision, raw in shard.leader.snapshot()]


def recogniser(direct: Direct, name: str = "c") -> verbatim.Recogniser:
    return verbatim.Recogniser(direct.deployment.database("_system").collection(name))


def test_a_printed_document_is_recognised_and_kept(direct: Direct) -> None:
    printed = recogniser(direct)([PLAIN])
    assert printed == Insertions(["a"], ["_r1"], [PLAIN])


@pytest.mark.parametrize(
    "raw",
    [
        PLAIN.replace(b'"c/a"', b'"d/a"'),  # another collection's
        PLAIN.replace(b'"_r1"', b'"\\u005fr1"'),
        PLAIN.replace(b'"_r1"', b'""'),
        PLAIN.replace(b'"_r1"', b"7"),
        PLAIN.replace(b'"a"', b'"\xc3\xa4"').replace(b"/a", b"/\xc3\xa4"),  # no key
        PLAIN[:-1] + b',"_key":"b"}',  # the last of two counts
        PLAIN[:-1],
        PLAIN.replace(b"1.00", b"01"),
        b'{"_id":"c/a","_key":"a","_rev":"_r1"}',
        b'{"type":2300,"data":' + PLAIN + b"}",
        b"[1]",
    ],
)
def test_everything_else_is_not(direct: Direct, raw: bytes) -> None:
    assert recogniser(direct)([raw]) is None


def test_an_edge_needs_both_ends(direct: Direct) -> None:
    edge = b'{"_key":"a","_id":"e/a","_from":"c/1","_to":"c/2","_rev":"_r1"}'
    known = recogniser(direct, "e")
    assert known([edge]) is not None
    assert known([edge.replace(b'"_from":"c/1",', b"")]) is None
    assert known([edge.replace(b"c/2", b"c/")]) is None
    assert recogniser(direct)([edge.replace(b"e/a", b"c/a")]) is None


@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=4), st.sampled_from([None, 1, "\t", "\r"]))
def test_lines_and_elements_are_made_compact_like_everything_else(value: dict[str, Any], indent: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=indent).replace("\n", " ")
    expected = compact(text).encode(errors="surrogatepass")
    body = text.encode(errors="surrogatepass")
    assert verbatim.lines(b" " + body + b" \n\n" + body) in (None, [expected] * 2)
    assert verbatim.elements(b" [ " + body + b" , " + body + b"] ") in (None, [expected] * 2)


@pytest.mark.parametrize("body", [b'{"a":1', b'{"a":"\xff"}', b'{"a":NaN}', b"[" * 100_000])
def test_what_is_no_json_for_certain_is_left_to_others(body: bytes) -> None:
    assert verbatim.lines(body + b" ") is None
    assert verbatim.elements(b"[" + body + b"]") is None


@pytest.mark.parametrize("kept", [True, False])
def test_both_ways_store_the_same(direct: Direct, kept: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = [
        PLAIN,
        b' {"_key": "b","_id":"c/b" ,"_rev":"_r2", "x" : [ 1.50 , {"y": "\\" , \\u00e4 "} ] }',
        b'{"_key":"d","z":3}',
    ]
    if not kept:
        monkeypatch.setattr(Writer, "recognise", lambda _self, texts: iter(texts))
    assert (
        direct(
            "PUT", "/_api/replication/restore-data?collection=c&preserveRevisionIds=true", b"\n".join(bodies[:2])
        ).status
        == 200
    )
    by_lines = stored(direct)
    direct("PUT", "/_api/collection/c/truncate")
    array = b"[" + b",".join(bodies[:2]) + b"]"
    assert direct("POST", "/_api/document/c?isRestore=true&overwriteMode=replace", array).status == 202
    assert (
        stored(direct)
        == by_lines
        == [PLAIN, b'{"_key":"b","_id":"c/b","_rev":"_r2","x":[1.50,{"y":"\\" , \\u00e4 "}]}']
    )


def test_a_key_that_comes_twice_is_replaced_the_second_time(direct: Direct) -> None:
    newer = PLAIN.replace(b"_r1", b"_r2")
    target = "/_api/document/c?isRestore=true&overwriteMode=replace"
    for other in (b"", b',{"_key":"b"}'):
        answer = direct("POST", target, b"[" + PLAIN + b"," + newer + other + b"]").json
        assert answer[1] == {"_id": "c/a", "_key": "a", "_rev": "_r2", "_oldRev": "_r1"}
        assert stored(direct)[0] == newer
        direct("PUT", "/_api/collection/c/truncate")


def test_a_replica_that_has_a_key_already_replaces_its_document(direct: Direct) -> None:
    replica = direct.deployment.database("_system").collection("c").shards[0].leader
    for revision in ("_r1", "_r2"):
        replica.apply([Insertions(["a"], [revision], [PLAIN])])
    assert (replica.docs, replica.keys) == ({"_r2": PLAIN}, {"a": "_r2"})


def test_without_their_revisions_documents_get_new_ones(direct: Direct) -> None:
    assert direct("PUT", "/_api/replication/restore-data?collection=c", PLAIN).status == 200
    [raw] = stored(direct)
    revision = json.loads(raw)["_rev"]
    assert revision != "_r1"
    assert raw == PLAIN.replace(b"_r1", revision.encode())


def test_a_bad_line_stops_all_of_them(direct: Direct) -> None:
    answer = direct("PUT", "/_api/replication/restore-data?collection=c&preserveRevisionIds=true", PLAIN + b'\n{"n":1}')
    assert (answer.status, answer.json["errorNum"]) == (400, 400)
    assert stored(direct) == []


def test_a_replacement_with_is_restore_is_no_insertion(direct: Direct) -> None:
    answer = direct("PUT", "/_api/document/c?isRestore=true&overwriteMode=replace", b"[" + PLAIN + b"]")
    assert answer.json[0]["errorNum"] == 1202
    assert stored(direct) == []


def test_an_older_external_version_replaces_nothing() -> None:
    direct = Direct(version="3.12.10")
    direct("POST", "/_api/collection", {"name": "c"})
    target = "/_api/document/c?isRestore=true&overwriteMode=replace&versionAttribute=n"
    older = PLAIN.replace(b"1.00", b"0.50").replace(b"_r1", b"_r0")
    for raw in (PLAIN.replace(b"1.00", b"5"), older):
        assert direct("POST", target, b"[" + raw + b"]").status == 202
    assert stored(direct) == [PLAIN.replace(b"1.00", b"5")]


HEAD = '{{"_key":"{0}","_id":"c/{0}","_rev":"_r{1}","n":{2}}}'
KEYS = st.sampled_from("abcd")
PRINTED = st.builds(HEAD.format, KEYS, st.integers(1, 9), st.integers(0, 99))
OTHERS = st.one_of(
    PRINTED,
    st.builds('{{"_key":"{}","_rev":"_r{}"}}'.format, KEYS, st.integers(1, 9)),
    st.builds('{{"type":2302,"data":{{"_key":"{}"}}}}'.format, KEYS),
)
BATCHES = st.lists(st.one_of(st.lists(PRINTED, min_size=1, max_size=5), st.lists(OTHERS, min_size=1, max_size=5)))


def written(batches: list[list[str]], shards: int, together: bool) -> object:
    """What is stored and logged after some requests; without `together` each document is written by itself."""
    with Direct(dbservers=2) as direct, pytest.MonkeyPatch.context() as patched:
        if not together:
            patched.setattr(ShardWriter, "takes_as_new", lambda _self, _documents: False)
        direct("POST", "/_api/collection", {"name": "c", "numberOfShards": shards, "replicationFactor": 2})
        for batch in batches:
            body = "\n".join(batch).encode()
            direct("PUT", "/_api/replication/restore-data?collection=c&preserveRevisionIds=true", body)
        replicas = [
            replica
            for shard in direct.deployment.database("_system").collection("c").shards
            for _name, replica in sorted(shard.replicas.items())
        ]
        assert all(list(replica.docs) == sorted(replica.docs) for replica in replicas if replica.in_order)
        logs = [direct("GET", "/_api/wal/tail?from=0", on=server).body.splitlines() for server in direct.dbservers]
        changes = [[line for line in log if b'"_rev":"_r' in line] for log in logs]
        return [(replica.docs, replica.keys, replica.in_order) for replica in replicas], changes


@settings(max_examples=25, deadline=None)
@given(BATCHES, st.sampled_from([1, 3]))
@example([[HEAD.format("a", 1, 0), HEAD.format("a", 2, 0)]], 1)
def test_what_is_written_together_is_what_each_alone_would_be(batches: list[list[str]], shards: int) -> None:
    assert written(batches, shards, together=True) == written(batches, shards, together=False)
