# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The facade before anything was started, and the form of the status document."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import states
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.engine import Engine, EngineConfig
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.files import write_json
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.spec import parse

REQUEST: dict[str, Any] = {
    "source_endpoints": ["https://127.0.0.1:1"],
    "target_endpoints": ["https://127.0.0.1:2"],
    "target_password": "a very secret password",
}
# Design §9: the status document.
KEYS = (
    "schema", "migration", "at", "age_seconds", "state", "since", "pause", "waiting", "reason", "allowed_actions",
    "progress", "replication", "shards", "verification", "throttle", "cutover", "source", "target", "workers",
    "problems", "limits", "totals", "links",
)  # fmt: skip


def make(directory: Path, **changes: Any) -> Engine:
    """An engine without a migration."""
    return Engine(EngineConfig(directory / "state", directory / "secret", **changes))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Closed afterwards."""
    made = make(tmp_path)
    yield made
    made.close(5.0)


def test_before_anything_is_started(engine: Engine) -> None:
    """Every question has an answer; nothing can be stopped, aborted or paused."""
    engine.recover()
    document = engine.status()
    assert set(KEYS) <= set(document)
    assert (document["state"], document["allowed_actions"]) == (states.INACTIVE, ["start"])
    assert engine.findings() == []
    assert engine.report() is None
    assert engine.shards({}) == {"shards": [], "total": 0}
    for call in (engine.stop, engine.abort, engine.pause, engine.resume, lambda _options: engine.server_mode()):
        with pytest.raises(CutoverError) as refused:
            call({})
        assert refused.value.code == "CUT-STATE-1"


def test_an_engine_that_has_nothing_to_do_goes_on_looking(engine: Engine) -> None:
    """Otherwise its age would look like that of an agent that does not get on, to alert rules and people."""
    first = engine.status()["at"]
    deadline = time.monotonic() + 60
    while engine.status()["at"] == first:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert engine.status()["state"] == states.INACTIVE


def test_sources_and_targets_are_pinned_by_the_configuration(tmp_path: Path) -> None:
    """Whoever may name a target may take all data."""
    for name in ("source", "target"):
        engine = make(tmp_path, **{f"allowed_{name}s": ["other.example"]})
        try:
            with pytest.raises(CutoverError) as refused:
                engine.start(REQUEST)
            assert (refused.value.code, refused.value.details["field"]) == ("CUT-SPEC-5", f"{name}_endpoints")
        finally:
            engine.close(5.0)


def test_the_state_directory_belongs_to_one_process(engine: Engine, tmp_path: Path) -> None:
    """And is free again after closing."""
    with pytest.raises(CutoverError) as refused:
        make(tmp_path)
    assert refused.value.code == "CUT-STATE-6"
    engine.close(5.0)
    make(tmp_path).close(5.0)


def test_a_migration_whose_clusters_are_away_waits_and_answers(tmp_path: Path) -> None:
    """After a restart: never failed, status at once, no secret in it."""
    (tmp_path / "secret").write_text("0123456789abcdef")
    document = {"request": parse(REQUEST).as_request(), "state": states.RUNNING, "since": "2026-01-01T00:00:00.000Z"}
    write_json(tmp_path / "state" / "migration.json", document)
    engine = make(tmp_path)
    try:
        engine.recover()
        deadline = time.monotonic() + 10
        while engine.status()["waiting"]["for"] is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        began = time.monotonic()
        status = engine.status()
        assert time.monotonic() - began < 0.1
        assert status["state"] == states.RUNNING
        assert "127.0.0.1:1" in status["waiting"]["for"]
        assert "very secret" not in json.dumps(status)
        assert "abort" in status["allowed_actions"]
        with pytest.raises(CutoverError) as refused:
            engine.stop({})
        assert refused.value.code == "CUT-GATE-1"
    finally:
        began = time.monotonic()
        engine.close(5.0)
        assert time.monotonic() - began < 5.0


@pytest.mark.parametrize(
    ("left", "goes_on"),
    [
        ({}, True),  # killed before it knew what is left
        ({"finished": False, "late_indexes": {"pending": 0, "built": 0, "failed": 0}}, True),
        ({"finished": True, "late_indexes": {"pending": 0, "built": 1, "failed": 0}}, False),
    ],
)
def test_a_completed_migration_goes_on_where_something_is_left_to_do(
    tmp_path: Path, left: dict[str, object], goes_on: bool
) -> None:
    """Indexes to build, users who could not be opened yet: a restart goes on unless nothing is known to be left."""
    (tmp_path / "secret").write_text("0123456789abcdef")
    document = {"request": parse(REQUEST).as_request(), "state": states.COMPLETED, "since": "2026-01-01T00:00:00.000Z"}
    write_json(tmp_path / "state" / "migration.json", {**document, **left})
    engine = make(tmp_path)
    try:
        engine.recover()
        assert engine._migration is not None
        assert engine._migration.alive is goes_on
        assert engine.status()["state"] == states.COMPLETED
    finally:
        engine.close(5.0)
