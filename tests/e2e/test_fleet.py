# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Agents of one migration that are killed or stopped while they copy for another one: nothing of it survives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.agent import Agent, Refused, Status
from tests.e2e.migration import TIME_SCALE, Migration, in_sync
from tests.e2e.test_frozen_agent import until
from tests.testbed.client import Client

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

# Slow enough that the others find work.
SLOWLY = {"join": True, "mb_per_second": 0.05}
COPYING = r"/_api/replication/restore-data"


@contextmanager
def shared(home: Path, archive: Path, name: str, agents: int) -> Iterator[tuple[Migration, list[Agent]]]:
    """A migration under way that so many agents share; the others have begun to copy."""
    with Migration(home, archive, name) as migration:
        migration.fill()
        _more(migration)
        secret = migration.clusters.source.jwt_secret_path
        others = [Agent(archive, home / f"other{number}", secret, TIME_SCALE) for number in range(1, agents)]
        try:
            for agent in (migration.agent, *others):
                agent.start()
                agent.call("POST", "/v1/migration", migration.request(**SLOWLY))
            for agent in others:
                agent.wait("it copies", copies, 60)
            yield migration, others
        finally:
            for agent in others:
                agent.stop()


def _more(migration: Migration) -> None:
    """Enough shards and bytes that everybody has work for some time."""
    with Client.root(migration.clusters.source) as client:
        for number in range(4):
            body = {"name": f"bulk{number}", "numberOfShards": 6, "replicationFactor": 2}
            assert client("POST", "/_db/stock/_api/collection", body).status == 200
            documents = [{"_key": f"b{key}", "text": "x" * 2000} for key in range(400)]
            assert client("POST", f"/_db/stock/_api/document/bulk{number}", documents).status in (201, 202)


def copies(status: Status) -> bool:
    """Whether a joined agent is in the middle of a job."""
    return bool(status["joined"] and status["joined"]["jobs"])


def faster(agents: list[Agent]) -> None:
    """What is left does not need to be slow."""
    for agent in agents:
        agent.call("POST", "/v1/migration/limits", {"mb_per_second": 0})


def test_i1_a_killed_agent_is_replaced_and_what_it_had_sent_is_outlived(tmp_path: Path, archive: Path) -> None:
    """The target carries some of its requests out when its shards are copied again already."""
    with shared(tmp_path, archive, "fleet-killed", 2) as (migration, [other]):
        migration.begin_writing(speed=0.5)
        held = migration.clusters.target.control.fault("delay", path_regex=COPYING, count=4, seconds=10)["id"]
        migration.await_fault("target", held, acted=2)
        other.kill()
        faster([migration.agent])
        migration.agent.wait("the loss", lambda status: len(status["workers"]) == 1, 60)
        migration.wait_in_sync()
        migration.cut_over(180)
        assert migration.differences() == []


def test_i1_a_frozen_agent_wakes_past_its_lease_and_nothing_of_it_survives(tmp_path: Path, archive: Path) -> None:
    """It has joined again by the time of the cutover; three agents share the migration."""
    with shared(tmp_path, archive, "fleet-frozen", 3) as (migration, [other, third]):
        migration.begin_writing(speed=0.5)
        other.freeze()
        try:
            migration.agent.wait("the loss", lambda status: len(status["workers"]) == 2, 60)
            faster([migration.agent, third])
            migration.wait_in_sync()
        finally:
            other.thaw()
        migration.agent.wait("it is back", lambda status: len(status["workers"]) == 3, 60)
        migration.cut_over(180)
        assert migration.differences() == []
        other.wait("its end", lambda status: status["state"] == "completed", 30)


def test_i1_another_agent_leads_when_the_lead_is_killed(tmp_path: Path, archive: Path) -> None:
    """Whoever was copying for it stops before the next lead copies anything."""
    with shared(tmp_path, archive, "fleet-lead", 3) as (migration, [other, third]):
        migration.begin_writing(speed=0.5)
        first = migration.agent
        first.kill()
        until("a take-over", lambda: leads(other, migration), 90)
        migration.agent = other
        try:
            faster([other, third])
            migration.wait_in_sync(150)
            migration.cut_over(180)
            assert migration.differences() == []
        finally:
            migration.agent = first


def leads(agent: Agent, migration: Migration) -> bool:
    """Whether it does now, asked again."""
    try:
        agent.call("POST", "/v1/migration", migration.request(**SLOWLY))
    except Refused as error:
        if error.status not in (409, 503):
            raise
    return agent.status()["joined"] is None


def test_an_agent_that_is_stopped_leaves_at_once(tmp_path: Path, archive: Path) -> None:
    """Nobody waits for its lease; it joins again by itself when it is started."""
    with shared(tmp_path, archive, "fleet-stopped", 2) as (migration, [other]):
        assert other.stop() == 0
        migration.agent.wait("its leaving", lambda status: len(status["workers"]) == 1, 10)
        other.start()
        migration.agent.wait("its return", lambda status: len(status["workers"]) == 2, 30)
        faster([migration.agent, other])
        migration.agent.wait("every shard in sync", in_sync, 90)
        migration.cut_over()
        assert migration.differences() == []
