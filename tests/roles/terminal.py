# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Somebody in a terminal."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.tools.outside import outside


@dataclass
class Terminal:
    """A shell in a directory; what was exported, and aliases, stay. ``environment`` is added to that of the process."""

    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)

    def types(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command; standard output and errors are one."""
        if command.startswith(("export ", "alias ")):
            self.kept.append(command)
        script = "\n".join(["set -eu", "shopt -s expand_aliases", *self.kept, command])
        environment = {**outside(), "ANSIBLE_NOCOLOR": "1", **self.environment}
        return subprocess.run(
            ["bash", "-c", script], cwd=self.directory, env=environment, text=True, check=False, timeout=900,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
