# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Wrong platform, wrong key, wrong deployment: refused on the controller, with the remedy, and nothing is touched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.registry import ROWS
from tests.bad_input.conftest import IdleAgent
from tests.bad_input.playbooks import Operator
from tests.bad_input.sites import Sites
from tests.bad_input.test_playbooks import Hosts, operator, play, variables
from tests.testbed.platform.launch import TestPlatform, behind

__all__ = ["operator"]

# Each test starts a process for each host; on a busy machine that takes minutes.
pytestmark = pytest.mark.timeout(600)

REAL_AND_CHECK = pytest.mark.parametrize("options", [(), ("--check",)], ids=["real", "check"])
STATES = ("paused", "deleted", "bootstrapping", "creating")
MODELS = ("developer", "free")
OTHERS = ("expired", "closed", "nowhere", "bare", "held")
NAMES = ("sound", *STATES, *MODELS, *OTHERS)


@pytest.fixture(scope="module")
def platform(sites: Sites, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestPlatform]:
    """A sound deployment, and one for each thing that can be wrong with one."""
    deployments: list[dict[str, Any]] = [
        {"name": "sound", "cluster": behind(sites.target)},
        *({"name": state, "state": state} for state in STATES),
        *({"name": model, "model": model} for model in MODELS),
        *({"name": name} for name in OTHERS),
    ]
    with TestPlatform.start(tmp_path_factory.mktemp("platform"), deployments=deployments) as started:
        order = started.control.fault
        order("rotate_password", password=sites.target.root_password)
        order("certificate", deployment="expired", ends_in=-60)
        order("allowlist", deployment="closed", ranges=["203.0.113.0/24"])
        order("state", deployment="held", state="read-only")
        order("certificate", deployment="bare", set={"certificate_pem": ""})
        order("state", deployment="nowhere", set={"status.endpoint_self_signed": "", "status.endpoint": ""})
        yield started
        assert "Traceback" not in started.log_path.read_text()


def managed(sites: Sites, idle: IdleAgent, platform: TestPlatform, **changes: Any) -> dict[str, Any]:
    """What a host needs to migrate into the sound deployment, but for ``changes``."""
    own = {name: value for name, value in variables(sites, idle).items() if not name.startswith("target_")}
    return {
        **own, "platform_endpoint": platform.url, "platform_ca_path": str(platform.ca_path),
        "platform_key_id": platform.key_id, "platform_key_secret": platform.key_secret,
        "deployment_id": platform.deployment, "agent_addresses": ["198.51.100.1"], **changes,
    }  # fmt: skip


def wrong(platform: TestPlatform) -> dict[str, tuple[dict[str, Any], str, str]]:
    """Changed variables, the code and what the message says, by host."""
    order = platform.control.fault
    revoked, reader, viewer = (
        order("add_key", **wish)["result"]
        for wish in ({}, {"is_readonly": True}, {"roles": ["deployment-viewer"]})
    )
    order("revoke_key", key=revoked["id"])
    ids = dict(zip(NAMES, platform.deployments))

    def key(made: dict[str, str]) -> dict[str, str]:
        return {"platform_key_id": made["id"], "platform_key_secret": made["secret"]}

    def of(name: str) -> dict[str, str]:
        return {"deployment_id": ids[name]}

    return {
        "wrong-secret": ({"platform_key_secret": "hush-not-it"}, "CUT-PLATFORM-2", "Unauthenticated"),
        "revoked": (key(revoked), "CUT-PLATFORM-2", "Unauthenticated"),
        "read-only-backup": ({**key(reader), "backup_target": True}, "CUT-PLATFORM-11", "read-only"),
        "read-only-resume": (
            {**key(reader), **of("paused"), "resume_deployment": True}, "CUT-PLATFORM-11", "read-only",
        ),
        "no-permission": (key(viewer), "CUT-PLATFORM-3", "data.deploymentcredentials.get"),
        "unknown": ({"deployment_id": "soundd", "organization_id": "org1"}, "CUT-PLATFORM-4", "did you mean sound"),
        "paused": (of("paused"), "CUT-PLATFORM-12", "resume_deployment"),
        "deleted": (of("deleted"), "CUT-PLATFORM-13", "deletion"),
        "bootstrapping": (of("bootstrapping"), "CUT-PLATFORM-14", "is not bootstrapped yet"),
        "creating": (of("creating"), "CUT-PLATFORM-14", "is not created yet"),
        "developer": (of("developer"), "CUT-PLATFORM-15", "single server"),
        "free": (of("free"), "CUT-PLATFORM-15", "single server"),
        "expired": (of("expired"), "CUT-PLATFORM-18", "has expired"),
        "bare": (of("bare"), "CUT-PLATFORM-6", "gives no CA certificate of deployment bare"),
        "closed": (of("closed"), "CUT-PLATFORM-17", "198.51.100.1"),
        "nowhere": (of("nowhere"), "CUT-PLATFORM-16", "names no endpoint"),
        "dashboard": ({"platform_endpoint": platform.dashboard}, "CUT-PLATFORM-1", "is not the platform's API"),
        "nobody": ({"platform_endpoint": "https://127.0.0.1:1"}, "CUT-PLATFORM-10", "refused"),
        "no-address": ({"agent_addresses": ["here"]}, "CUT-SPEC-1", "agent_addresses"),
        "in-part": ({"platform_key_secret": ""}, "CUT-AGENT-36", "platform_key_secret"),
        "both": ({"target_endpoints": ["https://t:1"]}, "CUT-AGENT-36", "target_endpoints, deployment_id"),
    }


@REAL_AND_CHECK
def test_migrate_is_refused_on_the_controller(
    sites: Sites, idle: IdleAgent, operator: Operator, platform: TestPlatform, options: tuple[str, ...]
) -> None:
    cases = wrong(platform)
    hosts: Hosts = {
        name: managed(sites, idle, platform, platform_timeout=5, **changes)
        for name, (changes, _code, _says) in cases.items()
    }
    for host, one in play(operator, sites, "migrate", hosts, *options).items():
        _changes, code, says = cases[host]
        message = one.failure["msg"]
        assert (one.failure["failure"]["code"], says in f"{message}") == (code, True), message
        assert "Remedy: " in message
        assert "hush-not-it" not in message
    assert idle.agent.status()["state"] == "inactive"
    assert platform.control.get("/state/overview")["backups"] == {}


@REAL_AND_CHECK
@pytest.mark.parametrize("preset", ["too-many-requests", "unavailable"])
def test_a_storm_is_told_and_ends(
    sites: Sites, idle: IdleAgent, operator: Operator, platform: TestPlatform, preset: str, options: tuple[str, ...]
) -> None:
    platform.control.fault("status", path_regex="/api/data/", preset=preset, count=1000)
    (one,) = play(operator, sites, "migrate", {"storm": managed(sites, idle, platform)}, *options).values()
    assert one.failure["failure"]["code"] == "CUT-PLATFORM-19"
    assert one.failure["failure"]["retriable"] is True
    platform.control.clear()


@REAL_AND_CHECK
def test_wrong_clocks_are_a_warning_of_the_precheck(
    sites: Sites, idle: IdleAgent, operator: Operator, platform: TestPlatform, options: tuple[str, ...]
) -> None:
    """The platform is an hour ahead: nothing is refused for it."""
    platform.control.fault("clock_skew", seconds=3600)
    hosts = {"skewed": managed(sites, idle, platform, ignore_metrics=True)}
    played, output = operator.play("precheck", hosts, *options)
    platform.control.fault("clock_skew", seconds=0)
    (lines,) = played["skewed"].shown[:1]
    assert any(line.startswith("WARNING") and "platform-clock" in line for line in lines), output


def accepted(platform: TestPlatform) -> dict[str, tuple[dict[str, Any], str]]:
    """By precheck that can be accepted: what breaks it, and the code with which an accepting start ends.

    Behind a deployment that the platform holds read-only is no cluster here: what refuses the start is the agent.
    """
    order = platform.control.fault
    reader, viewer = (order("add_key", **wish)["result"] for wish in (
        {"is_readonly": True}, {"roles": ["deployment-content-admin", "cacertificate-viewer"]},
    ))  # fmt: skip
    order("organization", set={"has_backup_uploads": False})
    ids = dict(zip(NAMES, platform.deployments))

    def key(made: dict[str, str]) -> dict[str, str]:
        return {"platform_key_id": made["id"], "platform_key_secret": made["secret"]}

    return {
        "platform-allowlist": ({"deployment_id": ids["closed"]}, "CUT-PLATFORM-17"),
        "platform-certificate": ({"deployment_id": ids["expired"]}, "CUT-PLATFORM-18"),
        "platform-key-writes": ({**key(reader), "backup_target": True}, "CUT-PLATFORM-11"),
        "platform-permissions": (key(viewer), "CUT-PLATFORM-3"),
        "platform-backup": ({"backup_target": True, "backup_upload": True}, "CUT-PLATFORM-22"),
        "platform-writable": ({"deployment_id": ids["held"]}, "CUT-PRECHECK-2"),
    }


def test_what_is_accepted_of_the_platform_ends_before_the_target_is_touched(
    sites: Sites, idle: IdleAgent, operator: Operator, platform: TestPlatform
) -> None:
    """The precheck has the right id, and shows it as accepted; the start is refused where the fault is met."""
    cases = accepted(platform)
    errors = [row for row in ROWS if row.group == "platform" and row.severity == "error"]
    assert {row.id for row in errors if row.acceptable} == set(cases)
    try:
        for accepts in (False, True):
            hosts: Hosts = {
                row: managed(
                    sites, idle, platform, **changes, accept=[{"id": row, "reason": "to see it"}] if accepts else []
                )
                for row, (changes, _code) in cases.items()
            }
            # One that accepts everything passes.
            looked = operator.play("precheck", hosts)[0] if accepts else play(operator, sites, "precheck", hosts)
            for row, one in looked.items():
                lines = [line for line in one.shown[0] if f" {row}: " in line] if one.shown else []
                status = "ACCEPTED" if accepts else "FAILED"
                assert [line.split()[0].upper() for line in lines] == [status], (row, one)
        for row, one in play(operator, sites, "migrate", hosts).items():
            assert one.failure["failure"]["code"] == cases[row][1], one.failure["msg"]
    finally:
        platform.control.fault("organization", set={"has_backup_uploads": True})
    assert idle.agent.status()["state"] == "inactive"
