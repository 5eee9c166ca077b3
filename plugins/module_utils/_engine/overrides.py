# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Copies, write concern and layout that the operator wants on the target instead of the source's (design §4.7).

Definitions are changed as they are read, so that whoever makes, follows or compares them sees what is wanted. System
collections, satellites and what is distributed like another collection have no number of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, Optional, TypeVar

from .inventory import DatabaseDef, Inventory
from .mapping import counts_copies
from .patterns import Pattern, parse_pattern

MOST_COPIES = 100
_FACTOR, _CONCERN = "replicationFactor", "writeConcern"
Value = TypeVar("Value")


@dataclass(frozen=True)
class ByPattern(Generic[Value]):
    """A value by pattern: one for collections counts before one for databases, then the longer before the shorter."""

    items: tuple[tuple[Pattern, Value], ...] = ()

    @classmethod
    def of(cls, values: Mapping[str, Value]) -> ByPattern[Value]:
        """Of texts. Raises ``ValueError``."""
        pairs = [(parse_pattern(text), value) for text, value in values.items()]
        return cls(tuple(sorted(pairs, key=lambda pair: (pair[0].is_whole, -len(str(pair[0])), str(pair[0])))))

    def as_dict(self) -> dict[str, Value]:
        """As given."""
        return {str(pattern): value for pattern, value in self.items}

    def collection(self, database: str, name: str) -> Optional[Value]:
        """What is wanted for a collection, None where nothing is."""
        return next((value for pattern, value in self.items if pattern.takes(database, name)), None)

    def database(self, name: str) -> Optional[Value]:
        """What is wanted for all collections of a database."""
        return next((value for item, value in self.items if item.is_whole and item.takes_database(name)), None)


NOTHING: ByPattern[Any] = ByPattern()


@dataclass(frozen=True)
class Overrides:
    """All of them."""

    replication_factor: ByPattern[int] = NOTHING
    write_concern: ByPattern[int] = NOTHING

    def apply(self, source: Inventory) -> Inventory:
        """The definitions that the target is to have."""
        if not self.replication_factor.items and not self.write_concern.items:
            return source
        return {name: self._database(item) for name, item in source.items()}

    def _database(self, item: DatabaseDef) -> DatabaseDef:
        collections = {
            name: replace(collection, parameters=self.collection(item.name, collection.parameters))
            for name, collection in item.collections.items()
        }
        factor, concern = self.replication_factor.database(item.name), self.write_concern.database(item.name)
        return replace(item, collections=collections, properties=_with(item.properties, factor, concern))

    def collection(self, database: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """A collection's parameters with what is wanted; a write concern is never more than there are copies."""
        if not counts_copies(parameters):
            return parameters
        name = str(parameters["name"])
        factor = self.replication_factor.collection(database, name)
        return _with(parameters, factor, self.write_concern.collection(database, name))

    def exceeds(self, database: str, parameters: Mapping[str, Any]) -> bool:
        """Whether the wanted write concern is more than the copies that a collection will have."""
        if not counts_copies(parameters):
            return False
        wanted = self.write_concern.collection(database, str(parameters["name"]))
        return wanted is not None and wanted > self.collection(database, parameters)[_FACTOR]


AS_IT_IS = Overrides()


def _with(values: Mapping[str, Any], factor: Optional[int], concern: Optional[int]) -> Mapping[str, Any]:
    if (factor is None and concern is None) or not isinstance(values.get(_FACTOR), int):
        return values
    copies = values[_FACTOR] if factor is None else factor
    wanted = values.get(_CONCERN, 1) if concern is None else concern
    return {**values, _FACTOR: copies, _CONCERN: min(wanted, copies)}
