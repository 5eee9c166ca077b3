# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""docs/quickstart.md, command for command as a new user types it, with what the testbed prints."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.roles.packed import copy_parts
from tests.testbed.printed import in_foreground, lines_to_try, variables
from tests.tools.blocks import blocks, typed
from tests.tools.outside import outside
from tests.tools.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/quickstart.md"
SECTIONS = dict(re.findall(r"^## (\d)\. (.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.M | re.S))
# What the page says of a command: the text that it prints, and whether it fails. Every other one succeeds.
SAID = {
    ("4", "watch"): ("ready for the cutover", False),
    ("5", "cutover"): ("CUT-VERIFY-10", True),
    ("5", "cutover -e gate_timeout=600"): ("state            completed", False),
    ("6", "cutover"): ("changed=0", False),
}

pytestmark = [
    pytest.mark.timeout(1200),
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed: the printed lines cannot be run"),
]


@dataclass
class User:
    """Somebody in a terminal, in the repository; what was exported stays."""

    repository: Path
    exported: list[str] = field(default_factory=list)

    def types(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command; standard output and errors are one."""
        if command.startswith("export "):
            self.exported.append(command)
        script = "\n".join(["set -eu", *self.exported, command])
        environment = {**outside(), "ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(self.repository / "build/home")}
        return subprocess.run(
            ["bash", "-c", script], cwd=self.repository, env=environment, text=True, check=False, timeout=900,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip


@pytest.fixture
def printed() -> Iterator[list[str]]:
    """The first terminal."""
    with in_foreground() as lines:
        yield lines


@pytest.fixture
def user(tmp_path: Path, printed: list[str]) -> Iterator[User]:
    """The second terminal: what is fixed on the page and may be taken here has another place."""
    repository = copy_parts(tmp_path)
    (repository / ".venv").symlink_to(sys.prefix)
    (repository / "build").mkdir()
    port = free_port()
    (inventory,) = blocks(SECTIONS["3"], "yaml")
    inventory = inventory.replace("/tmp/cutover/", f"{tmp_path}/cutover/")
    (repository / "build/inventory.yml").write_text(f"{inventory}{variables(printed)}    agent_port: {port}\n")
    yield User(repository)
    archive = tmp_path / "cutover/install/cutover-agent.pyz"
    if archive.exists():
        pid_file = str(tmp_path / "cutover/run/agent.pid")
        command = [sys.executable, str(archive), "serve", "--shutdown", "--pid-file", pid_file]
        subprocess.run(command, timeout=60, check=False)


def short(command: str) -> str:
    """A command without what is the same in all."""
    return command.partition("cutover.arangodb.")[2] if command.startswith("ansible-playbook ") else command


def test_what_is_said_of_commands_is_said_of_commands_of_the_page() -> None:
    there = {(number, short(line)) for number, text in SECTIONS.items() for line in typed(text)}
    assert set(SAID) <= there
    assert list(typed(SECTIONS["1"])) == ["make testbed"]
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^testbed: setup .*\n\tpython -m tests\.testbed\.foreground$", makefile, re.M)


def imported(printed: list[str], side: str) -> str:
    """The line that writes 5,000 documents."""
    (line,) = [line for line in lines_to_try(printed, side) if "/_api/import" in line]
    return line


def follow(user: User, sections: str) -> None:
    """Type every command of these sections and see that each does what the page says."""
    for number in sections:
        for command in typed(SECTIONS[number]):
            text, fails = SAID.get((number, short(command)), ("", False))
            ended = user.types(command)
            assert (ended.returncode != 0) is fails, f"{command}\n{ended.stdout}"
            assert text in ended.stdout, f"{command}\n{ended.stdout}"


def test_a_new_user_comes_to_the_end(user: User, printed: list[str]) -> None:
    made = user.types("\n".join(lines_to_try(printed, "source")))
    assert made.returncode == 0, made.stdout
    follow(user, "23456")
    assert '"created":5000' in user.types(imported(printed, "target")).stdout
    assert '"errorNum":1004' in user.types(imported(printed, "source").replace(" -f", "")).stdout
    follow(user, "7")
    assert sorted(SECTIONS) == list("1234567")
