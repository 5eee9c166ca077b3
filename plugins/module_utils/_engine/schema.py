# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Follows the source's definitions on the target and tells the data path what to copy (design §4.7, facts §3.6).

Each pass compares what is wanted with what is there and does what is missing, so that the first creation, a change
while running and a restart in the middle of either are one and the same.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from typing import Callable, Optional, Protocol

from .._core.catalogue import lookup
from .._core.clock import Deadline
from .._core.errors import CutoverError
from . import inventory as inv
from .database_schema import DatabasePass, Missing
from .findings import Finding
from .inventory import CollectionDef, DatabaseDef, Inventory
from .mapping import Version
from .ordering import WATCHED, migrated
from .schema_map import Made, MadeDatabase, SchemaMap
from .shards import ShardId, ShardPlan
from .target_admin import TargetAdmin

SYSTEM = "_system"


class DataPort(Protocol):
    """What following definitions needs of the data path."""

    def register(self, plans: Sequence[ShardPlan], in_sync: bool = False, suspect: bool = False) -> None:
        """Copy these shards, or take them for in sync, or compare and repair them."""

    def relocate(self, leaders: Mapping[ShardId, str]) -> None:
        """These shards are led by these servers now."""

    def quiesce(self, database: str, plan_id: str, deadline: Deadline) -> None:
        """Let nothing more be written for a collection."""

    def forget(self, database: str, plan_id: str) -> None:
        """Drop a collection from the plan."""

    def ignore(self, database: str, cuid: str) -> None:
        """A known shard that is not migrated."""

    def watch_users(self, cuids: set[tuple[str, str]]) -> None:
        """Shards whose markers ask for reading users and analyzers again."""


def plans_of(database: str, collection: CollectionDef, *, empty: bool) -> list[ShardPlan]:
    """One plan for each shard of a collection."""
    return [
        ShardPlan(
            id=ShardId(database, collection.plan_id, shard),
            collection=collection.name,
            cuid=collection.cuid(shard),
            leader=leader,
            key_determines_shard=collection.shard_keys == ("_key",),
            first_copy_into_empty=empty,
            likeness=collection.likeness,
        )
        for shard, leader in collection.leaders.items()
    ]


def leads(leader: str) -> bool:
    """Whether this is the id of a leader: there can be none, and one that has resigned keeps a mark (facts §3.2)."""
    return bool(leader) and not leader.startswith("_")


def leaders_of(source: Inventory) -> set[str]:
    """Every server that leads a shard."""
    return {
        leader
        for database in source.values()
        for collection in database.collections.values()
        for leader in collection.leaders.values()
        if leads(leader)
    }


class Schema:
    """The definitions of one migration. Only the supervisor's thread calls it."""

    def __init__(
        self,
        admin: TargetAdmin,
        plane: DataPort,
        schema_map: SchemaMap,
        report: Callable[[Finding], None],
        resolve: Callable[[str, Optional[str]], None],
        target_version: Version,
        *,
        quiesce_seconds: float = 600.0,
    ) -> None:
        self.admin = admin
        self.plane = plane
        self.map = schema_map
        self.report = report
        self.resolve = resolve
        self.target_version = target_version
        self.quiesce_seconds = quiesce_seconds
        self.leaders: dict[ShardId, str] = {}
        self.registered: set[tuple[str, str]] = set()
        self._followed: dict[str, DatabaseDef] = {}
        self.missing: dict[str, list[Missing]] = {}
        self._told: dict[str, set[tuple[str, str]]] = {}

    def tell(self, database: str, code: str, where: str, text: str, severity: str = "error") -> None:
        """Report what is wrong in a database, until a pass over it ends without."""
        self._told.setdefault(database, set()).add((code, where))
        self.report(Finding(code, severity, where, text, lookup(code).remedy))

    def settle(self, database: str, told: set[tuple[str, str]]) -> None:
        """A pass is over and has told this: everything else that was told is put right, or gone from the source."""
        for code, where in self._told.pop(database, set()) - told:
            self.resolve(code, where)
        self._told[database] = told

    def resume(self, source: Inventory, trusted: Container[str]) -> None:
        """Before the data path starts: tell it the shards that need no copy, by the journal.

        ``trusted`` are the servers whose log goes on from the journaled position. A shard that is led by another server
        now is compared and repaired: positions do not carry over.
        """
        for name, made in self.map.databases.items():
            wanted = source.get(name)
            if wanted is None or wanted.id != made.id:
                continue
            for collection in wanted.collections.values():
                entry = made.collections.get(collection.plan_id)
                if entry is None or entry.target_id is None or not migrated(collection, self.target_version):
                    continue
                self._resume_collection(name, collection, entry, trusted)

    def _resume_collection(
        self, database: str, collection: CollectionDef, entry: Made, trusted: Container[str]
    ) -> None:
        kept: list[ShardPlan] = []
        doubtful: list[ShardPlan] = []
        anew: list[ShardPlan] = []
        for plan in plans_of(database, collection, empty=False):
            known = entry.in_sync.get(plan.id.shard)
            if known == plan.leader and known in trusted:
                kept.append(plan)
            elif known is not None or plan.id.shard in entry.suspect:
                doubtful.append(plan)
            else:
                anew.append(plan)
        if anew:
            self.admin.drop_unique_indexes(database, collection.name)
        self.plane.register(kept, in_sync=True)
        self.plane.register(doubtful, suspect=True)
        self.plane.register(anew)
        self._registered(database, collection)

    def _registered(self, database: str, collection: CollectionDef) -> None:
        self.registered.add((database, collection.plan_id))
        for shard, leader in collection.leaders.items():
            self.leaders[ShardId(database, collection.plan_id, shard)] = leader

    def register_new(self, database: str, collection: CollectionDef, *, empty: bool) -> None:
        """Let the data path copy a collection."""
        self._registered(database, collection)
        self.plane.register(plans_of(database, collection, empty=empty))

    def check_leaders(self, source: Inventory) -> None:
        """Tell the data path of shards that are led by another server than before.

        A shard without a leader, or with one that has resigned (facts §3.2), waits for the next one.
        """
        moved: dict[ShardId, str] = {}
        for name, database in source.items():
            for collection in database.collections.values():
                if (name, collection.plan_id) not in self.registered:
                    continue
                for shard, leader in collection.leaders.items():
                    identity = ShardId(name, collection.plan_id, shard)
                    if leads(leader) and self.leaders.get(identity) != leader:
                        moved[identity] = leader
        if moved:
            self.leaders.update(moved)
            self.plane.relocate(moved)

    def follow(self, source: Inventory, *, force: bool = False) -> bool:
        """One pass, ``_system`` first since its analyzers are seen everywhere.

        Returns whether the source's definitions had changed since the last pass.

        Raises what passes by itself; a definition that the target refuses becomes a finding and the pass goes on.
        """
        changed = False
        self.check_leaders(source)
        chosen = {name: item for name, item in source.items() if item.selected}
        for name in list(self.map.databases):
            wanted = chosen.get(name)
            if wanted is None or wanted.id != self.map.databases[name].id:
                self._drop_database(name)
                changed = True
        for name in sorted(chosen, key=lambda item: (item != SYSTEM, item)):
            before, wanted = self._followed.get(name), chosen[name]
            if not force and before is not None and inv.same_database(before, wanted):
                self._followed[name] = wanted
                continue
            changed = True
            if self._follow_database(wanted):
                self._followed[name] = wanted
        self._watch(source)
        return changed

    def follow_others_anew(self, name: str) -> list[str]:
        """The other databases that are on the target: this pass looks at each of them again, changed or not."""
        present = self.admin.target.json("GET", "/_api/database", database=SYSTEM)["result"]
        others = [other for other in self.map.databases if other != name and other in present]
        for other in others:
            self._followed.pop(other, None)
        return others

    def _drop_database(self, name: str) -> None:
        made = self.map.databases[name]
        for plan_id in list(made.collections):
            self.quiesce(name, plan_id)
        self.admin.drop_database(name)
        for plan_id in list(made.collections):
            self.forgotten(name, plan_id)
        self.map.forget_database(name)
        self._followed.pop(name, None)
        self.missing.pop(name, None)
        self.settle(name, set())

    def quiesce(self, database: str, plan_id: str) -> None:
        """Nothing of an old collection may reach the target after this (design §4.5, dropped and re-created)."""
        if (database, plan_id) in self.registered:
            self.plane.quiesce(database, plan_id, Deadline(self.quiesce_seconds))

    def forgotten(self, database: str, plan_id: str) -> None:
        """The collection is gone from the target."""
        self.registered.discard((database, plan_id))
        # Also one that was dropped while no agent ran: an earlier process may have left keys to be read back.
        self.plane.forget(database, plan_id)
        for shard in [item for item in self.leaders if (item.database, item.plan_id) == (database, plan_id)]:
            del self.leaders[shard]

    def _follow_database(self, wanted: DatabaseDef) -> bool:
        try:
            made = self._made_database(wanted)
            return DatabasePass(self, wanted, made).run()
        except CutoverError as error:
            if error.retriable:
                raise
            self.tell(wanted.name, "CUT-SCHEMA-1", f"database {wanted.name}", error.message)
            return False

    def _made_database(self, wanted: DatabaseDef) -> MadeDatabase:
        made = self.map.databases.get(wanted.name)
        if made is None:
            made = self.map.add_database(wanted.name, wanted.id)
        if wanted.name != SYSTEM and wanted.name not in self._followed:
            self.admin.create_database(wanted.name, wanted.properties)
        return made

    def _watch(self, source: Inventory) -> None:
        watched: set[tuple[str, str]] = set()
        for name, database in source.items():
            for collection in database.collections.values():
                if migrated(collection, self.target_version):
                    continue
                cuids = [collection.cuid(shard) for shard in collection.shards]
                if collection.name in WATCHED and (name == SYSTEM or collection.name != "_users"):
                    # Not ignored: only names without a route are told of.
                    watched.update((name, cuid) for cuid in cuids)
                    continue
                for cuid in cuids:
                    self.plane.ignore(name, cuid)
        self.plane.watch_users(watched)

    def look_again(self, database: str) -> None:
        """Compare this database with the target in the next pass, whether or not the source changed."""
        self._followed.pop(database, None)

    def gone(self, source: Inventory, unknown: Collection[tuple[str, str]]) -> list[tuple[str, str]]:
        """Those of the unknown shards that no definition of the inventory explains."""
        if not unknown:
            return []
        known = {
            (name, collection.cuid(shard))
            for name, database in source.items()
            for collection in database.collections.values()
            for shard in collection.shards
        }
        return [item for item in unknown if item not in known]
