# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agent's command line as a process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.e2e.agent import Agent
from tests.tools.outside import outside

__all__ = ["run_cli", "start_flags"]

Done = subprocess.CompletedProcess[str]
FLAGS = {
    "source_endpoints": "--source.endpoint",
    "source_ca_path": "--source.cacert",
    "target_endpoints": "--target.endpoint",
    "target_ca_path": "--target.cacert",
    "target_username": "--target.username",
    "settle_after": "--settle-after",
    "late_write_watch": "--late-write-watch",
    "max_lag": "--max-lag",
}
PASSWORD_VARIABLE, TOKEN_VARIABLE = "TEST_TARGET_PASSWORD", "TEST_AGENT_TOKEN"


def start_flags(request: Mapping[str, Any]) -> list[str]:
    """The flags that make a start request; the password is taken from the environment."""
    flags = ["--target.password", f"env:{PASSWORD_VARIABLE}"] if "target_password" in request else []
    if request.get("ignore_metrics"):
        flags.append("--source.ignore-metrics")
    for name, flag in FLAGS.items():
        values = request.get(name, [])
        for value in values if isinstance(values, list) else [values]:
            flags += [flag, str(value)]
    return flags


def run_cli(
    archive: Path, *arguments: str, agent: Agent | None = None, environment: Mapping[str, Any] | None = None
) -> Done:
    """Run a command; ``agent`` adds how it is reached, ``environment`` is a start request with the password."""
    variables = outside()
    command = [sys.executable, str(archive), *arguments]
    if agent is not None:
        variables[TOKEN_VARIABLE] = agent.token
        command += ["--agent.endpoint", agent.endpoint, "--agent.cacert", str(agent.ca_path)]
        command += ["--agent.token", f"env:{TOKEN_VARIABLE}"]
    variables[PASSWORD_VARIABLE] = str((environment or {}).get("target_password", ""))
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)
