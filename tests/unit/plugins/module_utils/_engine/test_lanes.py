# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Servers that are followed, that are restarted, that come and go."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError, TransportError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.dataplane_types import Settings
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.findings import Findings
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.lanes import Lanes
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.ledger import Ledger
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.patience import Stopped, Troubles
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.server_watch import ServerWatch
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import (
    Shard,
    ShardBook,
    ShardId,
    ShardPlan,
)
from tests.unit.front_fake import FakeFront


class Router:
    """Remembers what it was told."""

    def __init__(self, ledger: Any = None) -> None:
        self.told: list[Any] = []
        self.ledger = ledger

    def know(self, shard: Any) -> None:
        self.told.append(shard.id.shard)

    def know_all(self, shards: Any) -> None:
        for shard in shards:
            self.know(shard)

    def ignore(self, name: Any) -> None:
        self.told.append(name)


@pytest.fixture
def lanes(tmp_path: Path) -> Lanes:
    book = ShardBook(tmp_path)
    book.add(ShardPlan(ShardId("d", "1", "s1"), "c", "c1/s1", "S1"))
    return Lanes(book, Troubles(), Settings(), 7, lambda name, patience, ledger: Router(ledger))  # type: ignore[arg-type,return-value]


def test_a_server_that_comes_later_knows_everything(lanes: Lanes) -> None:
    lanes.add("S1", None)  # type: ignore[arg-type]
    lanes.ignore((b"d", b"c2/s9"))
    lanes.add("S2", None)  # type: ignore[arg-type]
    router: Any = lanes.routers["S2"]
    assert router.told == [(b"d", b"c2/s9"), "s1"]


def boundary(lanes: Lanes, name: str) -> Any:
    """What the router of a server was told since the last call, at a batch boundary."""
    lanes.tailers[name]._run_controls()
    router: Any = lanes.routers[name]
    told, router.told = router.told, []
    return told


def test_what_is_ignored_already_costs_nothing_until_it_is_known_in_between(lanes: Lanes) -> None:
    """Definitions are read every few seconds, and each time hundreds of system collections are of no concern."""
    lanes.add("S1", None)  # type: ignore[arg-type]
    boundary(lanes, "S1")
    name = (b"d", b"s9")
    for _time in range(2):
        lanes.ignore(name)
    assert boundary(lanes, "S1") == [name]
    lanes.know([Shard(ShardPlan(ShardId("d", "2", "s9"), "c", "s9", "S1"), lanes._book._directory)])
    lanes.ignore(name)
    assert boundary(lanes, "S1") == ["s9", name], "it was migrated in between"


def test_idle_logs_of_many_servers_are_asked_less_often_together(lanes: Lanes) -> None:
    pauses = []
    for number in range(40):
        lanes.add(f"S{number}", None)  # type: ignore[arg-type]
        (pause,) = {tailer.idle_pause for tailer in lanes.tailers.values()}
        pauses.append(pause)
    assert pauses[:2] == [0.1, 0.2]
    assert pauses[5] == pytest.approx(0.6), "six servers: 10 requests a second in all"
    assert max(pauses) == 0.6, "the lag of a log that is seldom written stays below a second"
    for number in range(39):
        lanes.retire(f"S{number}")
    assert lanes.tailers["S39"].idle_pause == 0.1


def test_whose_log_matters(lanes: Lanes) -> None:
    """One that is down and leads nothing holds nobody up; one that leads does."""
    for name in ("S1", "S2"):
        lanes.add(name, None)  # type: ignore[arg-type]
    assert lanes.needed() == {"S1", "S2"}
    for tailer in lanes.tailers.values():
        tailer.reading.failed("connection refused")
    assert lanes.needed() == {"S1"}


def test_the_threads_of_a_server_that_is_let_go_end(lanes: Lanes) -> None:
    lanes.add("S1", None)  # type: ignore[arg-type]
    lanes.add("S2", None)  # type: ignore[arg-type]
    tailer, router = lanes.tailers["S2"], lanes.routers["S2"]
    tailer.ledger = Ledger(1)
    lanes.retire("S2")
    assert router.ledger() is tailer.ledger, "what it has just read goes its way"  # type: ignore[attr-defined]
    assert set(lanes.tailers) == set(lanes.routers) == set(lanes.servers) == {"S1"}
    with pytest.raises(Stopped):
        tailer.patience.check()
    lanes.tailers["S1"].patience.check()
    ticket = tailer.at_boundary(lambda: None)
    with pytest.raises(Stopped):
        tailer.run(None, Router())  # type: ignore[arg-type]
    assert ticket.wait(lanes.tailers["S1"].patience), "nobody waits for a boundary that does not come"


class Cluster:
    """DB-Servers with their rebootIds, and what the data path was told."""

    def __init__(self) -> None:
        self.reboots: dict[str, int | None] = {"S1": 1, "S2": 5}
        self.cleaned: list[str] | None = []
        self.problem: CutoverError | None = None
        self.events: list[Any] = []
        front = FakeFront("coordinator")
        front.on("GET None /_admin/cluster/numberOfServers", lambda **_o: {"cleanedServers": self.cleaned})
        self.source: Any = SimpleNamespace(coordinators=front, refresh=self._refresh, servers={}, unreached={})
        for name in self.reboots:
            self.add(name)
        self.findings = Findings()
        self.watch = ServerWatch(self.source, self, self.findings)  # type: ignore[arg-type]

    def add(self, name: str) -> None:
        front = FakeFront(name)
        front.on("GET None /_admin/status", lambda **_o: self._status(name))
        self.source.servers[name] = front

    def _status(self, name: str) -> Any:
        reboot = self.reboots[name]
        if reboot is None:
            raise TransportError("CUT-HTTP-1", "connection refused", outcome_unknown=False)
        return {"serverInfo": {"rebootId": reboot}}

    def _refresh(self) -> None:
        if self.problem is not None:
            raise self.problem

    def follow_servers(self, servers: Any) -> None:
        self.events.append(set(servers))

    def server_restarted(self, server: str, text: str) -> None:
        self.events.append(server)


def test_i3_a_restart_is_seen_by_the_reboot_id() -> None:
    cluster = Cluster()
    assert cluster.watch.begin({}) == set()
    cluster.reboots["S2"] = None
    cluster.watch.refresh()
    cluster.reboots["S2"] = 6
    cluster.watch.refresh()
    assert cluster.events == [{"S1", "S2"}, "S2", {"S1", "S2"}]
    cluster.watch.refresh()
    assert cluster.events[3:] == [{"S1", "S2"}], "once"


def test_i3_a_restart_while_no_agent_ran_is_seen_too() -> None:
    cluster = Cluster()
    assert cluster.watch.begin({"S1": 1, "S2": 4}) == {"S2"}
    assert cluster.watch.reboots == {"S1": 1, "S2": 5}
    cluster.reboots["S1"] = None
    assert cluster.watch.begin({"S1": 1}) == set(), "one that does not answer is judged when it does"
    cluster.reboots["S1"] = 2
    cluster.watch.refresh()
    assert "S1" in cluster.events


@pytest.mark.parametrize(("cleaned", "followed"), [(["S1"], {"S2"}), ([], {"S1", "S2"}), (None, {"S1", "S2"})])
def test_a_server_that_was_cleaned_out_is_not_followed(cleaned: list[str] | None, followed: set[str]) -> None:
    """Where the cluster tells (facts §12)."""
    cluster = Cluster()
    cluster.cleaned = cleaned
    cluster.watch.refresh()
    assert cluster.events == [followed]


def test_a_server_that_cannot_be_reached_from_here_is_told_until_it_is() -> None:
    """Nobody follows what it leads, and no other place would say why these shards never come into sync."""
    cluster = Cluster()
    cluster.source.unreached = {"S9": TransportError("CUT-HTTP-1", "S9: connection refused", outcome_unknown=False)}
    cluster.watch.refresh()
    (told,) = cluster.findings.all()
    assert (told["code"], told["where"], told["severity"]) == ("CUT-TOPO-9", "S9", "warning")
    assert "connection refused" in told["message"]
    cluster.source.unreached = {}
    cluster.watch.refresh()
    assert cluster.findings.all() == []


def test_a_server_that_must_not_be_connected_to_is_a_finding_until_it_may() -> None:
    cluster = Cluster()
    cluster.problem = CutoverError("CUT-TOPO-1", "S9 is at far.example")
    cluster.watch.refresh()
    assert [item["code"] for item in cluster.findings.blocking()] == ["CUT-TOPO-9"]
    assert cluster.events == [{"S1", "S2"}], "the others are followed all the same"
    cluster.problem = None
    cluster.watch.refresh()
    assert cluster.findings.all() == []
    cluster.problem = TransportError("CUT-HTTP-1", "connection refused", outcome_unknown=False)
    with pytest.raises(TransportError):
        cluster.watch.refresh()
    assert cluster.watch.missing(["S1", "S9"])
    assert not cluster.watch.missing(["S1"])
