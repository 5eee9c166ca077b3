# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the target has every definition of the source: the last look before the opening (design §5, step 5)."""

from __future__ import annotations

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
