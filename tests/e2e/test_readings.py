# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Readings beside a migration as usual: a target that takes no users, and one that is read-only for a while."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demo.clusters import Clusters
from tests.e2e.agent import Agent, Refused
from tests.e2e.migration import in_sync
from tests.workload.schema import CollectionSpec, DatabaseSpec, UserSpec

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


TINY = DatabaseSpec(name="tiny", collections=(CollectionSpec("things", 2),))


def request_of(clusters: Clusters) -> dict[str, object]:
    """The start request between two clusters."""
    source, target = clusters.source, clusters.target
    return {
        "source_endpoints": source.coordinators, "source_ca_path": str(source.ca_path),
        "target_endpoints": target.coordinators, "target_ca_path": str(target.ca_path),
        "target_password": target.root_password,
    }


def test_a_target_that_takes_no_users_is_refused_with_the_remedy(tmp_path: Path, archive: Path) -> None:
    """Reading 17, `no-users`."""
    clusters = Clusters(tmp_path, options={"time_scale": 0.2, "readings": {"17": "no-users"}})
    agent = Agent(archive, tmp_path / "agent", clusters.source.jwt_secret_path, 0.2)
    try:
        clusters.fill((), (UserSpec("anybody", "any-password", ()),), ())
        agent.start()
        with pytest.raises(Refused) as caught:
            agent.call("POST", "/v1/migration", request_of(clusters))
        assert caught.value.error["code"] == "CUT-USER-1"
        assert "users" in caught.value.error["remedy"]
        assert clusters.connect("target").database().databases() == ["_system"]
    finally:
        agent.stop()
        clusters.stop()


@pytest.mark.parametrize(
    ("number", "variant", "version"),
    [
        ("14", "1004", "4.0.0"), ("14", "11", "4.0.0"),
        ("20", "license-1004", "3.12.10"), ("20", "license-11", "3.12.10"),
    ],
)
def test_a_target_that_is_read_only_for_a_while_is_waited_for(
    tmp_path: Path, archive: Path, number: str, variant: str, version: str
) -> None:
    """By mode (reading 14) or license (20): either error is told as what is waited for, and nothing is lost."""
    options = {"time_scale": 0.2, "readings": {number: variant}}
    clusters = Clusters(tmp_path, versions=("3.11.14", version), options={"time_scale": 0.2}, target_options=options)
    agent = Agent(archive, tmp_path / "agent", clusters.source.jwt_secret_path, 0.2)
    try:
        clusters.fill((TINY,), (), ())
        things = clusters.connect("source").database("tiny").collection("things")
        things.insert_many([{"_key": f"before{index}"} for index in range(50)])
        agent.start()
        agent.call("POST", "/v1/migration", {**request_of(clusters), "ignore_metrics": True})
        agent.wait("every shard in sync", in_sync, 60)
        set_read_only(clusters, number, on=True)
        things.insert_many([{"_key": f"meanwhile{index}"} for index in range(50)])
        error = f"errorNum {variant.rpartition('-')[2]}:"
        agent.wait(f"waiting, by {error}", lambda status: error in str(status["waiting"]["for"]), 60)
        set_read_only(clusters, number, on=False)
        stored = clusters.target.control.documents
        agent.wait("every write on the target", lambda _status: len(stored("tiny", "things")) == 100, 60)
        agent.wait("nothing waited for", lambda status: in_sync(status) and not status["waiting"]["for"], 60)
    finally:
        agent.stop()
        clusters.stop()


def set_read_only(clusters: Clusters, number: str, *, on: bool) -> None:
    """Make the target read-only, or writable again, in the way that a reading is about."""
    if number == "20":
        clusters.target.control.fault("license_readonly", on=on)
    else:
        clusters.connect("target").database().set_mode("readonly" if on else "default")
