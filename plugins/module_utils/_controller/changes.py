# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What was changed on a controller, or would be in check mode."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Changes:
    """Every write goes through ``make``, which does not do it in check mode; ``unknown`` is what that leaves open."""

    check: bool
    made: list[dict[str, Any]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def make(
        self, write: Callable[[], dict[str, Any]], *, kind: str, name: str, action: str,
        before: Mapping[str, Any] | None = None, after: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """The answer of ``write``, empty in check mode. ``action`` is created, updated or removed."""
        self.made.append({
            "kind": kind, "name": name, "action": action, "before": dict(before or {}), "after": dict(after or {}),
        })  # fmt: skip
        return {} if self.check else write()

    def diff(self) -> dict[str, dict[str, Any]]:
        """All changes as one diff: by ``KIND NAME``, what it was and what it is."""
        sides: dict[str, dict[str, Any]] = {"before": {}, "after": {}}
        for change in self.made:
            for side, shown in sides.items():
                shown.setdefault(f"{change['kind']} {change['name']}", {}).update(change[side])
        return sides
