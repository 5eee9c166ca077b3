# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the state directory knows of the migration, with its format: read again after a restart, also by the guard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

from .._core.errors import CutoverError
from . import spec
from .files import read_json, write_json

FORMAT = 1


def save(path: Path, wanted: spec.Spec, document: Mapping[str, Any]) -> None:
    """Write request (with the password) and state; mode 0600. Raises CUT-DISK-1."""
    write_json(path, {"format": FORMAT, "request": wanted.as_request(), **document})


def load(path: Path) -> Optional[tuple[spec.Spec, dict[str, Any]]]:
    """What ``save`` wrote, None before the first time.

    Raises CUT-STATE-10 for what a newer version wrote, which an older one must not misread, and CUT-DISK-2.
    """
    known = read_json(path)
    if not isinstance(known, dict) or "request" not in known:
        return None
    found = known.get("format", FORMAT)
    if not isinstance(found, int) or found > FORMAT:
        raise _newer(path, f"has the format {found}, this version knows {FORMAT}")
    try:
        return spec.parse(known["request"]), known
    except CutoverError as error:
        # An option that this version does not know: leaving it out would make another migration of it.
        if error.code == "CUT-SPEC-2":
            option = error.details["field"]
            raise _newer(path, f"holds the option {option}, which this version does not know") from error
        raise


def _newer(path: Path, why: str) -> CutoverError:
    return CutoverError("CUT-STATE-10", f"{path} was written by a newer version: it {why}", details={"path": str(path)})
