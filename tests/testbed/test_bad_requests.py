# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bad requests of every kind get ArangoDB's error: never a traceback, a 500 without a number, a cut, or a hang."""

from __future__ import annotations

import json
import socket
import ssl
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.testbed import routing
from tests.testbed.client import Answer
from tests.testbed.inprocess import Direct, superuser
from tests.testbed.launch import TestCluster
from tests.testbed.routing import Route


def words(text: str) -> list[str]:
    """Words of a text."""
    return text.split()


INTERNAL = 4  # what a bug of the emulator is answered with
ROUTES: list[Route] = sorted(
    {entry for entry in routing.all_routes() if entry.method != "OPTIONS"},
    key=lambda entry: (entry.template, entry.method, sorted(entry.on)),
)
KNOWN = ("c", "e", "k1", "_system", "_users", "_graphs", "root", "1", "10045", "g", "s10075", "100", "dump-1", "true")
ODD = st.one_of(
    st.sampled_from([*KNOWN, "", "0", "-1", "00", "1e9", "99999999999999999999999", "null", "[]", "{}", "ü", "漢字"]),
    st.sampled_from(["a/b", "../x", "%", "%00", "\x00", "a b", "'", '"', "\\", "_", "*", "\ud7ff", "é" * 300, "💥"]),
    st.text(max_size=8),
)
PARAMETERS = words(
    "collection batchId chunkSize from to lastScanned syncerId serverId global ttl count details useEnvelope dbserver "
    "DBserver shards resume verification overwrite overwriteMode silent returnNew ignoreRevs isRestore onlyget type "
    "includeSystem waitForSync force mode number minimum user full withData withRevisions complete onDuplicate all"
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 1 << 70), st.floats(allow_nan=False), ODD),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(ODD, inner, max_size=3)),
    max_leaves=6,
)
FIELDS = words(
    "name type fields shards collections query bindVars batchSize ttl options parameters indexes _key _id _rev _from "
    "_to user username password passwd grant mode collection keyOptions shardKeys numberOfShards schema "
    "edgeDefinitions orphanCollections links properties features isSystem write read edge vertex id users extra active "
    "example newValue skip limit keys documents computedValues replicationFactor writeConcern from to "
    "distributeShardsLike"
)
OBJECTS = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4)
BODIES = st.one_of(
    st.just(b""),
    st.binary(max_size=12),
    st.builds(lambda value: json.dumps(value).encode(), st.one_of(JSON, OBJECTS, st.lists(OBJECTS, max_size=3))),
    st.sampled_from([b"{", b'{"a":', b"[1,", b'"\xff"', b"\xff\xfe{}", b"nul", b'{"a":1}{', b"[" * 5000, b"{}\n{}\n"]),
    st.builds(lambda value: json.dumps(value).encode()[:-1], OBJECTS),
)
HEADERS = st.dictionaries(
    st.sampled_from(
        words(
            "content-type accept content-encoding accept-encoding x-arango-async x-arango-trx-id if-match "
            "if-none-match x-arango-allow-dirty-read x-arango-endpoint x-arango-queue-time-seconds origin "
            "x-http-method-override x-arango-dump-auth-user x-arango-source cookie range host"
        )
    ),
    st.one_of(
        st.sampled_from(["application/json", "application/x-velocypack", "text/html", "application/x-dump; charset=x"]),
        st.sampled_from(["multipart/form-data; boundary=x", "application/x-velocypack; q=2", "*/*", "gzip", "deflate"]),
        st.sampled_from(["lz4", "store", "true", '"_abc"', "*", "1", "-1", "nan", "bytes=0-1", "e" * 5000]),
        ODD,
    ),
    max_size=3,
)


def prepared(**wishes: Any) -> Direct:
    """A deployment with a little of everything that requests can name."""
    direct = Direct(**wishes)
    direct("POST", "/_api/collection", {"name": "c"})
    direct("POST", "/_api/collection", {"name": "e", "type": 3})
    direct("POST", "/_api/document/c", [{"_key": "k1", "a": 1}, {"_key": "k2", "a": [1, {"b": None}]}])
    direct("POST", "/_api/document/e", {"_key": "k1", "_from": "c/k1", "_to": "c/k2"})
    graph = {"name": "g", "edgeDefinitions": [{"collection": "e", "from": ["c"], "to": ["c"]}]}
    direct("POST", "/_api/gharial", graph)
    return direct


def proper(answer: Answer) -> bool:
    """A success, or an error body as ArangoDB's; says what is wrong with another."""
    assert 200 <= answer.status < 600
    if answer.status < 400:
        return True
    body = answer.json
    assert body["error"] is True
    assert body["code"] == answer.status
    assert isinstance(body["errorMessage"], str)
    assert isinstance(body["errorNum"], int)
    assert body["errorNum"] != INTERNAL, body["errorMessage"]
    return True


def fill(template: str, texts: list[str]) -> str:
    """A path of a template, with texts in the places of its placeholders."""
    parts = []
    for number, segment in enumerate(template.split("/")):
        text = quote(texts[number % len(texts)], safe="", errors="replace")
        parts.append(text if segment.startswith("{") else segment)
    return "/".join(parts)


@pytest.mark.parametrize(
    ("flavour", "version"), [("selfhosted", "3.11.14"), ("selfhosted", "4.0"), ("single", "3.12.10")]
)
@settings(max_examples=700)
@given(
    entry=st.sampled_from(ROUTES),
    texts=st.lists(ODD, min_size=4, max_size=4),
    query=st.dictionaries(st.sampled_from(PARAMETERS), ODD, max_size=4),
    headers=HEADERS,
    body=BODIES,
    server=st.integers(0, 4),
)
def test_every_endpoint(
    flavour: str,
    version: str,
    entry: Route,
    texts: list[str],
    query: dict[str, str],
    headers: dict[str, str],
    body: bytes,
    server: int,
) -> None:
    with prepared(flavour=flavour, version=version) as direct:
        servers = [one for one in direct.deployment.servers.values() if one.role in entry.on]
        if not servers:
            return
        target = fill(entry.template, texts)
        if query:
            target += "?" + "&".join(f"{name}={quote(text, safe='', errors='replace')}" for name, text in query.items())
        login = superuser() if server % 2 else None
        asked = servers[server % len(servers)]
        assert proper(direct(entry.method, target, body, on=asked, headers=headers, login=login))


@settings(max_examples=300)
@given(text=st.one_of(ODD, st.text(max_size=40)), variables=OBJECTS)
@example("FOR d IN c RETURN", {})
@example("FOR d IN @@c RETURN d", {"@c": 5})
@example("RETURN " + "(" * 3000, {})
@example("RETURN " + "[" * 3000, {})
@example("RETURN 'a", {})
@example("RETURN 1/0", {})
@example("RETURN LENGTH()", {})
@example("FOR d IN nowhere RETURN d", {})
@example("RETURN 9999999999999999999999999999", {})
@example("FOR i IN 1..99999999999 LIMIT 1 RETURN i", {})
def test_every_query(text: str, variables: dict[str, Any]) -> None:
    with prepared() as direct:
        body = {"query": text, "bindVars": {name: value for name, value in variables.items() if name in "ab"}}
        if "@@c" in text:
            body["bindVars"] = variables
        assert proper(direct("POST", "/_api/cursor", body))


WORDS = st.sampled_from(
    words(
        "FOR IN RETURN FILTER SORT LIMIT COLLECT WITH COUNT INTO AGGREGATE LET INSERT UPDATE REPLACE REMOVE UPSERT "
        "OPTIONS AND OR NOT NULL TRUE d c e d._key d.a 1 2.5 'x' ( ) [ ] { } , : == != < > <= + - * / % @a @@b ?: .. "
        "ASC DESC KEEP "
        'LENGTH( SUM( DOCUMENT( NEW OLD d[*] d[0] `c` "y" // /* */ LIKE ANY ALL DISTINCT'
    )
)


@settings(max_examples=500)
@given(words=st.lists(WORDS, min_size=1, max_size=14))
def test_every_sentence_of_aql(words: list[str]) -> None:
    with prepared() as direct:
        query = "FOR d IN c " + " ".join(words)
        assert proper(direct("POST", "/_api/cursor", {"query": query, "bindVars": {"a": 1, "@b": "c"}}))
        assert proper(direct("POST", "/_api/query", {"query": query}))


@settings(max_examples=200)
@given(name=st.one_of(ODD, st.text(min_size=1, max_size=30)), version=st.sampled_from(["3.11.14", "3.12.10"]))
def test_odd_names_are_refused_or_work(name: str, version: str) -> None:
    path = quote(name, safe="", errors="replace")
    with Direct(version=version) as direct:
        answer = direct("POST", "/_api/collection", {"name": name})
        assert proper(answer)
        if answer.status == 200:
            assert direct("POST", f"/_api/document/{path}", {"_key": "a"}).status == 202
            assert direct("GET", f"/_api/document/{path}/a").json["_id"] == f"{name}/a"
            assert direct("DELETE", f"/_api/collection/{path}").status == 200
        answer = direct("POST", "/_api/database", {"name": name})
        assert proper(answer)
        if answer.status == 201:
            assert direct("GET", f"/_db/{path}/_api/database/current").json["result"]["name"] == name
            assert direct("DELETE", f"/_api/database/{path}").status == 200
        answer = direct("POST", "/_api/user", {"user": name, "passwd": name})
        assert proper(answer)


@settings(max_examples=200)
@given(key=st.one_of(ODD, st.text(min_size=1, max_size=300)))
def test_odd_keys_are_refused_or_work(key: str) -> None:
    with Direct() as direct:
        direct("POST", "/_api/collection", {"name": "c"})
        answer = direct("POST", "/_api/document/c", {"_key": key})
        assert proper(answer)
        if answer.status == 202:
            assert direct("GET", f"/_api/document/c/{quote(key, safe='')}").json["_key"] == key


@settings(max_examples=150)
@given(
    login=st.one_of(
        st.text(max_size=40), st.sampled_from(["Basic", "Basic !", "bearer a.b.c", "bearer ...", "Basic Og=="])
    )
)
def test_odd_logins(login: str) -> None:
    with Direct() as direct:
        answer = direct("GET", "/_api/version", login=login or " ")
        assert answer.status == 401
        assert proper(answer)


def _raw(cluster: TestCluster, data: bytes) -> bytes:
    """What a server answers to bytes, until it closes or goes silent for a second."""
    parts = urlsplit(cluster.coordinators[0])
    context = ssl.create_default_context(cafile=str(cluster.ca_path))
    with (
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=parts.hostname) as connection,
    ):
        connection.sendall(data)
        connection.settimeout(10)
        received = b""
        while b"\r\n\r\n" not in received:
            piece = connection.recv(65536)
            if not piece:
                break
            received += piece
        return received


HEAD = b"GET /_api/version HTTP/1.1\r\nhost: x\r\n"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (HEAD + b"x: " + b"a" * (2 << 20) + b"\r\n\r\n", 431),
        (HEAD + b"x: y\r\n" * 400_000 + b"\r\n", 431),
        (b"GET /" + b"a" * (2 << 20) + b" HTTP/1.1\r\n\r\n", 431),
        (HEAD + b"content-length: 99999999999\r\n\r\n", 413),
        (HEAD + b"content-length: 1, 2\r\n\r\n", 400),
        (HEAD + b"content-length: \xb2\r\n\r\n", 400),
        (HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n", 400),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n-5\r\n", 400),
        (HEAD + b" folded: x\r\n\r\n", 400),
        (HEAD + b"na me: x\r\n\r\n", 400),
        (b"GET /_api/version HTTP/3.0\r\n\r\n", 400),
        (b"get /_api/version HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01 nonsense\r\n\r\n", 400),
        (b"GET \xff\xfe HTTP/1.1\r\n\r\n", 401),
        (b"GET http:// HTTP/1.1\r\n\r\n", 401),
        (b"BREW /_api/version HTTP/1.1\r\n\r\n", 401),
    ],
)
def test_bad_framing(cluster: TestCluster, data: bytes, status: int) -> None:
    head, _blank, rest = _raw(cluster, data).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), head[:100]
    if rest:
        assert json.loads(rest)["code"] == status


def test_the_server_is_fine_after_all_this(cluster: TestCluster) -> None:
    assert _raw(cluster, HEAD + b"\r\n").startswith(b"HTTP/1.1 401 ")
    assert "Traceback" not in (cluster.ca_path.parent / "log").read_text()
