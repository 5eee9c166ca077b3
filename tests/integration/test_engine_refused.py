# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A target that refuses something once: the migration begins anew by itself, or can be aborted and started again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.engine import Engine
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.migration import Migration
from tests.integration.engine_case import Fill, all_differences, make_engine, ready, request_of, wait_status
from tests.integration.pair import Pair

EARLY = "_cutover/users-map"  # read when the migration's own thread prepares the target


@pytest.fixture
def engine(pair: Pair) -> Iterator[Engine]:
    """An engine on which nothing was started."""
    fill = Fill(pair)
    fill.definitions()
    fill.documents(40)
    made = make_engine(pair)
    yield made
    made.close(20.0)


def refuse_once(pair: Pair, monkeypatch: pytest.MonkeyPatch, **answer: Any) -> None:
    """The first request of the migration's thread for the users' map is refused, not those of the start itself."""
    begin = Migration.start

    def start(migration: Migration) -> None:
        pair.target.control.fault("status", path_regex=EARLY, count=1, **answer)
        monkeypatch.setattr(Migration, "start", begin)
        begin(migration)

    monkeypatch.setattr(Migration, "start", start)


@pytest.mark.parametrize(("status", "number"), [(401, 11), (403, 11), (503, 503)])
def test_a_refusal_that_passes_is_waited_for(
    pair: Pair, engine: Engine, monkeypatch: pytest.MonkeyPatch, status: int, number: int
) -> None:
    """Credentials and rights are put right by somebody: the migration tries again from the beginning."""
    refuse_once(pair, monkeypatch, status=status, errorNum=number)
    engine.start(request_of(pair))
    wait_status(engine, ready)
    assert pair.target.control.get("/state/faults")[0]["acted"] == 1
    assert all_differences(pair) == {}


def test_after_a_failure_it_can_be_aborted_and_started_again(
    pair: Pair, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I6: `failed` is for what needs a human, who must be able to act."""
    refuse_once(pair, monkeypatch, status=400, errorNum=10)
    engine.start(request_of(pair))
    failed = wait_status(engine, lambda status: status["state"] == "failed", fail_on=False)
    assert failed["reason"]["remedy"]
    assert engine.abort({}) is True
    wait_status(engine, lambda status: status["state"] == "aborted", fail_on=False)
    assert engine.server_mode()["mode"] == "default"
    assert engine.start(request_of(pair)) is True
    wait_status(engine, ready)
    assert all_differences(pair) == {}


def test_after_a_failure_it_can_be_started_again(
    pair: Pair, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same request resumes what had failed."""
    refuse_once(pair, monkeypatch, status=400, errorNum=10)
    engine.start(request_of(pair))
    wait_status(engine, lambda status: status["state"] == "failed", fail_on=False)
    assert engine.start(request_of(pair)) is True
    wait_status(engine, ready)
    assert all_differences(pair) == {}
