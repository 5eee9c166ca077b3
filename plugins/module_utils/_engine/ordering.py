# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""In which order definitions are made and dropped (facts §3.6), and which collections are migrated as data."""

from __future__ import annotations

from collections.abc import Iterable

from .inventory import CollectionDef
from .journal import OWN
from .mapping import Version

# Data in system collections that is copied like user data (facts §3.6). ``_users`` and ``_analyzers`` have ways of
# their own; everything else of the system is never migrated.
SYSTEM_DATA = ("_graphs", "_aqlfunctions", "_apps", "_appbundles")
_UNTIL_4 = frozenset({"_aqlfunctions", "_apps", "_appbundles"})
WATCHED = ("_users", "_analyzers")
EDGE = 3


def migrated(collection: CollectionDef, target_version: Version) -> bool:
    """Whether a collection's documents are copied."""
    if collection.name in OWN or not collection.selected:
        return False
    if not collection.is_system:
        return True
    if collection.name in _UNTIL_4 and target_version >= (4, 0):
        return False
    return collection.name in SYSTEM_DATA


def creation_order(collections: Iterable[CollectionDef]) -> list[CollectionDef]:
    """Prototypes of ``distributeShardsLike`` first, documents before edges, system before user, then by name."""
    return sorted(collections, key=_rank)


def drop_order(collections: Iterable[CollectionDef]) -> list[CollectionDef]:
    """The reverse: a prototype cannot be dropped before those that follow it (errorNum 1485)."""
    return sorted(collections, key=_rank, reverse=True)


def _rank(collection: CollectionDef) -> tuple[bool, bool, bool, str]:
    return (
        bool(collection.parameters.get("distributeShardsLike")),
        collection.parameters.get("type") == EDGE,
        not collection.is_system,
        collection.name,
    )
