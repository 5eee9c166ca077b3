# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``cleanup: true``: what an aborted migration has made on the target is removed, by its journal (design §4.8).

Databases go as a whole, unless somebody else has made a collection in them; ``_system`` stays, without what was copied
into it. Every step can be repeated, so that an interrupted one begins again. The journal itself stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .._core.arango import Coordinators, segment
from .._core.catalogue import lookup
from . import inventory as inv
from .aql import read_batches
from .dataplane_types import TargetGate
from .findings import Finding
from .inventory import DatabaseDef
from .journal import OWN
from .ordering import drop_order
from .schema_map import MadeDatabase, SchemaMap
from .target_admin import TargetAdmin

if TYPE_CHECKING:
    from .findings import Findings
    from .world import World

# States of a clean-up, in the journal and in the state directory.
ASKED = "asked"
DONE = "done"
_SYSTEM = "_system"


def clean_up(world: World, findings: Findings, *, again: bool) -> None:
    """Remove users, definitions and documents that this migration has made; what has to stay is a finding.

    ``again``: an earlier one has ended in its middle.
    """
    findings.resolve("CUT-CLEANUP-1")
    findings.resolve("CUT-CLEANUP-2")
    world.users.remove_all()
    world.map.load()
    present = set(world.target.json("GET", "/_api/database", database=_SYSTEM)["result"])
    for name, made in list(world.map.databases.items()):
        if name in present:
            _Database(world.target, world.admin, world.lease, findings, made).remove()
        world.map.forget_database(name)
    world.admin.await_lost_drops(of_former=again)


def tell_of_leavings(schema_map: SchemaMap, users: int, findings: Findings) -> None:
    """After an abort without a clean-up: what is left on the target."""
    made = schema_map.databases.values()
    collections = sum(len(one.collections) for one in made)
    if not collections and not users:
        return
    kept = f"{collections} collections in {len(made)} databases, {users} inactive users"
    text = f"the target keeps the partial copy: {kept}"
    findings.report(Finding("CUT-CLEANUP-2", "warning", "target", text, lookup("CUT-CLEANUP-2").remedy))


class _Database:
    """One database of the target, as it is now."""

    def __init__(
        self, target: Coordinators, admin: TargetAdmin, gate: TargetGate, findings: Findings, made: MadeDatabase
    ) -> None:
        self._target = target
        self._admin = admin
        self._gate = gate
        self._findings = findings
        self._made = made
        self._actual: DatabaseDef = inv.read_database(target, made.name)

    def remove(self) -> None:
        """The whole database, or of it what is ours."""
        name = self._made.name
        foreign = sorted(item.name for item in self._actual.collections.values() if self._is_foreign(item))
        if name != _SYSTEM and not foreign:
            self._admin.drop_database(name)
            return
        for view in sorted(self._actual.views):
            self._admin.drop_view(name, view)
        for item in drop_order(self._actual.collections.values()):
            if item.is_system:
                self._empty(item.name)
            elif item.name not in foreign and item.name not in OWN:
                self._admin.drop_collection(name, _id_of(item))
        for analyzer in sorted(self._actual.analyzers):
            self._admin.drop_analyzer(name, analyzer)
        if foreign and name != _SYSTEM:
            text = f"the database {name} stays: this migration has not made {', '.join(foreign)}"
            self._findings.report(
                Finding("CUT-CLEANUP-1", "warning", f"database {name}", text, lookup("CUT-CLEANUP-1").remedy)
            )

    def _is_foreign(self, item: inv.CollectionDef) -> bool:
        if item.is_system or item.name in OWN:
            return False
        ours = self._made.collections.values()
        return not any(made.target_id == _id_of(item) if made.target_id else made.name == item.name for made in ours)

    def _empty(self, collection: str) -> None:
        """A system collection that was copied holds what the source's holds, and nothing else: see the sweep."""
        if all(made.name != collection for made in self._made.collections.values()):
            return
        for keys in self._keys(collection):
            self._gate.check()
            self._target.json(
                "DELETE", f"/_api/document/{segment(collection)}", database=self._made.name, body=keys, idempotent=True
            )

    def _keys(self, collection: str) -> Iterator[list[Any]]:
        return read_batches(self._target, self._made.name, collection, returning="d._key")


def _id_of(item: inv.CollectionDef) -> str:
    return str(item.parameters.get("id", item.plan_id))
