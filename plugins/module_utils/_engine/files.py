# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Small JSON files in the agent's state directory: replaced as a whole, synced, readable by the owner alone."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from .._core.errors import CutoverError


def write_json(path: Path, value: object) -> None:
    """Replace a file atomically (mode 0600) and sync it and its directory. Raises CUT-DISK-1."""
    temporary = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            # Not ``json.dump``: it is written in Python, and takes ten times as long.
            file.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_directory(path.parent)
    except OSError as error:
        raise CutoverError(
            "CUT-DISK-1", f"cannot write {path}: {error.strerror or error}", retriable=True, details={"path": str(path)}
        ) from error


def sync_directory(path: Path) -> None:
    """Make a rename or a removal in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_json(path: Path) -> Any:
    """The file's value, None when there is no file. Raises CUT-DISK-2 for one that cannot be read."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise CutoverError(
            "CUT-DISK-2", f"cannot read {path}: {error}", details={"path": str(path)}
        ) from error
