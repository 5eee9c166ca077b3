# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Copying a group of shards: spool, position and snapshot in this order, lost snapshots, sweeps that are due."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import (
    ArangoError,
    CutoverError,
    TransportError,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._core.http import Response
from ansible_collections.cutover.arangodb.plugins.module_utils._core.retry import kind
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.brake import Brake
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.copier import Copiers
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.dataplane_types import Settings
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.load import PRESETS
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.patience import Patience, Troubles
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import (
    Shard,
    ShardBook,
    ShardId,
    ShardPlan,
    ShardState,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.snapshot import SnapshotLostError, Snapshots


def refused(status: int, number: int) -> ArangoError:
    return ArangoError(
        "CUT-ARANGO-6", "refused", status=status, error_num=number, method="GET", url="", kind=kind(status, number, "")
    )


class FakeServer:
    """A DB-Server with a log that grows at each look, and snapshots; `script` holds the answers about documents."""

    label = "S1"

    def __init__(self, events: list[str]) -> None:
        self.events = events
        self.tick = 100
        self.script: list[bytes | CutoverError] = []
        self.old = False

    def json(self, method: str, path: str, **options: Any) -> Any:
        if path == "/_api/replication/batch":
            self.events.append("snapshot")
            return {"id": "7"}
        self.tick += 10
        self.events.append("position")
        return {"tick": str(self.tick), "server": {"serverId": "1"}}

    def request(self, method: str, path: str, **options: Any) -> Response:
        if path == "/_api/dump/start":
            if self.old:
                raise refused(404, 404)
            self.events.append("snapshot")
            return Response(201, {"x-arango-dump-id": "5"}, b"")
        if method == "DELETE":
            self.events.append("freed")
            return Response(200, {}, b"")
        self.events.append("documents")
        return self._answer(self.script.pop(0) if self.script else b"")

    def _answer(self, step: bytes | CutoverError) -> Response:
        if isinstance(step, CutoverError):
            raise step
        headers: Mapping[str, str] = {"x-arango-dump-shard-id": "s2", "x-arango-replication-checkmore": "true"}
        return Response(200 if step else 204, headers, step)


class Immediately:
    """Stands for the tailer and its tickets."""

    server_id = "S1"

    def __init__(self, server: FakeServer, patience: Patience) -> None:
        self.server = server
        self.patience = patience

    def at_boundary(self, action: Callable[[], None]) -> Immediately:
        action()
        return self

    def wait(self, *arguments: Any) -> bool:
        return True


class World:
    """Copiers of one server without their threads; what happens is a list of words."""

    def __init__(self, directory: Path, *, empty: bool = True) -> None:
        self.events: list[str] = []
        self.server = FakeServer(self.events)
        self.restored: list[bytes] = []
        self.patience = Patience(threading.Event(), Troubles(), 0.001)
        self.book = ShardBook(directory)
        plan = ShardPlan(ShardId("d", "1", "s2"), "c", "s2", "S1", first_copy_into_empty=empty)
        self.shard: Shard = self.book.add(plan)
        self.tailer = Immediately(self.server, self.patience)
        self.brake = Brake()
        self.brake.tune(PRESETS["gentle"])
        self.copiers = Copiers(
            self.book,
            {"S1": self.tailer},  # type: ignore[dict-item]
            lambda shard: self.events.append("spool"),
            self,  # type: ignore[arg-type]
            None,  # type: ignore[arg-type]
            self.brake,
            Settings(),
            lambda shard: self.events.append("copied"),
            lambda shard, error: None,
        )

    def restore(self, plan: ShardPlan, body: bytes) -> None:
        self.restored.append(body)

    def copy(self) -> None:
        self.copiers._copy(self.tailer, [self.shard])  # type: ignore[arg-type]


def test_i3_spool_then_position_then_snapshot(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.server.script = [b'{"_key":"a"}\n']
    world.copy()
    assert world.events == ["spool", "position", "snapshot", "documents", "documents", "freed", "copied"]
    assert world.shard.start_tick == 110
    assert world.restored == [b'{"_key":"a"}\n']


def test_i3_a_repeated_copy_keeps_its_first_position(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.server.script = [b'{"_key":"a"}\n', refused(404, 1600)]
    with pytest.raises(SnapshotLostError):
        world.copy()
    assert world.shard.state is ShardState.COPYING
    world.copy()
    assert world.shard.start_tick == 110, "its spool holds everything since then"
    assert world.events.count("spool") == 1
    assert world.shard.state is ShardState.CATCHING_UP


@pytest.mark.parametrize("empty", [True, False])
def test_i3_a_copy_into_what_may_hold_something_is_swept(tmp_path: Path, empty: bool) -> None:
    world = World(tmp_path, empty=empty)
    world.copy()
    assert world.shard.sweep_first is not empty


def test_i3_a_lost_answer_of_the_old_dump_is_not_asked_for_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.server.old = True
    world.server.script = [b'{"_key":"a"}\n', TransportError("CUT-HTTP-4", "no answer", outcome_unknown=True)]
    server: Any = world.server
    snapshot = Snapshots(1000).open("S1", server, "d", ["s2"], world.patience)
    batches = snapshot.batches()
    assert next(batches).body == b'{"_key":"a"}\n'
    with pytest.raises(SnapshotLostError):
        next(batches)


def test_a_batch_and_the_document_that_ends_it_fit_into_a_request(tmp_path: Path) -> None:
    world = World(tmp_path)
    asked: list[int] = []
    request = world.server.request

    def noted(method: str, path: str, **options: Any) -> Response:
        if path == "/_api/dump/start":
            asked.append(options["body"]["batchSize"])
        return request(method, path, **options)

    world.server.request = noted  # type: ignore[method-assign]
    world.copy()
    (size,) = asked
    assert 0.9 * Settings().batch_bytes < size < Settings().batch_bytes - 100_000


class Body(bytes):
    """Knows how many of it there are."""

    there = 0

    def __init__(self, _text: bytes) -> None:
        Body.there += 1

    def __del__(self) -> None:
        Body.there -= 1


@pytest.mark.parametrize("old", [True, False])
def test_nothing_of_a_batch_is_kept_while_the_next_one_is_read(tmp_path: Path, old: bool) -> None:
    world = World(tmp_path)
    world.server.old = old
    kept: list[int] = []
    left = 3

    def answer(_step: bytes | CutoverError) -> Response:
        nonlocal left
        kept.append(Body.there)
        left -= 1
        headers = {"x-arango-dump-shard-id": "s2", "x-arango-replication-checkmore": "true"}
        return Response(200, headers, Body(b'{"_key":"a"}\n')) if left else Response(204, {}, b"")

    world.server._answer = answer  # type: ignore[method-assign]
    world.restore = lambda plan, body: None  # type: ignore[method-assign]
    world.copy()
    assert kept == [0, 0, 0]


def test_a_lost_answer_of_the_new_dump_is_asked_for_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.server.script = [TransportError("CUT-HTTP-4", "no answer", outcome_unknown=True), b'{"_key":"a"}\n']
    world.copy()
    assert world.restored == [b'{"_key":"a"}\n']
