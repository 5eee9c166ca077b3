# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A group of two hosts as docs/tuning.md has it: the first agent leads, the second one copies for it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import yaml

from tests.integration.engine_case import all_differences
from tests.integration.pair import Pair
from tests.roles.conftest import Host, end_agent, here
from tests.tools.blocks import every_block
from tests.unit.agent_fakes import Certificates

# Each test starts many processes one after another; on a busy machine that takes minutes.
pytestmark = pytest.mark.timeout(600)


def test_a_group_of_agents_shares_a_migration(
    real_host: Host, clusters: Pair, certificates: Certificates, tmp_path: Path
) -> None:
    (block,) = [block for block in every_block() if block.page == "docs/tuning.md" and "cutover_agents" in block.text]
    _first, name = yaml.safe_load(block.text)["cutover_agents"]["hosts"]
    second = tmp_path / "second"
    (second / "host").mkdir(parents=True)
    group = dataclasses.replace(real_host, others={name: here(second, certificates)})
    try:
        deployed = group.play("deploy_agent")
        assert deployed.code == 0, deployed.output
        started = group.play("migrate")
        assert (started.code, started.output.count("changed=1 ")) == (0, 2), started.output
        status = group.play("status").output
        assert "copies for       the agent on host" in told_by(name, status)
        assert "copies for" not in told_by("localhost", status)
        done = group.play("cutover", gate_timeout=60)
        assert (done.code, recap(done.output, "localhost"), recap(done.output, name)) == (0, 1, 0), done.output
        assert all_differences(clusters) == {}
        gone = group.play("remove_agent")
        assert gone.code == 0, gone.output
        assert list(second.joinpath("host").iterdir()) == []
    finally:
        end_agent(second / "host")


def told_by(host: str, output: str) -> str:
    """What a playbook shows of one host."""
    return output.partition(f"ok: [{host}] => ")[2].partition("\nok: [")[0]


def recap(output: str, host: str) -> int:
    """Number of changed tasks of one host."""
    (line,) = [line for line in output.partition("PLAY RECAP")[2].splitlines() if line.startswith(host)]
    return int(line.partition("changed=")[2].split()[0])
