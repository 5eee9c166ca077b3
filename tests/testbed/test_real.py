# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files for real servers are well-formed, and what they run works with emulated clusters in their place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.build_agent import build
from tests.real import __main__ as real
from tests.real.clusters import Running, load, save
from tests.real.recorded import replay
from tests.real.scenario import migrate
from tests.testbed.auth import sign
from tests.testbed.launch import TestCluster
from tests.testbed.recorded_target import Emulated

REAL = Path(__file__).parents[1] / "real"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services of the compose file."""
    found: dict[str, Any] = yaml.safe_load((REAL / "compose.yaml").read_text(encoding="utf-8"))["services"]
    return found


def test_the_compose_file_has_both_clusters_and_the_servers_of_the_recordings(services: dict[str, Any]) -> None:
    assert {name: entry["image"].partition(":")[2] for name, entry in services.items()} == {
        "source": "3.11.14",
        "target": "3.12.10",
        "recorded-3.10": "3.10.14",
        "recorded-3.11": "3.11.14",
        "recorded-3.12": "3.12.10",
    }
    for entry in services.values():
        assert all(port.startswith("127.0.0.1:") and port.count(":") == 2 for port in entry["ports"])


def test_what_is_prepared_is_what_the_compose_file_mounts_and_publishes(
    services: dict[str, Any], tmp_path: Path
) -> None:
    clusters = real.prepare(tmp_path)
    assert load(tmp_path / "clusters.json") == clusters
    for name, cluster in clusters.items():
        service = services[name]
        mounted = Path(service["volumes"][0].partition(":")[0])
        assert (REAL / mounted).resolve() == real.HOME / name
        published = {port.rpartition(":")[2] for port in service["ports"]}
        assert {url.rpartition(":")[2] for url in cluster.coordinators} <= published
        used = [entry.partition("=/secrets/")[2] for entry in service["command"] if "=/secrets/" in entry]
        assert len(used) == 2
        assert all((tmp_path / name / file).stat().st_mode & 0o077 == 0 for file in used)


def test_the_readme_says_that_it_was_not_run_and_names_only_what_there_is() -> None:
    text = (REAL / "README.md").read_text(encoding="utf-8")
    assert "Nothing here was run against real servers yet" in text
    assert text.count("python -m tests.real prepare") == 1
    assert real.main([]) == 2


@pytest.mark.timeout(480)
def test_the_migration_works_with_emulated_clusters(tmp_path: Path) -> None:
    options = {"time_scale": 0.2}
    with (
        TestCluster.start(tmp_path, name="source", root_password="", options=options) as source,
        TestCluster.start(tmp_path, name="target", version="3.12.10", root_password="", options=options) as target,
    ):
        clusters = {
            name: Running(entry.coordinators, str(entry.ca_path), entry.jwt_secret_path, "chosen")
            for name, entry in (("source", source), ("target", target))
        }
        real.wait(clusters)
        save(tmp_path / "clusters.json", clusters)
        archive = build(tmp_path / "agent.pyz")
        found = migrate(tmp_path, archive, load(tmp_path / "clusters.json"), time_scale=0.2, seconds=240)
        assert found == []


def test_recordings_can_be_sent_to_a_server_that_runs_already() -> None:
    server = Emulated("3.12.10", "single")
    try:
        token = sign(b"recorded", {"iss": "arangodb", "server_id": "recorded"})
        report = replay("3.12", "127.0.0.1", server.port, {"authorization": f"bearer {token}"})
    finally:
        server.close()
    # Whether more can be read from a log that is in use depends on what was written before.
    differences = [line for lines in report.unequal.values() for line in lines]
    assert [line for line in differences if "x-arango-replication-checkmore" not in line] == []
    assert report.replayed > 150
    assert report.left_out["needs a cluster"] > 0
