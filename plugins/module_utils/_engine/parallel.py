# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A few calls at the same time, with all results or the first error."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, TypeVar

Key = TypeVar("Key")
Result = TypeVar("Result")


def gather(calls: Mapping[Key, Callable[[], Result]], width: int = 8) -> dict[Key, Result]:
    """The result of every call by its key. All calls are made; then the first error in key order is raised."""
    if len(calls) <= 1:
        return {key: call() for key, call in calls.items()}
    with ThreadPoolExecutor(max_workers=min(width, len(calls)), thread_name_prefix="gather") as pool:
        futures = {key: pool.submit(call) for key, call in calls.items()}
    return {key: future.result() for key, future in futures.items()}
