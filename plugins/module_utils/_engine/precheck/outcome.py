# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a rule says, and the row of the table that holds the rule (design §7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, Optional

from ..._core.errors import CutoverError

if TYPE_CHECKING:
    from .context import Context

GROUPS = ("input", "source", "target", "capacity", "features", "agent", "platform")
SEVERITIES = ("error", "warning", "info")
STATUSES = ("passed", "failed", "warning", "unknown", "skipped", "accepted")


@dataclass(frozen=True)
class Outcome:
    """The verdict of one rule: ``good``, ``bad``, ``unknown`` (could not be measured) or ``skipped`` (not due here).

    ``measured`` holds JSON values of both sides; ``remedy`` replaces the row's own when it can be more exact.
    ``passes``: by trouble that asking again may not meet.
    """

    state: str
    message: str
    measured: Mapping[str, Any] = field(default_factory=dict)
    remedy: Optional[str] = None
    passes: bool = False


def good(message: str, **measured: Any) -> Outcome:
    """Nothing to object."""
    return Outcome("good", message, measured)


def bad(message: str, *, remedy: Optional[str] = None, **measured: Any) -> Outcome:
    """The rule is broken; what that means is decided by the row's severity."""
    return Outcome("bad", message, measured, remedy)


def unknown(message: str, **measured: Any) -> Outcome:
    """It could not be measured."""
    return Outcome("unknown", message, measured)


def unanswered(error: CutoverError) -> Outcome:
    """It could not be measured, because of this error."""
    message = f"could not be measured: {error.message}"
    return Outcome("unknown", message, {"code": error.code}, passes=error.retriable)


def skipped(message: str, **measured: Any) -> Outcome:
    """The rule has nothing to say here."""
    return Outcome("skipped", message, measured)


class BlockedError(Exception):
    """A fact cannot be measured because something before it failed, which another row reports."""


@dataclass(frozen=True)
class Row:
    """One precheck.

    ``why`` tells readers of the documentation what depends on it.
    ``severity`` says what a broken rule is: ``error`` fails the run, ``warning`` is shown, ``info`` only informs.
    ``metric`` rows measure sizes: with ``ignore_metrics`` they only warn. Rows that are not ``acceptable`` stay
    failed whatever the operator accepts: nothing could be done without what they ask for. ``passing`` rows look at a
    condition that comes and goes: it keeps a migration from beginning, and none from going on.
    """

    id: str
    group: str
    severity: str
    title: str
    rule: Callable[[Context], Outcome]
    remedy: str
    why: str
    metric: bool = False
    acceptable: bool = True
    passing: bool = False

    @property
    def doc(self) -> str:
        """Where the documentation of this row stands."""
        return f"docs/prechecks.md#{self.id}"


def listed(names: list[str], limit: int = 10) -> str:
    """The first names of a list for a message, and how many more there are."""
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"


def gibibytes(size: float) -> str:
    """A number of bytes for humans."""
    return f"{size / 2**30:.1f} GiB"
