# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The fence counts only when every server shows it and no writer is left."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError, TransportError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import fence
from tests.unit.front_fake import FakeFront, refusal


class Source:
    """Two coordinators and a DB-Server, each of which shows a new mode only after some questions."""

    def __init__(self) -> None:
        self.mode = "default"
        self.behind = {"CRDN-1": 0, "CRDN-2": 2, "PRMR-1": 4}
        self.queries: list[dict[str, Any]] = []
        self.transactions: list[dict[str, Any]] = []
        self.kills = 0
        self.away: list[str] = []
        self.fronts = {name: self._front(name) for name in ("CRDN-1", "CRDN-2")}
        self.servers = {"PRMR-1": self._front("PRMR-1")}

    def labels(self) -> dict[str, FakeFront]:
        """See ``topology.Source``."""
        return {**self.fronts, **self.servers}

    def unconnected(self) -> list[str]:
        """See ``topology.Source``."""
        return self.away

    def _front(self, name: str) -> FakeFront:
        front = FakeFront(name)
        front.on("GET None /_admin/server/mode", lambda **_o: {"mode": self._shown(name)})
        front.on("PUT None /_admin/server/mode", self._put)
        front.on("DELETE None /_api/transaction/write", self._kill)
        front.on("GET None /_api/query/current", lambda **_o: self.queries)
        front.on("GET None /_api/transaction", lambda **_o: {"transactions": self.transactions})
        return front

    def _shown(self, name: str) -> str:
        if self.mode == "readonly" and self.behind[name]:
            self.behind[name] -= 1
            return "default"
        return self.mode

    def _put(self, body: dict[str, str], **_options: Any) -> dict[str, str]:
        self.mode = body["mode"]
        return body

    def _kill(self, **_options: Any) -> dict[str, Any]:
        self.kills += 1
        if self.kills > 4:
            self.queries = [item for item in self.queries if not item.get("stubborn")]
            self.transactions = [item for item in self.transactions if item.get("reader")]
        return {}


def test_waits_until_every_server_shows_the_mode() -> None:
    """DB-Servers too: each learns it from its own heartbeat."""
    source = Source()
    assert fence.summary(fence.read_modes(source)) == "default"
    modes = fence.set_mode(source, "readonly", Deadline(10.0), pause=0.001)
    assert modes == {"CRDN-1": "readonly", "CRDN-2": "readonly", "PRMR-1": "readonly"}
    assert source.behind == {"CRDN-1": 0, "CRDN-2": 0, "PRMR-1": 0}


def test_a_server_that_does_not_follow_is_named() -> None:
    """The caller takes the way back then."""
    source = Source()
    source.behind["PRMR-1"] = 10**9
    with pytest.raises(CutoverError) as failed:
        fence.set_mode(source, "readonly", Deadline(0.1), pause=0.001)
    assert failed.value.code == "CUT-FENCE-1"
    assert "PRMR-1" in str(failed.value)


def test_a_silent_server_is_no_mode() -> None:
    """Neither this one nor the other."""
    source = Source()

    def silent(**_options: Any) -> None:
        raise refusal(503, 503)

    source.servers["PRMR-1"].on("GET None /_admin/server/mode", silent)
    with pytest.raises(CutoverError):
        fence.read_modes(source)
    with pytest.raises(CutoverError) as failed:
        fence.set_mode(source, "readonly", Deadline(0.1), pause=0.001)
    assert failed.value.code == "CUT-FENCE-1"


def test_i5_a_server_that_nobody_here_can_ask_is_no_mode_either() -> None:
    """The cluster says that it is there: it may take writes, and its queries are in no list."""
    source = Source()
    source.away = ["CRDN-3"]
    with pytest.raises(CutoverError, match="CRDN-3") as failed:
        fence.read_modes(source)
    assert (failed.value.code, failed.value.retriable) == ("CUT-FENCE-2", True)
    with pytest.raises(CutoverError, match="CRDN-3"):
        fence.set_mode(source, "readonly", Deadline(0.1), pause=0.001)
    fence.set_mode(source, "default", Deadline(5.0), pause=0.001)


@pytest.mark.parametrize(
    "error", [TransportError("CUT-HTTP-1", "connection refused", outcome_unknown=False), refusal(503, 0)]
)
def test_i6_giving_the_source_back_does_not_wait_for_a_server_that_is_down(error: CutoverError) -> None:
    """It learns the mode when it is back, also where a front-end answers for it; one that answers must show it."""
    source = Source()
    source.mode = "readonly"

    def down(**_options: Any) -> None:
        raise error

    source.servers["PRMR-1"].on("GET None /_admin/server/mode", down)
    assert fence.set_mode(source, "default", Deadline(5.0), pause=0.001) == {"CRDN-1": "default", "CRDN-2": "default"}
    with pytest.raises(CutoverError):
        fence.set_mode(source, "readonly", Deadline(0.1), pause=0.001)
    silent = Source()
    for server in silent.labels().values():
        server.on("GET None /_admin/server/mode", down)
    with pytest.raises(CutoverError):
        fence.set_mode(silent, "default", Deadline(0.1), pause=0.001)
    source.fronts["CRDN-2"].on("GET None /_admin/server/mode", lambda **_o: {"mode": "readonly"})
    with pytest.raises(CutoverError) as failed:
        fence.set_mode(source, "default", Deadline(0.1), pause=0.001)
    assert failed.value.code == "CUT-FENCE-1"


def test_another_coordinator_is_asked_when_one_refuses() -> None:
    """Setting is idempotent."""
    source = Source()

    def refuse(**_options: Any) -> None:
        raise refusal(400, 500, "couldn't set requested mode")

    source.fronts["CRDN-1"].on("PUT None /_admin/server/mode", refuse)
    fence.set_mode(source, "readonly", Deadline(10.0), pause=0.001)
    assert source.mode == "readonly"
    source.fronts["CRDN-2"].on("PUT None /_admin/server/mode", refuse)
    with pytest.raises(CutoverError) as failed:
        fence.set_mode(source, "default", Deadline(0.1), pause=0.001)
    assert failed.value.code == "CUT-FENCE-3"


def test_writers_are_cancelled_until_none_is_left() -> None:
    """A query whose kill takes a while; a version that says so, and one that shows only the text."""
    source = Source()
    source.queries = [
        {"id": "1", "query": "FOR d IN c insert d INTO e", "stubborn": True},
        {"id": "2", "query": "RETURN 1", "modificationQuery": True, "stubborn": True},
        {"id": "3", "query": "FOR d IN inserted RETURN d.UPDATED"},
    ]
    source.transactions = [{"id": "4", "state": "running"}]
    assert fence.cancel_writers(source, Deadline(10.0)) == 6
    assert source.kills > 4


def test_a_transaction_that_only_reads_survives() -> None:
    """The cancellation ends writers only; a reader cannot write later either."""
    source = Source()
    source.transactions = [{"id": "9", "state": "running", "reader": True}]
    assert fence.cancel_writers(source, Deadline(10.0)) == 0


def test_writers_that_do_not_end_are_named() -> None:
    """No opening over them."""
    source = Source()
    source.queries = [{"id": "77", "query": "REMOVE x IN c"}]
    with pytest.raises(CutoverError) as failed:
        fence.cancel_writers(source, Deadline(0.3))
    assert failed.value.code == "CUT-FENCE-4"
    assert "77" in str(failed.value)


def test_modes_that_differ_are_mixed() -> None:
    """And an unknown mode is refused."""
    assert fence.summary({"a": "default", "b": "readonly"}) == "mixed"
    with pytest.raises(CutoverError) as refused:
        fence.set_mode(Source(), "off", Deadline(1.0))
    assert refused.value.code == "CUT-SPEC-1"
