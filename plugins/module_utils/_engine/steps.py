# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A procedure's steps with their times, as status and report show them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Optional


class Steps:
    """The steps of one run, in order; ``current`` names the one that runs."""

    def __init__(self, names: Sequence[str]) -> None:
        self._items: dict[str, dict[str, Any]] = {
            name: {"name": name, "state": "pending", "seconds": None} for name in names
        }
        self.current: Optional[str] = None

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time one step; an exception makes it ``failed``. The time of a repeated step is a sum."""
        item = self._items[name]
        self.current, item["state"] = name, "running"
        began = time.monotonic()
        try:
            yield
        except BaseException:
            item["state"] = "failed"
            raise
        else:
            item["state"] = "done"
        finally:
            item["seconds"] = round((item["seconds"] or 0.0) + time.monotonic() - began, 3)
            self.current = None

    def seconds(self, name: str) -> Optional[float]:
        """How long a step took that was done, else None."""
        item = self._items[name]
        return item["seconds"] if item["state"] == "done" else None

    def document(self) -> list[dict[str, Any]]:
        """``name``, ``state`` (pending, running, done, failed) and ``seconds`` of every step."""
        return [dict(item) for item in self._items.values()]
