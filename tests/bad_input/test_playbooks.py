# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Wrong input through the playbooks of the installed collection; each host of the inventory has one fault."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.bad_input.cases import CASES, HIDDEN, SECRETS
from tests.bad_input.conftest import IdleAgent
from tests.bad_input.playbooks import Operator, Played
from tests.bad_input.sites import PASSWORD, Sites, untouched
from tests.testbed.certificates import make

Hosts = dict[str, dict[str, Any]]
BY_NAME = {case.name: case for case in CASES}
CHECKED = ("source-without-scheme", "source-unverified", "target-password", "target-in-use")
STARTED = (
    "source-with-credentials", "target-without-scheme", "source-unreachable", "target-unverified", "target-password",
    "target-in-use",
)  # fmt: skip


@pytest.fixture
def operator(installed: Path, tmp_path: Path) -> Operator:
    """Somebody with the installed collection and an empty home."""
    return Operator(tmp_path, installed)


def variables(sites: Sites, idle: IdleAgent, **changes: Any) -> dict[str, Any]:
    """What a host needs for any playbook, right but for ``changes``."""
    agent = idle.agent
    return {
        "agent_endpoint": agent.endpoint, "agent_ca_path": str(agent.ca_path), "agent_token": agent.token,
        "source_jwt_secret_path": str(sites.source.jwt_secret_path), **sites.request(**changes),
    }  # fmt: skip


def play(
    operator: Operator, sites: Sites, name: str, hosts: Mapping[str, Mapping[str, Any]], *options: str
) -> dict[str, Played]:
    """Every host has to fail, with all clusters untouched and no secret in the output."""
    with untouched(*sites.all):
        played, output = operator.play(name, hosts, *options)
    assert HIDDEN not in output
    assert PASSWORD not in output
    for host, one in played.items():
        assert one.failure, f"{host} did not fail: {output}"
        assert not one.changed, host
    return played


def test_the_precheck_names_option_and_remedy(
    sites: Sites, idle: IdleAgent, operator: Operator, tmp_path: Path
) -> None:
    hosts: Hosts = {name: variables(sites, idle, **BY_NAME[name].changes(sites)) for name in CHECKED}
    expected = {name: (BY_NAME[name].option, BY_NAME[name].says, BY_NAME[name].remedy) for name in CHECKED}
    for secret in SECRETS:
        path = tmp_path / f"{secret.name}.jwt"
        if secret.content is not None:
            path.write_bytes(secret.content)
        hosts[secret.name] = {**variables(sites, idle), "source_jwt_secret_path": str(path)}
        expected[secret.name] = ("source_jwt_secret_path", (secret.says,), secret.remedy)
    single = sites.single
    hosts["single"] = {
        **variables(sites, idle, source_endpoints=single.coordinators, source_ca_path=str(single.ca_path)),
        "source_jwt_secret_path": str(single.jwt_secret_path),
    }
    expected["single"] = ("source_endpoints", ("is a single server",), "arangodump and arangorestore")
    for host, one in play(operator, sites, "precheck", hosts).items():
        option, says, remedy = expected[host]
        (lines,) = one.shown
        index = next(number for number, line in enumerate(lines) if line.startswith("FAILED "))
        assert option in lines[index]
        assert [words for words in says if words not in lines[index]] == [], lines[index]
        assert remedy in lines[index + 1]
        assert "Every failed check above names its remedy" in one.failure["msg"]


def test_migrate_is_refused_and_starts_nothing(sites: Sites, idle: IdleAgent, operator: Operator) -> None:
    hosts = {name: variables(sites, idle, **BY_NAME[name].changes(sites)) for name in STARTED}
    for host, one in play(operator, sites, "migrate", hosts).items():
        case, message = BY_NAME[host], one.failure["msg"]
        assert case.option in message
        assert [words for words in case.says if words not in message] == [], message
        assert f"({case.code}). Remedy: " in message
        assert case.remedy in message
        assert one.failure["failure"]["code"] == case.code
    assert idle.agent.status()["state"] == "inactive"


def test_no_cutover_when_nothing_was_started(sites: Sites, idle: IdleAgent, operator: Operator) -> None:
    (one,) = play(operator, sites, "cutover", {"host": variables(sites, idle)}).values()
    assert "state: stopped is not possible: the migration is inactive" in one.failure["msg"]
    assert "Remedy: " in one.failure["msg"]


def test_no_agent_is_deployed_without_the_secret_file(sites: Sites, operator: Operator, tmp_path: Path) -> None:
    ca_path, keyfile = make(tmp_path)
    directories = {f"agent_{kind}_directory": str(tmp_path / kind) for kind in ("install", "config", "state")}
    host = {
        "agent_tls_ca_source": str(ca_path), "agent_tls_keyfile_source": str(keyfile),
        "agent_source_jwt_secret_source": "/nowhere/source.jwt", **directories,
    }  # fmt: skip
    (one,) = play(operator, sites, "deploy_agent", {"host": host}).values()
    message = "agent_source_jwt_secret_source: there is no file /nowhere/source.jwt on the controller."
    assert one.failure["msg"] == message
    assert not any(Path(directory).exists() for directory in directories.values())
