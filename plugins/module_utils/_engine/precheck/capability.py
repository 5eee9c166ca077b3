# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a cluster is found able to do where the facts leave it open, and the mode that follows (facts §12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Optional

from ..._core.redact import redact

if TYPE_CHECKING:
    from .context import Context

FOUND, MISSING, UNKNOWN, NOT_PROBED = "found", "missing", "unknown", "not-probed"


@dataclass(frozen=True)
class Seen:
    """What a probe saw: it is ``there``, it is not, or (None) there was no telling."""

    there: Optional[bool]
    text: str


@dataclass(frozen=True)
class Capability:
    """One thing that no source proves of every server.

    ``works`` is what the migration does where it is there, ``otherwise`` what it falls back to. ``probe`` only reads.
    Without one it is tried in the throw-away database of ``probe_target`` (``tried``), or found out when it is needed,
    as ``later`` says. ``facts`` names the section that leaves it open.
    """

    id: str
    side: str
    title: str
    facts: str
    works: str
    otherwise: str
    probe: Optional[Callable[[Context], Seen]] = None
    tried: bool = False
    later: str = ""

    def answer(self, seen: Optional[Seen]) -> dict[str, Any]:
        """The capability as JSON values; ``seen`` is None where nothing was tried."""
        if seen is None:
            status, text = NOT_PROBED, self.later or "tried only with probe_target"
        else:
            status = {True: FOUND, False: MISSING, None: UNKNOWN}[seen.there]
            text = redact(seen.text)
        return {
            "id": self.id, "side": self.side, "title": self.title, "status": status, "found": text,
            "mode": self._mode(status), "facts": self.facts,
        }  # fmt: skip

    def _mode(self, status: str) -> str:
        if status == FOUND:
            return self.works
        if status == MISSING:
            return self.otherwise
        return f"found out when it is needed: {self.works}; otherwise {self.otherwise}"
