# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An agent that was killed goes on: what was in sync is replayed or compared, never copied again (design §4.8, I4)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.findings import Finding
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.supervisor import Supervisor
from tests.integration.engine_case import Fill, Writer, make_engine, ready, request_of, wait_status
from tests.integration.pair import Pair, wait_for
from tests.integration.topology_case import (
    Fault,
    clean_out,
    codes,
    cut_over,
    die_and_come_back_empty,
    fail_over_with_lag,
    migrating,
    purge,
    restart,
)


@pytest.fixture(autouse=True)
def _killed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ends without a last checkpoint, as a process that is killed."""
    monkeypatch.setattr(Supervisor, "_last_checkpoint", lambda self, running: None)
    yield


def test_i4_what_was_in_sync_is_not_copied_again(pair: Pair) -> None:
    """Nor compared: the log goes on from the journaled position."""
    with migrating(pair) as engine:
        with Writer(pair) as writer:
            wait_status(engine, lambda _status: writer.count > 40, 60.0)
            engine.close(20.0)
            engine = make_engine(pair)
            engine.recover()
            status = wait_status(engine, ready, 60.0)
        assert status["progress"]["documents_copied"] == 0
        assert codes(engine) == set(), engine.findings()
        cut_over(engine, pair)
        engine.close(20.0)


def test_what_the_last_life_of_the_data_path_had_against_a_shard_ends_with_it(pair: Pair) -> None:
    """The shard is in sync again, and nobody is left who would say so."""
    with migrating(pair) as engine:
        assert engine._migration is not None
        for code in ("CUT-DATA-7", "CUT-DATA-14"):
            engine._migration.findings.report(Finding(code, "error", "shop/things/s1", "broken", ""))
        engine.close(20.0)
        engine = make_engine(pair)
        engine.recover()
        wait_status(engine, ready, 60.0)
        assert codes(engine) == set(), engine.findings()
        engine.close(20.0)


@pytest.mark.parametrize("fault", [fail_over_with_lag, restart, die_and_come_back_empty, clean_out, purge])
def test_i3_what_happens_while_nobody_looks_is_found(pair: Pair, fault: Fault) -> None:
    """In sync before, compared and repaired now, and nothing is copied again."""
    with migrating(pair) as engine:
        with Writer(pair):
            engine.close(20.0)
            fault(pair)
            engine = make_engine(pair)
            engine.recover()
            status = wait_status(engine, ready, 60.0)
        assert status["progress"]["documents_copied"] == 0
        cut_over(engine, pair)
        engine.close(20.0)


def _number(state: Path) -> int:
    file = state / "data" / "checkpoint.json"
    return int(json.loads(file.read_text())["number"]) if file.exists() else 0


def test_i1_i5_a_host_that_is_set_back_to_a_snapshot_compares_everything(pair: Pair) -> None:
    """Its disk says that all is compared and nothing open, as it was before the writes."""
    with migrating(pair) as engine:
        state, snapshot = pair.directory / "engine", pair.directory / "snapshot"
        shutil.copytree(state, snapshot)
        with Writer(pair):
            wait_for(lambda: _number(state) > _number(snapshot) + 1, 60.0)
        wait_status(engine, ready, 60.0)
        engine.close(20.0)
        pair.target.control.fault(
            "alter_document", database="shop", collection="things", key="t7", body={"n": 7, "text": "another"}
        )
        shutil.rmtree(state)
        shutil.copytree(snapshot, state)
        engine = make_engine(pair)
        engine.recover()
        wait_status(engine, lambda _status: ("CUT-STATE-11", "warning") in codes(engine), 60.0)
        status = wait_status(engine, ready, 60.0)
        assert status["progress"]["documents_copied"] == 0
        cut_over(engine, pair)
        engine.close(20.0)


def test_half_copied_shards_are_copied_again(pair: Pair) -> None:
    """And swept: what was removed on the source meanwhile goes."""
    fill = Fill(pair)
    fill.definitions()
    fill.documents(400)
    pair.target.control.fault("delay", path_regex="restore-data", seconds=0.3, count=100000)
    engine = make_engine(pair)
    engine.start(request_of(pair))
    wait_status(engine, lambda status: (status["progress"]["documents_copied"] or 0) > 100, 60.0)
    engine.close(20.0)
    pair.target.control.clear()
    pair.remove("things", [f"t{number}" for number in range(0, 400, 3)], "shop")
    engine = make_engine(pair)
    try:
        engine.recover()
        wait_status(engine, ready, 60.0)
        cut_over(engine, pair)
    finally:
        engine.close(20.0)


def test_i3_a_shard_in_doubt_is_compared_after_the_restart_too(pair: Pair) -> None:
    """The doubt is in the journal before the position may pass it."""
    with migrating(pair) as engine:
        # Nothing can be repaired: the comparison reads a snapshot.
        pair.source.control.fault("status", path_regex="/_api/dump/start|/replication/batch", status=503, count=100000)
        pair.source.control.fault("fail_over", server=sorted(pair.source.dbservers)[0])
        pair.source.control.fault("fail_over", server=sorted(pair.source.dbservers)[1])
        wait_status(engine, lambda status: status["shards"]["suspect"] > 0, 60.0)
        pair.insert("things", [{"_key": f"m{number}"} for number in range(90)], "shop")
        engine.close(20.0)
        pair.source.control.clear()
        engine = make_engine(pair)
        engine.recover()
        status = wait_status(engine, ready, 60.0)
        assert status["progress"]["documents_copied"] == 0
        cut_over(engine, pair)
        engine.close(20.0)
