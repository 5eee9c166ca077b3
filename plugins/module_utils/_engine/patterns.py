# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Patterns for databases and collections: ``DATABASE`` or ``DATABASE/COLLECTION``, as shells match file names."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Optional

FORM = "DATABASE or DATABASE/COLLECTION, where * stands for any characters, ? for one, [ab] for one of these"


@dataclass(frozen=True)
class Pattern:
    """One pattern; ``collection`` is None where it names whole databases. Upper and lower case differ."""

    database: str
    collection: Optional[str] = None

    def __str__(self) -> str:
        return self.database if self.collection is None else f"{self.database}/{self.collection}"

    @property
    def is_whole(self) -> bool:
        """Whether it names databases with all that is in them."""
        return self.collection is None

    def takes_database(self, name: str) -> bool:
        """Whether this database, or a collection in it, may be meant."""
        return fnmatchcase(name, self.database)

    def takes(self, database: str, collection: str) -> bool:
        """Whether this collection is meant."""
        if not self.takes_database(database):
            return False
        return self.collection is None or fnmatchcase(collection, self.collection)


def parse_pattern(text: str) -> Pattern:
    """Names of databases and collections have no ``/``, with extended names too. Raises ``ValueError``."""
    database, slash, collection = text.partition("/")
    if not database or (slash and not collection) or "/" in collection:
        raise ValueError(f"{text!r} is not {FORM}")
    return Pattern(database, collection if slash else None)
