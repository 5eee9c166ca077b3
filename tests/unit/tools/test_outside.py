# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Programs outside see nothing of the checkout; byte code of archives is kept by what they hold, wherever they lie."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.tools.outside import outside


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """That of a checkout in another place, whose byte code is kept there."""
    own = tmp_path / "tests/tools/zipcode"
    shutil.copytree(outside()["PYTHONPATH"], own)
    return {**outside(), "PYTHONPATH": str(own)}


def says(environment: dict[str, str], archive: Path, text: str) -> str:
    """What a program prints that imports a module with this text from a new archive."""
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("__main__.py", "import told")
        packed.writestr("told.py", text)
    done = subprocess.run([sys.executable, str(archive)], env=environment, capture_output=True, text=True, check=False)
    return done.stdout or done.stderr.splitlines()[-1]


def kept(tmp_path: Path) -> dict[str, bytes]:
    """Byte code by the hash of its source."""
    return {path.name: path.read_bytes() for path in (tmp_path / "build/zipcode").iterdir()}


def test_the_checkout_cannot_be_imported() -> None:
    for module in ("tests", "ansible_collections.cutover"):
        command = [sys.executable, "-c", f"import {module}"]
        done = subprocess.run(command, env=outside(), cwd="/", capture_output=True, text=True, check=False)
        assert "ModuleNotFoundError" in done.stderr, module


def test_byte_code_is_kept_by_the_source(environment: dict[str, str], tmp_path: Path) -> None:
    assert says(environment, tmp_path / "a.zip", "print('one')") == "one\n"
    first = kept(tmp_path)
    assert len(first) == 2
    assert says(environment, tmp_path / "b.zip", "print('one')") == "one\n"
    assert kept(tmp_path) == first
    assert says(environment, tmp_path / "a.zip", "print('two')") == "two\n"
    (second,) = kept(tmp_path).keys() - first.keys()
    # What is kept is what runs: here the second text is given the code of another one.
    (tmp_path / "build/zipcode" / second).write_bytes(next(code for code in first.values() if b"one" in code))
    assert says(environment, tmp_path / "b.zip", "print('two')") == "one\n"


def test_what_cannot_be_kept_is_compiled(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "build").touch()
    assert says(environment, tmp_path / "a.zip", "print('one')") == "one\n"
    assert says(environment, tmp_path / "a.zip", "print('one'").startswith("SyntaxError")
