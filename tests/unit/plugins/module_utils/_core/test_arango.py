# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ArangoDB's answers: JSON, errors, pages of proxies, and fail-over between coordinators."""

from __future__ import annotations

import json
import socket
from typing import Callable

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core import arango
from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline
from ansible_collections.cutover.arangodb.plugins.module_utils._core.endpoint import parse_endpoint
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import ArangoError, TransportError
from ansible_collections.cutover.arangodb.plugins.module_utils._core.http import HttpClient
from tests.unit.plugins.module_utils._core.scripted_server import Reply, Request, ScriptedServer, answer


def refusal(status: int, number: int, message: str = "why") -> bytes:
    body = {"error": True, "code": status, "errorNum": number, "errorMessage": message}
    return answer(json.dumps(body).encode(), status, {"Content-Type": "application/json"})


def server_for(url: str, timeout: float = 3.0) -> arango.Server:
    client = HttpClient(parse_endpoint(url, "x"), timeout=timeout, authorization=arango.basic_auth("root", "geheim-12"))
    return arango.Server(client, f"target coordinator {url}")


def failing(raw: bytes) -> ArangoError:
    with ScriptedServer(lambda _request: Reply(raw)) as server, pytest.raises(ArangoError) as caught:
        server_for(server.url).request("GET", "/_api/x", database="d")
    return caught.value


def test_paths_queries_and_bodies() -> None:
    raw = answer(b'{"a":1}', headers={"x-arango-queue-time-seconds": "2"})
    with ScriptedServer(lambda _request: Reply(raw)) as one:
        server = server_for(one.url)
        query = {"b": True, "n": 5, "o": None, "s": "a b"}
        assert server.json("PUT", "/_api/x", database="d/ü", query=query) == {"a": 1}
        server.request("POST", "/_api/y", body={"ä": [1, None]})
        server.request("POST", "/_api/z", body=b"raw")
        server.request("POST", "/_api/z", data=[b"[", b"1", b"]"], headers={"Content-Type": "application/json"})
        assert server.queue_time == 2.0
    first, second, third, fourth = one.requests
    assert first.target == "/_db/d%2F%C3%BC/_api/x?b=true&n=5&s=a+b"
    assert first.headers["authorization"] == "Basic cm9vdDpnZWhlaW0tMTI="
    assert (second.body, second.headers["content-type"]) == ('{"ä":[1,null]}'.encode(), "application/json")
    assert (third.body, "content-type" in third.headers) == (b"raw", False)
    assert fourth.body == b"[1]"


def test_names_are_normalised() -> None:
    assert arango.segment("u\u0308/%") == "%C3%BC%2F%25"


def test_an_empty_answer_is_none() -> None:
    with ScriptedServer(lambda _request: Reply(b"HTTP/1.1 204 X\r\n\r\n")) as one:
        assert server_for(one.url).json("PUT", "/x") is None


@pytest.mark.parametrize(
    ("raw", "code", "kind", "retriable"),
    [
        (refusal(503, 21003), "CUT-ARANGO-1", "transient", True),
        (refusal(403, 1004), "CUT-ARANGO-2", "longer", True),
        (refusal(401, 11), "CUT-ARANGO-3", "operator", False),
        (refusal(403, 11), "CUT-ARANGO-4", "operator", False),
        (refusal(500, 32), "CUT-ARANGO-5", "operator", False),
        (refusal(404, 1203), "CUT-ARANGO-6", "fatal", False),
        (answer(b"", 401, {"Server": "ArangoDB"}), "CUT-ARANGO-3", "operator", False),
        (answer(b"<html>login</html>", 403, {"Content-Type": "text/html"}), "CUT-ARANGO-7", "operator", False),
        (answer(b"<html>bad gateway</html>", 502, {"Content-Type": "text/html"}), "CUT-ARANGO-1", "transient", True),
        (answer(b'{"message":"no route"}', 404), "CUT-ARANGO-7", "fatal", False),
        (answer(b"", 302, {"Location": "https://login.example/"}), "CUT-ARANGO-7", "fatal", False),
    ],
)
def test_error_answers(raw: bytes, code: str, kind: str, retriable: bool) -> None:
    error = failing(raw)
    assert (error.code, error.kind, error.retriable) == (code, kind, retriable)
    assert "GET /_db/d/_api/x" in error.message
    assert error.url.endswith("/_db/d/_api/x")


def test_an_errors_message_names_everything_but_no_secret() -> None:
    error = failing(refusal(409, 1210, "conflict near geheim-12 " + "x" * 5000))
    assert (error.status, error.error_num, error.method) == (409, 1210, "GET")
    assert "errorNum 1210" in error.message
    assert "geheim-12" not in error.message
    assert len(error.message) < 800


def test_a_page_instead_of_json() -> None:
    page = answer(b"<html>", headers={"Content-Type": "text/html"})
    with ScriptedServer(lambda _request: Reply(page)) as one, pytest.raises(ArangoError) as caught:
        server_for(one.url).json("GET", "/_api/version")
    assert caught.value.code == "CUT-ARANGO-7"
    assert "text/html" in caught.value.message


def test_json_that_breaks_off_is_no_answer() -> None:
    """It may be asked for again; whether a request that writes has run is not known from it."""
    cut = answer(b'{"tick":"17', headers={"Content-Type": "application/json; charset=utf-8"})
    with ScriptedServer(lambda _request: Reply(cut)) as one, pytest.raises(TransportError) as caught:
        server_for(one.url).json("GET", "/_api/wal/lastTick")
    assert (caught.value.code, caught.value.retriable, caught.value.outcome_unknown) == ("CUT-HTTP-4", True, True)


def test_errors_can_be_left_to_the_caller() -> None:
    with ScriptedServer(lambda _request: Reply(refusal(404, 1203))) as one:
        assert server_for(one.url).request("GET", "/x", raise_for=False).status == 404


def unused_url() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def good(_request: Request) -> Reply:
    return Reply(answer())


def test_a_coordinator_that_is_away_is_left_for_good() -> None:
    with ScriptedServer(good) as alive:
        both = arango.Coordinators([server_for(unused_url()), server_for(alive.url)])
        both.json("POST", "/w", body={})
        both.json("POST", "/w", body={})
        assert both.current.url == alive.url
        assert both.label == f"target coordinator {alive.url}"
        assert [server.url for server in both.each()][1] == alive.url


@pytest.mark.parametrize(
    ("script", "method", "idempotent", "moves"),
    [
        (lambda _request: Reply(b"", close=True), "POST", None, False),
        (lambda _request: Reply(b"", close=True), "POST", True, True),
        (lambda _request: Reply(b"", close=True), "GET", None, True),
        (lambda _request: Reply(refusal(503, 503)), "POST", None, True),
        (lambda _request: Reply(refusal(503, 30)), "POST", None, False),
        (lambda _request: Reply(refusal(409, 1210)), "POST", True, False),
        (lambda _request: Reply(answer(b"<html>", 502)), "POST", None, False),
        (lambda _request: Reply(answer(b"<html>", 502)), "GET", None, True),
    ],
)
def test_fail_over_only_if_nothing_can_run_twice(
    script: Callable[[Request], Reply], method: str, idempotent: bool | None, moves: bool
) -> None:
    with ScriptedServer(script) as bad, ScriptedServer(good) as alive:
        both = arango.Coordinators([server_for(bad.url), server_for(alive.url)])
        if moves:
            both.request(method, "/w", idempotent=idempotent)
        else:
            with pytest.raises((TransportError, ArangoError)):
                both.request(method, "/w", idempotent=idempotent)
    assert len(alive.requests) == int(moves)


def test_the_last_error_is_raised_when_all_have_failed() -> None:
    urls = [unused_url(), unused_url()]
    both = arango.Coordinators([server_for(url) for url in urls])
    with pytest.raises(TransportError) as caught:
        both.request("GET", "/")
    assert caught.value.details["endpoint"] == urls[1]
    both.close()


def test_a_cluster_has_coordinators() -> None:
    with pytest.raises(ValueError, match="at least one"):
        arango.Coordinators([])


def test_a_deadline_is_for_all_coordinators_together() -> None:
    """The time that a hanging one has taken is not given to the next one again."""
    raw = answer(b'{"a":1}')
    with ScriptedServer(lambda _request: Reply(raw)) as alive, socket.create_server(("127.0.0.1", 0)) as hanging:
        silent = f"http://127.0.0.1:{hanging.getsockname()[1]}"
        both = arango.Coordinators([server_for(silent), server_for(alive.url)])
        assert both.json("GET", "/x", timeout=0.3) == {"a": 1}
        both = arango.Coordinators([server_for(silent), server_for(alive.url)])
        with pytest.raises(TransportError):
            both.json("GET", "/x", deadline=Deadline(0.3))
        assert len(alive.requests) == 1
