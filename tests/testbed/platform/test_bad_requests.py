# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bad requests of every kind get the platform's error: never a traceback, a 500, or a hang."""

from __future__ import annotations

import json
import socket
import ssl
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.testbed.client import Answer
from tests.testbed.platform import messages, routing, scalars
from tests.testbed.platform.errors import HTTP_STATUS, Code, PlatformError
from tests.testbed.platform.inprocess import DirectPlatform
from tests.testbed.platform.launch import TestPlatform
from tests.testbed.platform.roles import ROLES, SINGLE
from tests.testbed.platform.routing import Method
from tests.testbed.platform.schema import Message, Style

METHODS: list[Method] = sorted(routing.METHODS, key=lambda one: (one.template, one.verb))
KNOWN = ("prj1", "org1", "gcp-us-west2", "all", "cert", "DEPLOYMENT", "BACKUP", "LIST", "KEY", "sharded", "dp30")
ODD = st.one_of(
    st.sampled_from(
        [*KNOWN, "", "0", "-1", "1e9", "99999999999999999999", "null", "ü", "漢字", "%", "a/b", "..", "\x00"]
    ),
    st.sampled_from(["1h", "3600s", "2026-11-23T08:00:00Z", "9999-12-31T23:59:59.999999999Z", "0001-01-01T00:00:00Z"]),
    st.text(max_size=8),
)
FIELDS = sorted({name for kind in vars(messages).values() if isinstance(kind, Message) for name in kind.fields})
PATHS = sorted({f"{one}.{two}" for one in ("options", "status", "servers") for two in ("page", "page_size", "x")})
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(1 << 70), 1 << 70), st.floats(), ODD),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3)),
    max_leaves=6,
)


def body_for(kind: Message) -> st.SearchStrategy[bytes]:
    """Objects with the message's own names, and other things."""
    names = st.sampled_from(sorted(kind.fields) or ["x"])
    fit = st.dictionaries(names, JSON, max_size=4).map(lambda value: json.dumps(value).encode())
    broken = st.sampled_from([b"{", b"[1,", b'"\xff"', b"\xff\xfe{}", b"nul", b"[" * 5000, b'{"a":' * 5000, b"{}{}"])
    return st.one_of(fit, JSON.map(lambda value: json.dumps(value).encode()), broken, st.binary(max_size=12))


def prepared() -> DirectPlatform:
    """A platform with a little of everything that requests can name."""
    direct = DirectPlatform([{}, {"name": "small", "model": "free"}], {"roles": [*ROLES, *SINGLE]}, time_scale=0)
    direct("POST", f"/api/backup/v1/deployment/{direct.deployment}/backup", {"name": "x", "upload": True})
    direct.fault("allowlist", ranges=["192.0.2.0/24"])
    direct.fault("notify", text="hello")
    direct.fault("organization", audit_log=True)
    return direct


def proper(answer: Answer) -> bool:
    """A success, or an error as the platform's; says what is wrong with another."""
    if answer.status == 200:
        return True
    if answer.headers["content-type"].startswith("text/plain"):
        assert answer.status in (404, 405)
        return True
    body = answer.json
    if isinstance(body["error"], dict):  # of a stream
        assert body["error"]["grpc_code"] not in (Code.INTERNAL, Code.UNKNOWN)
        return True
    assert body["error"] == body["message"]
    assert body["code"] not in (Code.INTERNAL, Code.UNKNOWN), body["message"]
    assert HTTP_STATUS[Code(body["code"])] == answer.status
    return True


@settings(max_examples=1200)
@given(data=st.data(), entry=st.sampled_from(METHODS))
def test_every_call(data: st.DataObject, entry: Method) -> None:
    with prepared() as direct:
        known = {
            "DEPLOYMENT": direct.deployment,
            "BACKUP": next(iter(direct.world.backups)),
            "LIST": next(iter(direct.world.allowlists)),
            "KEY": next(iter(direct.world.keys.all)),
            "cert": next(iter(direct.world.certificates)),
        }
        path = ""
        for segment in entry.template.split("/")[1:]:
            text = data.draw(ODD) if segment.startswith("{") else segment
            path += "/" + quote(known.get(text, text), safe="", errors="replace")
        query = data.draw(st.dictionaries(st.sampled_from([*sorted(entry.request.fields), *PATHS]), ODD, max_size=4))
        if query:
            path += "?" + "&".join(f"{name}={quote(text, safe='', errors='replace')}" for name, text in query.items())
        body = data.draw(body_for(entry.request)) if entry.body else b""
        for name, text in known.items():
            body = body.replace(name.encode(), text.encode())
        assert proper(direct(entry.verb, path, body))
        assert proper(direct("GET", f"/api/data/v1/deployments/{direct.deployment}"))
        direct.loop.run_until_complete(direct.world.clock.advance(1.0))


@settings(max_examples=300)
@given(path=st.text(max_size=30), verb=st.sampled_from(["GET", "POST", "PUT", "HEAD", "OPTIONS", "TRACE"]))
@example("/api/data/v1/deployments/", "GET")
@example("//", "GET")
def test_odd_paths(path: str, verb: str) -> None:
    with DirectPlatform() as direct:
        assert proper(direct(verb, "/" + quote(path, errors="replace")))


@settings(max_examples=300)
@given(form=st.one_of(st.binary(max_size=40), st.sampled_from([b"secret=" + b"x" * 70000, b"a&b&c", b"secret=%ff%"])))
def test_odd_forms(form: bytes) -> None:
    with DirectPlatform() as direct:
        key = next(iter(direct.world.keys.all))
        headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
        answer = direct("POST", f"/api/iam/v1/apikeys/{key}/authenticate", form, headers=headers)
        assert answer.json["code"] in (Code.UNAUTHENTICATED, Code.INVALID_ARGUMENT)


@given(seconds=st.floats(-62e9, 253e9))
def test_times_come_back_as_they_were_written(seconds: float) -> None:
    style = Style(skew=-12.5)
    text = style.write(messages.BACKUP, {"created_at": seconds}).get("created_at")
    if text is not None:
        assert abs(style.read(messages.BACKUP, {"created_at": text})["created_at"] - seconds) < 1e-3


@given(text=st.text(max_size=12), kind=st.sampled_from(["int32", "int64", "float", "timestamp", "duration", "bool"]))
def test_texts_are_values_or_refused(text: str, kind: str) -> None:
    for read in (scalars.read, scalars.parse):
        try:
            value = read(kind, "field", text)
        except PlatformError as error:
            assert error.code is Code.INVALID_ARGUMENT
        else:
            assert isinstance(value, (int, float))


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /api/iam/v1/api-version HTTP/1.1\r\nbad header\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxx\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * (3 << 20) + b"\r\n\r\n", 431),
    ],
)
def test_bad_framing_is_plain_text(platform: TestPlatform, head: bytes, status: int) -> None:
    parts = urlsplit(platform.url)
    context = ssl.create_default_context(cafile=str(platform.ca_path))
    with (
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60) as plain,
        context.wrap_socket(plain, server_hostname=parts.hostname) as connection,
    ):
        connection.sendall(head)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    top, _end, body = received.partition(b"\r\n\r\n")
    assert int(top[9:12]) == status
    assert b"text/plain" in top
    assert body.startswith(str(status).encode())


def test_every_route_has_its_own_name() -> None:
    names: list[Any] = [(one.verb, one.template) for one in METHODS]
    assert len(set(names)) == len(names)
