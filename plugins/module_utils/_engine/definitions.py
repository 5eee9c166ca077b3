# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the target has every definition of the source, and the source still has them (design §5, steps 5 and 8)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from . import inventory as inv
from . import mapping
from .inventory import CollectionDef, DatabaseDef, Inventory
from .mapping import Version
from .ordering import migrated


def problems(source: Inventory, target: Inventory, version: Version) -> list[str]:
    """Every definition that is missing, differs, or is there without being on the source; late indexes excepted.

    What is left out must not be on the target. Graphs are documents and proved as such.
    """
    source = {name: item for name, item in source.items() if item.selected}
    found = [f"database {name} is not on the target" for name in source if name not in target]
    found += [f"database {name} is not on the source" for name in target if name not in source]
    for name in sorted(set(source) & set(target)):
        found += _database_problems(source[name], target[name], version)
    return found


def changes(before: Inventory, now: Inventory, version: Version) -> list[str]:
    """What differs between two readings of the source in what is migrated to a target of this version, by name.

    What was dropped and made again has changed, too.
    """
    found: list[str] = []
    for name in sorted({*before, *now}):
        sides = [one[name] if name in one and one[name].selected else None for one in (before, now)]
        if sides[0] is None or sides[1] is None:
            found += [f"database {name}"] if sides[0] is not sides[1] else []
        elif sides[0] != sides[1]:
            one, other = (_parts(side, version) for side in sides if side is not None)
            found += sorted(part for part in {*one, *other} if one.get(part) != other.get(part))
    return found


def _parts(database: DatabaseDef, version: Version) -> dict[str, Any]:
    """Everything that is migrated of a database, by what it is called."""
    wanted = {name: item for name, item in database.collections.items() if migrated(item, version)}
    found = inv.database_essence(replace(database, collections=wanted))
    parts = {f"database {database.name}": (found["id"], found["properties"])}
    for kind in ("collection", "view", "analyzer"):
        parts.update({f"{kind} {database.name}/{name}": value for name, value in found[f"{kind}s"].items()})
    return parts


def _database_problems(source: DatabaseDef, target: DatabaseDef, version: Version) -> list[str]:
    found = []
    wanted = {name: item for name, item in source.collections.items() if migrated(item, version)}
    for name, item in wanted.items():
        actual = target.collections.get(name)
        if actual is None:
            found.append(f"collection {source.name}/{name} is not on the target")
            continue
        texts = _collection_problems(item, actual, version)
        found += [f"collection {source.name}/{name}: {text}" for text in texts]
    for name, item in target.collections.items():
        if name not in wanted and not item.is_system and migrated(item, version):
            found.append(f"collection {source.name}/{name} is not on the source")
    for kind, left, right, agree in (
        ("view", source.views, target.views, mapping.view_agrees),
        ("analyzer", source.analyzers, target.analyzers, mapping.agrees),
    ):
        for name in sorted({*left, *right}):
            if name not in left or name not in right or not agree(left[name], right[name]):
                found.append(f"{kind} {source.name}/{name} is not the same on both sides")
    return found


def _collection_problems(source: CollectionDef, target: CollectionDef, version: Version) -> list[str]:
    found = [f"{name} differs" for name in mapping.layout_differences(source.parameters, target.parameters)]
    changed = mapping.changed_properties(source.parameters, target.parameters)
    found += [f"{name} differs" for name in changed]
    wanted = {}
    for name, index in source.indexes.items():
        body = mapping.index_body(index, version)
        if body is not None and (not mapping.is_late(index) or name in target.indexes):
            wanted[name] = body
    for name in sorted({*wanted, *target.indexes}):
        if name not in wanted or name not in target.indexes:
            found.append(f"index {name} is on one side only")
        elif not mapping.index_agrees(wanted[name], target.indexes[name]):
            found.append(f"index {name} differs")
    return found
