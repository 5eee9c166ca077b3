# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The number of the last checkpoint, in the journal and in the state directory (design §4.8, invariants I1 and I5).

A host that was set back to an earlier snapshot or backup has lost what it knew of writes without an answer and of keys
to be read back, and does not know it: only the numbers tell.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

from .files import read_json, write_json

FORMAT = 1


class CheckpointNumber:
    """Of one migration on one host. The disk goes first, so that a crash leaves it one ahead of the journal."""

    def __init__(self, path: Path, migration: Optional[str], journaled: int) -> None:
        """``migration`` is its id and ``journaled`` the number (0 for none) that the journal has. Raises CUT-DISK-2."""
        self._path = path
        self._migration = migration
        self._journaled = journaled
        known: Any = read_json(path) or {}
        self._local = int(known.get("number", 0)) if known.get("migration") == migration else 0

    @property
    def doubt(self) -> Optional[str]:
        """Why the state directory cannot be the one of the journal's last checkpoint; None when it can."""
        if self._journaled <= self._local <= self._journaled + 1:
            return None
        which = "older" if self._local < self._journaled else "newer"
        return (
            f"the state directory is {which} than the journal on the target: it is of checkpoint {self._local}, the "
            f"journal of {self._journaled}; it is not relied on, and every collection is compared with the source again"
        )

    def begin(self) -> int:
        """Note on the disk that a checkpoint begins; gives the number to journal. Raises CUT-DISK-1."""
        self._local = self._journaled + 1
        write_json(self._path, {"format": FORMAT, "migration": self._migration, "number": self._local})
        return self._local

    def journaled(self) -> None:
        """The journal has it."""
        self._journaled = self._local
