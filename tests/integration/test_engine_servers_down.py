# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Servers that are down for a while: nobody waits for one that is not needed, all are used when they are back."""

from __future__ import annotations

from tests.integration.engine_case import all_differences, make_engine, ready, wait_status
from tests.integration.pair import Pair, wait_for
from tests.integration.topology_case import busiest, cut_over, leaders, migrating, noticed
from tests.testbed.launch import TestCluster


def _coordinators(cluster: TestCluster) -> list[str]:
    servers = cluster.control.get("/state/overview")["servers"]
    return sorted(name for name, server in servers.items() if server["role"] == "coordinator")


def test_i3_a_server_that_is_down_and_leads_nothing_holds_nobody_up(pair: Pair) -> None:
    """Its shards fail over and are compared; after a restart of the agent the same, while it is still down."""
    with migrating(pair) as engine:
        server = busiest(pair)
        pair.source.control.fault("kill_server", server=server)
        pair.source.control.fault("fail_over", server=server)
        pair.insert("things", [{"_key": f"d{number}"} for number in range(60)], "shop")
        wait_status(engine, lambda status: noticed(engine) and ready(status), 60.0)
        wait_for(lambda: all_differences(pair) == {}, 30.0, lambda: str(all_differences(pair)))
        engine.close(20.0)
        pair.insert("things", [{"_key": f"e{number}"} for number in range(60)], "shop")
        engine = make_engine(pair)
        engine.recover()
        wait_status(engine, ready, 60.0)
        wait_for(lambda: all_differences(pair) == {}, 30.0, lambda: str(all_differences(pair)))
        assert engine.status()["progress"]["documents_copied"] == 0
        pair.source.control.fault("restart_server", server=server)
        pair.source.control.fault("fail_over", shard=next(iter(leaders(pair))), database="shop", to=server)
        cut_over(engine, pair)
        engine.close(20.0)


def test_any_coordinator_may_fail_at_any_time(pair: Pair) -> None:
    """Of the source and of the target, one after the other; what is written meanwhile arrives."""
    with migrating(pair) as engine:
        for side in (pair.source, pair.target):
            for turn, coordinator in enumerate(_coordinators(side) * 2):
                side.control.fault("kill_server", server=coordinator)
                rows = [{"_key": f"{side.name}{turn}-{number}"} for number in range(20)]
                wait_for(lambda rows=rows: _inserted(pair, rows))  # type: ignore[misc]
                wait_for(lambda: all_differences(pair) == {}, 60.0, lambda: str(engine.status()["waiting"]))
                side.control.fault("restart_server", server=coordinator)
        wait_status(engine, ready, 60.0)
        cut_over(engine, pair)


def _inserted(pair: Pair, rows: list[dict[str, str]]) -> bool:
    answer = pair.clients.coordinators.request(
        "POST", "/_api/document/things", database="shop", query={"overwriteMode": "replace"}, body=rows,
        idempotent=True, raise_for=False,
    )
    return answer.status < 300
