# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Playbooks about a migration that is there: the deployment that it has to go to, named wrongly, twice and in part."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bad_input.playbooks import Operator
from tests.roles.conftest import Host, new_host, running_agent
from tests.testbed.platform.launch import TestPlatform
from tests.unit.agent_fakes import Certificates

# Each test starts many processes one after another; on a busy machine that takes minutes.
pytestmark = pytest.mark.timeout(600)

PLAYBOOKS = ("status", "watch", "verify", "pause", "resume", "limits", "rehearse", "cutover", "abort")


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestPlatform]:
    """The platform with the migration's deployment, and another one."""
    deployments, options = [{"name": "target"}, {"name": "other"}], {"time_scale": 0.02}
    directory = tmp_path_factory.mktemp("platform")
    with TestPlatform.start(directory, deployments=deployments, options=options) as started:
        yield started
        assert "Traceback" not in started.log_path.read_text()


@pytest.fixture(scope="module")
def migrating(
    platform: TestPlatform, collections: Path, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Host]:
    """A host with an agent, on which a migration into the deployment runs."""
    with new_host(tmp_path_factory.mktemp("host"), collections, certificates) as made:
        own = {name: value for name, value in made.variables.items() if not name.startswith("target_")}
        made.variables = {
            **own, "platform_endpoint": platform.url, "platform_ca_path": str(platform.ca_path),
            "platform_key_id": platform.key_id, "platform_key_secret": platform.key_secret,
            "deployment_id": platform.deployment,
        }  # fmt: skip
        with running_agent(made, made.directory / "source.jwt"):
            started = made.play("migrate")
            assert started.code == 0, started.output
            yield made


@pytest.fixture
def managed(migrating: Host) -> Host:
    """That host, whose variables a test may change."""
    return dataclasses.replace(migrating, variables=dict(migrating.variables))


def wrong(platform: TestPlatform) -> dict[str, tuple[dict[str, Any], str, str]]:
    """By host changed variables, the code, and what the message says."""
    return {
        "elsewhere": ({"deployment_id": platform.deployments[1]}, "CUT-PLATFORM-7", "not to deployment other"),
        "unknown": ({"deployment_id": "othr", "organization_id": "org1"}, "CUT-PLATFORM-4", "did you mean other"),
        "twice": ({"target_endpoints": ["https://t:1"]}, "CUT-AGENT-36", "target_endpoints, deployment_id: give"),
        "in-part": ({"platform_key_secret": ""}, "CUT-AGENT-36", "platform_key_secret: is needed together"),
        "wrong-secret": ({"platform_key_secret": "hush-not-it"}, "CUT-PLATFORM-2", "Unauthenticated"),
    }


@pytest.mark.parametrize("options", [(), ("--check",)], ids=["real", "check"])
def test_every_playbook_makes_sure_of_the_deployment(
    managed: Host, platform: TestPlatform, options: tuple[str, ...]
) -> None:
    operator = Operator(managed.directory, managed.collections)
    cases = wrong(platform)
    hosts = {name: {**managed.variables, **changes, "load": "fast"} for name, (changes, _code, _says) in cases.items()}
    for name in PLAYBOOKS:
        played, output = operator.play(name, hosts, *options)
        assert platform.key_secret not in output
        assert "hush-not-it" not in output
        assert managed.variables["agent_token"] not in output
        for host, one in played.items():
            _changes, code, says = cases[host]
            assert says in one.failure.get("msg", ""), (name, host, output)
            assert code in one.failure["msg"], (name, host)
            assert not one.changed, (name, host)
    looked = managed.play("status")
    assert looked.code == 0, looked.output
    assert "running" in looked.output


def test_the_right_deployment_is_let_pass(managed: Host) -> None:
    for name in ("status", "watch", "verify", "pause", "resume", "limits", "rehearse", "cutover"):
        done = managed.play(name, watch_until="in_sync", load="fast")
        assert done.code == 0, done.output


def test_a_look_asks_no_platform_that_only_the_environment_names(
    managed: Host, platform: TestPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither do the looks within a cutover."""
    for name, value in (
        ("ARANGO_GRAPH_API_KEY", platform.key_id), ("ARANGO_GRAPH_API_SECRET", platform.key_secret),
        ("ARANGO_GRAPH_DEPLOYMENT_ID", platform.deployments[1]),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    del managed.variables["deployment_id"]
    looked = managed.play("status")
    assert looked.code == 0, looked.output
    refused = managed.play("abort")
    assert refused.code != 0
    assert "CUT-PLATFORM-7" in refused.output
