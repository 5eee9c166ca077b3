# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One collection read on both sides at the same time and compared row by row."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Callable

from .matching import SOURCE, TARGET, Matching


class HaltedError(Exception):
    """Somebody else needs the servers now: the comparison begins anew later."""


def compare(
    streams: Sequence[Generator[list[str], None, None]],
    matching: Matching,
    pay: Callable[[int], None],
    halted: Callable[[], bool],
    seen: Callable[[list[str]], None],
) -> int:
    """Bring all rows of source and target together, from their streams; returns how many documents the source has.

    ``pay`` is called with the number of keys read, ``seen`` with the source's rows. Raises ``HaltedError``, what a
    server answered, or ``OSError``.
    """
    documents = 0
    running = {SOURCE, TARGET}
    with closing(streams[SOURCE]), closing(streams[TARGET]), ThreadPoolExecutor(2, "verify-read") as pool:
        while running:
            if halted():
                raise HaltedError
            batches = {side: pool.submit(next, streams[side], None) for side in sorted(running)}
            for side, batch in batches.items():
                rows = batch.result()
                if rows is None:
                    running.discard(side)
                    continue
                matching.add(side, rows)
                if side == SOURCE:
                    documents += len(rows)
                    seen(rows)
                    pay(len(rows))
    return documents
