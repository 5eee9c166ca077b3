# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Loads a data set into a cluster through python-arango's bulk import."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from tests.workload.clients import Connection

__all__ = ["load"]

BATCH = 5000
Table = tuple[str, str, Iterable[dict[str, Any]]]


def batches(documents: Iterable[dict[str, Any]], size: int = BATCH) -> Iterator[list[dict[str, Any]]]:
    """Cut an iterable into lists of at most ``size``."""
    iterator = iter(documents)
    while batch := list(itertools.islice(iterator, size)):
        yield batch


def load(connection: Connection, tables: Iterable[Table]) -> dict[tuple[str, str], int]:
    """Import every table into its existing collection; return how many documents each got.

    Raises ``arango.exceptions.DocumentInsertError`` when the server takes a document otherwise than asked.
    """
    counts: dict[tuple[str, str], int] = {}
    for database, name, documents in tables:
        collection = connection.database(database).collection(name)
        counts[(database, name)] = 0
        for batch in batches(documents):
            collection.import_bulk(batch, halt_on_error=True, details=False)
            counts[(database, name)] += len(batch)
    return counts
