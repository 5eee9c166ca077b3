# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What happens to the source's servers while shards are copied, or while much is read and not applied yet."""

from __future__ import annotations

import pytest

from tests.integration.engine_case import Fill, Writer, make_engine, ready, request_of, wait_status
from tests.integration.pair import Pair
from tests.integration.topology_case import (
    Fault,
    cut_over,
    die_and_come_back_empty,
    fail_over_with_lag,
    migrating,
    noticed,
    purge,
    rebalance,
    restart,
    there_and_back,
)


@pytest.mark.parametrize("fault", [fail_over_with_lag, die_and_come_back_empty, rebalance, purge])
def test_i3_the_migration_survives_while_shards_are_copied(pair: Pair, fault: Fault) -> None:
    """Half-copied shards are copied again, the others are compared; then the cutover passes with both sides equal."""
    fill = Fill(pair)
    fill.definitions()
    fill.documents(400)
    pair.target.control.fault("delay", path_regex="restore-data", seconds=0.3, count=100000)
    engine = make_engine(pair)
    try:
        engine.start(request_of(pair))
        wait_status(engine, lambda status: (status["progress"]["documents_copied"] or 0) > 100, 60.0)
        assert engine.status()["shards"]["in_sync"] < engine.status()["shards"]["total"]
        with Writer(pair):
            fault(pair)
            pair.target.control.clear()
            wait_status(engine, ready, 60.0)
        cut_over(engine, pair)
    finally:
        engine.close(20.0)


@pytest.mark.parametrize("fault", [fail_over_with_lag, die_and_come_back_empty, there_and_back, restart])
def test_i1_what_was_read_and_not_applied_is_no_harm(pair: Pair, fault: Fault) -> None:
    """What an old leader's log said reaches the target before the comparison, or never."""
    with migrating(pair) as engine:
        with Writer(pair) as writer:
            pair.target.control.fault("delay", path_regex="/_api/document/", seconds=0.5, count=100000)
            before = writer.count
            wait_status(engine, lambda _status: writer.count > before + 40, 60.0)
            fault(pair)
            pair.target.control.clear()
            wait_status(engine, lambda status: noticed(engine) and ready(status), 60.0)
        cut_over(engine, pair)
