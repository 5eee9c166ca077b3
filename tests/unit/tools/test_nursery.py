# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A nursery imports once; what it forks is a process like any other, and nothing of it outlives its caller."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.nursery import Forked, Nursery

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 60.0
CHILD = """
import os, pathlib, signal, sys
with open("imported", "a") as noted:
    noted.write("once ")

def main():
    with open("imported", "a") as noted:
        noted.write(" ".join(sys.argv) + ", ")
    if "stubborn" in sys.argv:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("up", flush=True)
    print("to", sys.stdin.read(), file=sys.stderr, flush=True)
    while "stubborn" in sys.argv:
        signal.pause()
"""


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    """One that has imported CHILD."""
    (tmp_path / "child.py").write_text(CHILD)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    made = Nursery("child", directory=tmp_path, environment=environment)
    yield made
    made.close()


def born(nursery: Nursery, directory: Path, *arguments: str) -> tuple[Forked, int]:
    """A child that is up, and the end of its standard input that is ours."""
    theirs, ours = os.pipe()
    output, told = os.pipe()
    with (directory / "errors").open("wb") as errors:
        child = nursery.fork(arguments, (theirs, told, errors.fileno()))
    os.close(theirs)
    os.close(told)
    with os.fdopen(output) as said:
        assert said.readline() == "up\n"
    return child, ours


def test_each_child_has_its_arguments_and_streams_and_imports_nothing(nursery: Nursery, tmp_path: Path) -> None:
    for name in ("first", "second"):
        child, leash = born(nursery, tmp_path, name)
        assert not child.wait(0.0)
        os.write(leash, name.encode())
        os.close(leash)
        assert child.wait(PATIENCE)
        assert (tmp_path / "errors").read_text() == f"to {name}\n"
        child.end(PATIENCE)
    assert (tmp_path / "imported").read_text() == "once child first, child second, "


def test_a_stubborn_child_is_killed(nursery: Nursery, tmp_path: Path) -> None:
    child, leash = born(nursery, tmp_path, "stubborn")
    for _time in range(2):
        child.end(0.1)
    os.close(leash)
    assert Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"  # nobody has buried it


def test_a_nursery_ends_with_its_caller(tmp_path: Path) -> None:
    (tmp_path / "child.py").write_text(CHILD)
    script = (
        "import os, pathlib; from tests.tools.nursery import Nursery;"
        f"made = Nursery('child', directory=pathlib.Path({str(tmp_path)!r}), environment=os.environ);"
        "child = made.fork(['one'], (0, 1, 2)); child.wait(60); os.kill(os.getpid(), 9)"
    )
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    # Output ends when the nursery has, too, which has inherited it.
    done = subprocess.run(
        [sys.executable, "-c", script], input="", capture_output=True, text=True, env=environment, timeout=PATIENCE,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (-9, "up\n", "to \n")


def test_modules_that_cannot_be_imported_are_told(tmp_path: Path) -> None:
    made = Nursery("no_such_module", directory=ROOT, environment=os.environ)
    with pytest.raises((RuntimeError, OSError)):
        made.fork([], (0, 1, 2))
    made.close()
