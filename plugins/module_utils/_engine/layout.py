# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Another number of shards on the target, and whether it keeps the source's revisions (design §4.7, facts §5.9).

A revision is unique only within a shard, so with another number of shards the target makes its own. What cannot have
what is wanted stays as it is on the source, which is always safe, and is named with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Optional

from .inventory import CollectionDef, DatabaseDef, Inventory
from .likeness import Likeness
from .overrides import NOTHING, ByPattern

KEEP, REGENERATE = REV_POLICIES = ("keep", "regenerate")
# What a server allows by default (facts §7.8, errorNum 1450).
MOST_SHARDS = 1000
_NUMBER = "numberOfShards"
_SMART = ("isSmart", "isSmartChild", "smartJoinAttribute", "smartGraphAttribute")


@dataclass(frozen=True, order=True)
class Denied:
    """What a collection cannot have."""

    where: str
    option: str
    why: str

    @property
    def text(self) -> str:
        """For people."""
        return f"{self.where} ({self.option}): {self.why}"


@dataclass(frozen=True)
class Layout:
    """What the start request wants of collections; those of the system are never changed."""

    number_of_shards: ByPattern[int] = NOTHING
    rev_policy: ByPattern[str] = NOTHING

    @property
    def is_same(self) -> bool:
        """Whether nothing is wanted."""
        return not self.number_of_shards.items and not self.rev_policy.items

    def apply(self, source: Inventory) -> Inventory:
        """The definitions that the target is to have. Only what never changes in a collection's life decides."""
        if self.is_same:
            return source
        return {name: self._database(item) for name, item in source.items()}

    def _database(self, database: DatabaseDef) -> DatabaseDef:
        collections = {name: self._collection(database, item) for name, item in database.collections.items()}
        return replace(database, collections=collections)

    def _collection(self, database: DatabaseDef, item: CollectionDef) -> CollectionDef:
        if item.is_system or not self._regenerates(database.name, item) or _keeps_anyway(item) is not None:
            return item
        number = self._number(database.name, item)
        parameters = item.parameters
        if number is not None and _stays_anyway(database, item, number) is None:
            parameters = {**parameters, _NUMBER: number}
        return replace(item, parameters=parameters, likeness=Likeness.CONTENT)

    def _regenerates(self, database: str, item: CollectionDef) -> bool:
        return self.rev_policy.collection(database, item.name) == REGENERATE

    def _number(self, database: str, item: CollectionDef) -> Optional[int]:
        """Another number than the source's, or None."""
        wanted = self.number_of_shards.collection(database, item.name)
        return None if wanted in (None, item.parameters.get(_NUMBER)) else wanted

    def denied(self, source: Inventory) -> list[Denied]:
        """Everything that is wanted and cannot be had, of an inventory as it was read or chosen."""
        found: list[Denied] = []
        for database in source.values():
            followed = {str(item.parameters.get("distributeShardsLike")) for item in database.collections.values()}
            for item in database.collections.values():
                if item.selected and not item.is_system:
                    found += self._denied(database, item, item.name in followed)
        return sorted(found)

    def _denied(self, database: DatabaseDef, item: CollectionDef, is_followed: bool) -> Iterable[Denied]:
        where = f"{database.name}/{item.name}"
        regenerates, number = self._regenerates(database.name, item), self._number(database.name, item)
        why = _keeps_anyway(item)
        if regenerates and why is not None:
            yield Denied(where, "rev_policy", why)
        if number is None:
            return
        why = _stays_anyway(database, item, number) or _clashes(item, number, is_followed)
        if why is not None:
            yield Denied(where, "number_of_shards", why)
        elif not regenerates:
            yield Denied(
                where,
                "number_of_shards",
                f"{number} instead of {item.parameters.get(_NUMBER)} shards need rev_policy regenerate: documents of "
                "different shards may have equal revisions, and in one shard one would overwrite the other",
            )


SAME_LAYOUT = Layout()


def _keeps_anyway(item: CollectionDef) -> Optional[str]:
    """Why a collection can only keep its revisions."""
    if any(item.parameters.get(name) for name in _SMART):
        return "collections of smart graphs and smart joins keep their revisions"
    if item.shard_keys != ("_key",):
        keys = ", ".join(item.shard_keys)
        return f"its shards are chosen by {keys}: documents of one key are told apart by revisions only"
    return None


def _stays_anyway(database: DatabaseDef, item: CollectionDef, number: int) -> Optional[str]:
    """Why a collection can only have the source's number of shards, by what never changes in its life."""
    if _keeps_anyway(item) is not None:
        return _keeps_anyway(item)
    if item.parameters.get("distributeShardsLike") or database.properties.get("sharding") == "single":
        return "its shards are placed like those of another collection, so they must be as many"
    if item.parameters.get("replicationFactor") == "satellite":
        return "a satellite has one shard"
    if number > 1 and (item.parameters.get("keyOptions") or {}).get("type") == "autoincrement":
        return "keys of the generator autoincrement need one shard"
    return None


def _clashes(item: CollectionDef, number: int, is_followed: bool) -> Optional[str]:
    """The same by what may come later too; then the target refuses it, and that is told."""
    if is_followed:
        return "shards of other collections are placed like its own, so they must be as many"
    unique = sorted(name for name, index in item.indexes.items() if number > 1 and _needs_one_shard(index))
    if unique:
        return f"unique indexes without _key need one shard: {', '.join(unique)}"
    return None


def _needs_one_shard(index: Any) -> bool:
    return bool(index.get("unique")) and "_key" not in (index.get("fields") or ())
