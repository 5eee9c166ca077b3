# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The reading with which no migration as usual is possible: it is refused before anything is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demo.clusters import Clusters
from tests.e2e.agent import Agent, Refused
from tests.workload.schema import UserSpec

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def test_a_target_that_takes_no_users_is_refused_with_the_remedy(tmp_path: Path, archive: Path) -> None:
    """Reading 17, `no-users`."""
    clusters = Clusters(tmp_path, options={"time_scale": 0.2, "readings": {"17": "no-users"}})
    agent = Agent(archive, tmp_path / "agent", clusters.source.jwt_secret_path, 0.2)
    try:
        clusters.fill((), (UserSpec("anybody", "any-password", ()),), ())
        agent.start()
        source, target = clusters.source, clusters.target
        request = {
            "source_endpoints": source.coordinators, "source_ca_path": str(source.ca_path),
            "target_endpoints": target.coordinators, "target_ca_path": str(target.ca_path),
            "target_password": target.root_password,
        }
        with pytest.raises(Refused) as caught:
            agent.call("POST", "/v1/migration", request)
        assert caught.value.error["code"] == "CUT-USER-1"
        assert "users" in caught.value.error["remedy"]
        assert clusters.connect("target").database().databases() == ["_system"]
    finally:
        agent.stop()
        clusters.stop()
