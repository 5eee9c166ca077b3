# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controller shows while a migration is watched: one moving line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from ansible.utils.display import Display

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.display import lookup, status_line
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.watching import ERASE, ProblemsOnce, share_bar

# Seen when the plugin is loaded: its process is detached from the terminal later (ansible-core 2.19 and newer).
_TERMINAL = sys.stdout.isatty()


def can_draw(task_vars: Mapping[str, Any]) -> bool:
    """Whether one line may be drawn again and again: on a terminal, for one host, but not below ansible-runner."""
    hosts = task_vars.get("ansible_play_batch") or []
    return _TERMINAL and len(hosts) == 1 and "AWX_ISOLATED_DATA_DIR" not in os.environ


class Shown:
    """Call it with each status document. A context manager: it leaves the last line behind."""

    def __init__(self, display: Display, host: str, draw: bool) -> None:
        self._display = display
        self._host = host
        self._draw = draw
        self._last = ""
        self._problems = ProblemsOnce()

    def __enter__(self) -> Shown:
        return self

    def __exit__(self, *error: object) -> None:
        if self._draw and self._last:
            self._tell(self._last)

    def __call__(self, status: Mapping[str, Any]) -> None:
        """Show the status if it differs from the last one, and each new problem."""
        for problem in self._problems.new_lines(status):
            self._tell(f"[{self._host}] {problem}")
        self._show(status_line(status), lookup(status, "progress.percent"))

    def lost(self) -> None:
        """Show that nothing is known at the moment."""
        self._show("no answer from the agent; asking again", None)

    def _tell(self, line: str) -> None:
        if self._draw:
            self._display.display(ERASE, newline=False, screen_only=True)
        self._display.display(line)

    def _show(self, text: str, percent: Any) -> None:
        line = f"[{self._host}] {text}"
        if self._draw:
            drawn = f"{share_bar(percent)} {text}"[: self._display.columns]
            self._display.display(ERASE + drawn, newline=False, screen_only=True)
        elif line != self._last:
            self._display.display(line)
        self._last = line
