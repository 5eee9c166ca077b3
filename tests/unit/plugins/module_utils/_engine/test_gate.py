# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The gate lists every blocker at once, each with a remedy."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.gate import Facts, blockers, predicted_downtime
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import ShardState

READY = Facts(
    shards={ShardState.IN_SYNC: 4},
    lag_seconds=0.1,
    max_lag=5.0,
    recheck_pending=0,
    indexes_missing=0,
    unexplained_shards=0,
    findings=(),
    users_current=True,
    paused=False,
    waiting=None,
    documents=1000,
    max_downtime=300.0,
    modes={"CRDN-1": "default", "PRMR-1": "default"},
)
FINDING = {"code": "CUT-TOPO-8", "where": "server x", "message": "changed", "remedy": "start again"}


def test_nothing_blocks() -> None:
    """The good case."""
    assert blockers(READY) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"shards": {ShardState.IN_SYNC: 3, ShardState.COPYING: 1}}, "CUT-GATE-2"),
        ({"shards": {ShardState.SUSPECT: 1}}, "CUT-GATE-2"),
        ({"shards": {ShardState.HELD: 1}}, "CUT-GATE-2"),
        ({"unexplained_shards": 1}, "CUT-GATE-2"),
        ({"open_jobs": 1}, "CUT-GATE-2"),
        ({"lag_seconds": 5.1}, "CUT-GATE-3"),
        ({"lag_seconds": None}, "CUT-GATE-3"),
        ({"recheck_pending": 1}, "CUT-GATE-4"),
        ({"indexes_missing": 1}, "CUT-GATE-5"),
        ({"findings": [FINDING]}, "CUT-TOPO-8"),
        ({"users_current": False}, "CUT-GATE-11"),
        ({"unverified": ["3 of 4 collections are not compared"]}, "CUT-VERIFY-10"),
        ({"keys": "keys made on the target may meet migrated ones"}, "CUT-KEYS-1"),
        ({"keys": "was not found out yet", "keys_known": False}, "CUT-KEYS-2"),
        ({"paused": True}, "CUT-GATE-9"),
        ({"waiting": "the target"}, "CUT-GATE-10"),
        ({"modes": {"CRDN-1": "default", "PRMR-1": "readonly"}}, "CUT-GATE-7"),
        ({"modes": None, "modes_error": "no answer"}, "CUT-GATE-7"),
        ({"documents": 10**10, "checksum_seconds": 1000.0}, "CUT-GATE-8"),
        ({"quiet_seconds": 3.0}, "CUT-GATE-12"),
        ({"guard_missing": True}, "CUT-GATE-13"),
    ],
)
def test_each_reason_blocks_alone(change: dict[str, Any], code: str) -> None:
    """With text and remedy."""
    found = blockers(dataclasses.replace(READY, **change))
    assert [item["code"] for item in found] == [code]
    assert found[0]["text"]
    assert found[0]["remedy"]


def test_all_reasons_at_once() -> None:
    """The operator sees everything with one try."""
    facts = dataclasses.replace(READY, paused=True, users_current=False, findings=[FINDING, FINDING], lag_seconds=9.0)
    assert len(blockers(facts)) == 5


def test_a_measured_proof_replaces_the_guess() -> None:
    """And the band stays around it."""
    measured = predicted_downtime(dataclasses.replace(READY, documents=10**10, measured={"proof": 4.0, "fence": 2.0}))
    assert measured["low"] < measured["mid"] < measured["high"] < 15
