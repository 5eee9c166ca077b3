# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which old archives the role `agent` takes away from a host."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[3] / "roles/agent/files/spare_archives.py"


def name(letter: str) -> str:
    """The name of an archive."""
    return f"cutover-agent-{letter * 12}.pyz"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Four archives, "c" the oldest and "b" the newest, the link for people and what an operator has put there."""
    made = tmp_path / "install [1]"
    made.mkdir()
    for age, letter in enumerate("cadb"):
        (made / name(letter)).touch()
        os.utime(made / name(letter), (1000 + age, 1000 + age))
    (made / "cutover-agent.pyz").symlink_to(name("d"))
    (made / "notes.txt").touch()
    return made


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """A directory for units."""
    made = tmp_path / "units"
    made.mkdir()
    return made


def spare(directory: Path, current: str, units: Path) -> set[str]:
    """Letters of the archives that may go."""
    command = [sys.executable, "-c", PROGRAM.read_text(), str(directory), name(current), str(units)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    paths = [Path(line) for line in done.stdout.splitlines()]
    assert {path.parent for path in paths} <= {directory}
    return {path.stem.removeprefix("cutover-agent-")[0] for path in paths}


def test_the_one_in_use_and_the_one_before_stay(directory: Path, units: Path) -> None:
    assert spare(directory, "b", units) == {"a", "c"}
    assert spare(directory, "c", units) == {"a", "d"}  # after going back
    assert spare(directory, "e", units) == {"a", "c", "d"}  # in check mode the new one is not there yet


def test_few_stay(directory: Path, units: Path) -> None:
    for letter in "abc":
        (directory / name(letter)).unlink()
    assert spare(directory, "d", units) == spare(directory, "e", units) == set()
    assert spare(directory / "not there", "d", units) == set()


@pytest.mark.parametrize("unit", ["cutover-agent@north.service", "cutover-guard.service"])
def test_what_the_unit_of_another_instance_names_stays(directory: Path, units: Path, unit: str) -> None:
    (units / unit).write_text(f"[Service]\nExecStart=/usr/bin/python3 {directory}/{name('a')} serve --config x\n")
    assert spare(directory, "b", units) == {"c"}


@contextmanager
def running(archive: Path) -> Iterator[None]:
    """A process with the archive in its arguments."""
    code = "import sys; sys.stdout.write('up'); sys.stdout.flush(); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(archive)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read(2) == b"up"
        yield
        process.communicate()


def test_what_a_process_runs_stays(directory: Path, units: Path) -> None:
    with running(directory / name("c")):
        assert spare(directory, "b", units) == {"a"}
    assert spare(directory, "b", units) == {"a", "c"}
