# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An answer that was cut off is no value for the workload: nobody knows what came of the request."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from arango.http import DefaultHTTPClient
from arango.response import Response

from tests.workload.clients import Connection
from tests.workload.router import Router, UnknownOutcomeError

WHOLE = '{"mode": "default"}'


def router(monkeypatch: pytest.MonkeyPatch, body: str, kind: str = "application/json; charset=utf-8") -> Router:
    """One whose source answers everything with this body and status 200."""

    def answer(*_args: object, **_kwargs: object) -> Response:
        return Response("get", "https://x/", {"content-type": kind}, 200, "OK", body)

    monkeypatch.setattr(DefaultHTTPClient, "send_request", answer)
    return Router(Connection(["https://127.0.0.1:1"], Path(__file__), "root", ""), None, threading.Event())


def test_a_whole_answer_is_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    assert router(monkeypatch, WHOLE).write("_system", lambda system: system.mode()) == ("source", "default")


def test_an_answer_that_was_cut_off_is_of_unknown_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownOutcomeError, match="does not end"):
        router(monkeypatch, WHOLE[:-7]).write("_system", lambda system: system.mode())


def test_what_is_no_json_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert router(monkeypatch, "metrics 1", "text/plain").write("_system", lambda _system: 1) == ("source", 1)
