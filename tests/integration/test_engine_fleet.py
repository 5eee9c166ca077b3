# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Several engines share one migration: one leads, the others copy for it (design §4.8)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.engine import Engine
from tests.integration.engine_case import (
    Fill,
    Writer,
    all_differences,
    finished,
    make_engine,
    ready,
    request_of,
    wait_status,
)
from tests.integration.pair import Pair, wait_for

HOSTS = ("lead.example", "second.example", "third.example")
COLLECTIONS = 6
SIZE = 2000
# Slow enough that all of them find work.
SLOWLY = {"join": True, "mb_per_second": 0.1}


@pytest.fixture
def engines(pair: Pair) -> Iterator[list[Engine]]:
    """Three of them, none of which does anything yet."""
    with ExitStack() as stack:
        made = [make_engine(pair, pair.directory / host, hostname=host) for host in HOSTS]
        for engine in made:
            stack.callback(engine.close, 20.0)
        yield made


def fill(pair: Pair, documents: int = 240) -> None:
    """Some megabytes in many shards, besides everything else that a migration moves."""
    fill = Fill(pair)
    fill.definitions()
    fill.documents(60)
    for number in range(COLLECTIONS):
        fill.collection(f"bulk{number}", numberOfShards=3)
        body = [{"_key": f"b{key}", "text": "x" * SIZE, "n": key} for key in range(documents)]
        pair.insert(f"bulk{number}", body, "shop")


def start(pair: Pair, engines: list[Engine], **changes: Any) -> None:
    """The same request to all of them, one after the other; the others copy at once."""
    for engine in engines:
        assert engine.start(request_of(pair, **{**SLOWLY, **changes})) is True
    for engine in engines[1:]:
        wait_status(engine, lambda status: status["joined"] is not None and len(status["workers"]) == 2)


def copied(engine: Engine) -> int:
    """Bytes that this one has copied itself, or has been told of."""
    return int(engine.status()["progress"]["bytes_copied"] or 0)


def cut_over(pair: Pair, lead: Engine) -> None:
    """To the end, without a difference; the rest of the copy need not be slow."""
    lead.limits({"mb_per_second": 0.0})
    wait_status(lead, ready, 120.0)
    lead.stop({"wait_timeout": 30.0})
    wait_status(lead, finished, 60.0)
    assert all_differences(pair) == {}


def test_three_share_the_copy_and_one_cuts_over(pair: Pair, engines: list[Engine]) -> None:
    """While documents change; the others end by themselves."""
    fill(pair)
    lead, *others = engines
    with Writer(pair):
        start(pair, engines)
        wait_for(lambda: all(copied(engine) > 0 for engine in engines), 60.0)
        wait_status(lead, lambda status: {worker["host"] for worker in status["workers"]} == set(HOSTS))
        wait_for(lambda: all(engine.status()["progress"]["documents_copied"] > 200 for engine in engines), 60.0)
        lead.limits({"mb_per_second": 0.0})
        wait_status(lead, ready, 120.0)
        assert sum(map(copied, others)) > SIZE * 100
        assert copied(lead) > sum(map(copied, others))
    cut_over(pair, lead)
    for engine in others:
        wait_status(engine, lambda status: status["state"] == "completed")


def test_one_that_copies_is_asked_for_nothing_else(pair: Pair, engines: list[Engine]) -> None:
    """It names who leads; the same start again changes nothing, another one is refused."""
    fill(pair, 40)
    lead, other, _third = engines
    start(pair, [lead, other])
    for order in (other.stop, other.abort, other.pause, other.resume, other.rehearse, other.verification):
        with pytest.raises(CutoverError) as refused:
            order({})
        assert refused.value.code == "CUT-FLEET-1"
        assert HOSTS[0] in refused.value.message
    assert other.start(request_of(pair, **SLOWLY)) is False
    assert other.limits({"mb_per_second": 5.0}) is True
    assert other.status()["limits"]["mb_per_second"] == 5.0
    assert lead.status()["limits"]["mb_per_second"] == SLOWLY["mb_per_second"]
    with pytest.raises(CutoverError) as refused:
        other.start(request_of(pair, **SLOWLY, max_lag=17.0))
    assert refused.value.code == "CUT-STATE-2"
    cut_over(pair, lead)


def test_without_join_who_leads_is_named(pair: Pair, engines: list[Engine]) -> None:
    """As ever."""
    fill(pair, 10)
    lead, other, _third = engines
    lead.start(request_of(pair))
    with pytest.raises(CutoverError) as refused:
        other.start(request_of(pair))
    assert refused.value.code == "CUT-STATE-4"
    assert other.status()["joined"] is None


def test_a_pause_reaches_all_of_them(pair: Pair, engines: list[Engine]) -> None:
    """It is not announced while anybody still writes."""
    fill(pair)
    lead, other, _third = engines
    start(pair, [lead, other])
    wait_for(lambda: copied(other) > 0, 60.0)
    lead.pause({"reason": "noon"})
    wait_status(lead, lambda status: status["pause"]["state"] == "paused")
    written = copied(other)
    if other.status()["joined"]["jobs"]:
        wait_status(other, lambda status: status["pause"]["state"] == "paused")
    wait_for(lambda: lead.status()["age_seconds"] < 1.0)
    assert copied(other) == written
    lead.resume({})
    wait_status(other, lambda status: status["pause"]["state"] == "none")
    cut_over(pair, lead)


def test_one_that_leaves_and_comes_back(pair: Pair, engines: list[Engine]) -> None:
    """Its agent is stopped in the middle of a job, and started again: it goes on copying."""
    fill(pair)
    lead, other, _third = engines
    start(pair, [lead, other])
    wait_for(lambda: copied(other) > 0, 60.0)
    other.close(20.0)
    wait_status(lead, lambda status: len(status["workers"]) == 1)
    again = make_engine(pair, pair.directory / HOSTS[1], hostname=HOSTS[1])
    try:
        again.recover()
        wait_status(again, lambda status: status["joined"] is not None and len(status["workers"]) == 2)
        cut_over(pair, lead)
    finally:
        again.close(20.0)


def test_one_that_copies_takes_over_when_the_lead_is_gone(pair: Pair, engines: list[Engine]) -> None:
    """By the same start again; the third one goes on with the new lead."""
    fill(pair)
    lead, second, third = engines
    start(pair, engines)
    wait_for(lambda: copied(third) > 0, 60.0)
    lead.close(20.0)
    wait_for(lambda: not second._joined.follows if second._joined else False, 60.0)
    assert second.start(request_of(pair, **SLOWLY)) is True
    wait_status(second, lambda status: status["joined"] is None)
    wait_status(third, lambda status: status["joined"]["lead_host"] == HOSTS[1])
    cut_over(pair, second)


def test_an_abort_with_a_clean_up_leaves_nothing(pair: Pair, engines: list[Engine]) -> None:
    """Nobody copies into what was removed."""
    fill(pair)
    lead, other, _third = engines
    start(pair, [lead, other])
    wait_for(lambda: copied(other) > 0, 60.0)
    lead.abort({"cleanup": True})
    wait_status(lead, lambda status: status["state"] == "aborted", 60.0)
    wait_status(other, lambda status: status["state"] == "aborted", 30.0)
    databases = pair.clients.target.json("GET", "/_api/database", database="_system")["result"]
    assert databases == ["_system"]


def test_a_collection_dropped_while_another_agent_copies_it(pair: Pair, engines: list[Engine]) -> None:
    """And made again under its name, with other documents."""
    fill(pair)
    lead, other, _third = engines
    start(pair, [lead, other])
    wait_for(lambda: copied(other) > 0, 60.0)
    for number in range(COLLECTIONS):
        pair.clients.coordinators.json("DELETE", f"/_api/collection/bulk{number}", database="shop")
    Fill(pair).collection("bulk0", numberOfShards=2)
    pair.insert("bulk0", [{"_key": f"n{key}", "n": key} for key in range(50)], "shop")
    cut_over(pair, lead)
