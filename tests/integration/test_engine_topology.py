# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A whole engine in sync while the source's servers fail, move shards, come and go (design §4.6, invariant I3)."""

from __future__ import annotations

import pytest

from tests.integration.engine_case import Writer, ready, wait_status
from tests.integration.pair import Pair
from tests.integration.topology_case import FAULTS, Fault, codes, cut_over, migrating, noticed


@pytest.mark.parametrize("fault", FAULTS)
def test_i3_the_migration_survives_while_running(pair: Pair, fault: Fault) -> None:
    """Repaired by itself, nothing copied again, and the cutover passes with both sides equal."""
    with migrating(pair) as engine:
        copied = engine.status()["progress"]["documents_copied"]
        with Writer(pair):
            fault(pair)
            wait_status(engine, lambda status: noticed(engine) and ready(status), 60.0)
        cut_over(engine, pair)
        assert engine.status()["progress"]["documents_copied"] == copied
        assert {severity for code, severity in codes(engine)} <= {"info"}, engine.findings()
