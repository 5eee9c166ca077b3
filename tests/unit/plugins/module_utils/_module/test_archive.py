# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The archive: reproducible, complete, and runs with nothing installed."""

from __future__ import annotations

import io
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._module import archive

ROOT = Path(__file__).resolve().parents[5]


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """A copy of what the archive is made of."""
    for part in archive.PARTS:
        shutil.copytree(
            ROOT / "plugins/module_utils" / part,
            tmp_path / "collection/plugins/module_utils" / part,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    shutil.copy(ROOT / "galaxy.yml", tmp_path / "collection/galaxy.yml")
    return tmp_path / "collection"


def test_same_sources_same_bytes(collection: Path) -> None:
    first = archive.build_archive(collection)
    for path in collection.rglob("*.py"):
        os.utime(path, (1, 1))
        path.chmod(0o600)
    (collection / "plugins/module_utils/_core/__pycache__").mkdir()
    (collection / "plugins/module_utils/_core/__pycache__/x.py").write_text("")
    assert archive.build_archive(collection) == first


def test_other_sources_other_bytes(collection: Path) -> None:
    first = archive.build_archive(collection)
    with open(collection / "plugins/module_utils/_core/errors.py", "a", encoding="utf-8") as stream:
        stream.write("# changed\n")
    assert archive.build_archive(collection).sha256 != first.sha256


def test_entries_are_sorted_stored_and_dateless(collection: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(archive.build_archive(collection).content)) as packed:
        entries = packed.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.create_system for entry in entries} == {3}
    assert {"__main__.py", "cutover_agent/__init__.py", "cutover_agent/build.json"} <= {e.filename for e in entries}
    assert not [entry for entry in entries if "ansible" in entry.filename or "_module" in entry.filename]


def test_it_runs_isolated_from_everything_installed(collection: Path, tmp_path: Path) -> None:
    path = tmp_path / "agent.pyz"
    built = archive.build_archive(collection)
    archive.write_archive(path, built)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert archive.digest_of(path) == built.sha256
    result = subprocess.run(
        [sys.executable, "-I", "-S", str(path), "--version"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (result.returncode, result.stdout.strip()) == (0, built.version)


def test_version_of_checkout_and_installed_collection(collection: Path) -> None:
    assert archive.collection_version(collection) == archive.collection_version(ROOT)
    (collection / "MANIFEST.json").write_text('{"collection_info": {"version": "9.8.7"}}')
    assert archive.collection_version(collection) == "9.8.7"


def test_what_is_missing_is_named(collection: Path, tmp_path: Path) -> None:
    (collection / "galaxy.yml").unlink()
    with pytest.raises(CutoverError, match=r"galaxy\.yml"):
        archive.build_archive(collection)
    shutil.rmtree(collection / "plugins/module_utils/_core")
    with pytest.raises(CutoverError, match="_core"):
        archive.build_archive(collection)
    with pytest.raises(CutoverError, match="No such file"):
        archive.write_archive(tmp_path / "none" / "agent.pyz", archive.Archive(b"", "", ""))
    assert archive.digest_of(tmp_path / "none") is None


def test_old_pythons_are_told_in_one_line() -> None:
    source = archive.MAIN.decode()
    assert "f\"" not in source
    code = source.replace("sys.version_info < (3, 9)", "True")
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "3.9 or newer" in result.stderr


def test_every_packed_module_imports_isolated(collection: Path, tmp_path: Path) -> None:
    path = tmp_path / "agent.pyz"
    archive.write_archive(path, archive.build_archive(collection))
    code = (
        "import importlib, pkgutil, sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "import cutover_agent\n"
        "names = [m.name for m in pkgutil.walk_packages(cutover_agent.__path__, 'cutover_agent.')]\n"
        "[importlib.import_module(name) for name in names]\n"
        "print(len(names))\n"
    )
    command = [sys.executable, "-I", "-S", "-c", code, str(path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    sources = [file for file in collection.rglob("*.py") if file.name != "__init__.py"]
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) >= len(sources)
