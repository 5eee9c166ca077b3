# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Threads of the data path: each ends by ``Stopped``, and none dies without being reported."""

from __future__ import annotations

import threading
from typing import Callable

from .._core.clock import Deadline
from .patience import Stopped

Crash = Callable[[str, Exception], None]


class Workers:
    """Starts and joins threads; ``crash`` is told of every exception that a thread did not expect."""

    def __init__(self, crash: Crash) -> None:
        self._crash = crash
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def start(self, name: str, run: Callable[[], None]) -> threading.Thread:
        """Run something in a thread of its own."""
        thread = threading.Thread(target=self._guard, args=(name, run), name=name, daemon=True)
        with self._lock:
            self._threads = [known for known in self._threads if known.is_alive() or known.ident is None]
            self._threads.append(thread)
        thread.start()
        return thread

    def join(self, deadline: Deadline) -> list[str]:
        """Wait for all of them; gives the names of those that have not ended in time."""
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(deadline.remaining())
        return [thread.name for thread in threads if thread.is_alive()]

    def _guard(self, name: str, run: Callable[[], None]) -> None:
        try:
            run()
        except Stopped:
            return
        except Exception as error:  # noqa: BLE001 - reported by its name; a silent end would look like idleness
            self._crash(name, error)
