# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Builds `cutover-agent.pyz`: the same sources give the same bytes, on every Python and every machine."""
from __future__ import annotations

import hashlib
import io
import json
import os
import re
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._core.errors import CutoverError

PACKAGE = "cutover_agent"
PARTS = ("_agent", "_core", "_engine")
INTERPRETER = b"#!/usr/bin/env python3\n"
# Old Pythons must read this file to say that they are too old, so its syntax is old too.
MAIN = b"""import sys

if sys.version_info < (3, 9):
    sys.stderr.write("cutover-agent needs Python 3.9 or newer, this is %d.%d\\n" % sys.version_info[:2])
    raise SystemExit(2)

from cutover_agent._agent.cli import main

raise SystemExit(main())
"""


@dataclass(frozen=True)
class Archive:
    """The built file: its bytes, their SHA-256 and the collection's version."""

    content: bytes
    sha256: str
    version: str


def collection_version(root: Path) -> str:
    """Version of the collection at `root`, installed (MANIFEST.json) or as a checkout (galaxy.yml)."""
    manifest = root / "MANIFEST.json"
    if manifest.is_file():
        return str(json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"])
    galaxy = root / "galaxy.yml"
    found = re.search(r"^version: *([^\s#]+)", galaxy.read_text(encoding="utf-8"), re.M) if galaxy.is_file() else None
    if found is None:
        raise CutoverError("CUT-AGENT-50", f"{root} holds neither MANIFEST.json nor a galaxy.yml with a version")
    return found.group(1).strip("\"'")


def _sources(module_utils: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {f"{PACKAGE}/__init__.py": b""}
    for part in PARTS:
        found = sorted(path for path in (module_utils / part).rglob("*.py") if "__pycache__" not in path.parts)
        if not found:
            raise CutoverError("CUT-AGENT-50", f"{module_utils / part} holds no sources")
        for path in found:
            inner = path.relative_to(module_utils)
            files[f"{PACKAGE}/{inner.as_posix()}"] = path.read_bytes()
            for parent in list(inner.parents)[:-1]:
                # An importer of zip files knows a directory only by a file of its package.
                files.setdefault(f"{PACKAGE}/{parent.as_posix()}/__init__.py", b"")
    return files


def _digest(files: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + hashlib.sha256(files[name]).digest())
    return digest.hexdigest()


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    buffer.write(INTERPRETER)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def build_archive(collection_root: Path) -> Archive:
    """Pack the agent of the collection at `collection_root`; raises CUT-AGENT-50."""
    try:
        files = _sources(collection_root / "plugins" / "module_utils")
        version = collection_version(collection_root)
    except OSError as error:
        raise CutoverError("CUT-AGENT-50", f"reading {error.filename}: {error.strerror}") from error
    build = {"version": version, "source_sha256": _digest(files)}
    files[f"{PACKAGE}/build.json"] = json.dumps(build, sort_keys=True).encode() + b"\n"
    files["__main__.py"] = MAIN
    content = _zip(files)
    return Archive(content, hashlib.sha256(content).hexdigest(), version)


def digest_of(path: Path) -> str | None:
    """SHA-256 of the file at `path`, None when there is none; raises CUT-AGENT-50."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CutoverError("CUT-AGENT-50", f"reading {path}: {error.strerror}") from error


def write_archive(path: Path, archive: Archive) -> None:
    """Put `archive` at `path` in one step, mode 0644."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(archive.content)
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except OSError:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise CutoverError("CUT-AGENT-50", f"writing {path}: {error.strerror}") from error


def describe(path: Path, archive: Archive) -> dict[str, Any]:
    """What the module returns about it."""
    return {"path": str(path), "sha256": archive.sha256, "size": len(archive.content), "version": archive.version}
