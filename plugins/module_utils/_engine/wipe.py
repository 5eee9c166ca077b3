# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``overwrite_target``: what the target held is listed in the journal, then dropped, once (design §4.8).

The list names databases and collections by their ids. A resumed start drops only what is still on that list with that
id; nothing that came later can be hit. Never the journal, never ``_system`` itself, never the migrating user.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._core.arango import Coordinators, segment
from .._core.errors import ArangoError
from . import inventory as inv
from .dataplane_types import TargetGate
from .journal import OWN, Record
from .target_admin import TargetAdmin
from .users import ROOT

_SYSTEM = "_system"
KEY = "wipe"
_NOT_FOUND = 404


def plan(target: Coordinators, own_users: Iterable[str]) -> dict[str, Any]:
    """What is to be dropped, as a journal document."""
    found = inv.read(target)
    system = found.pop(_SYSTEM)
    keep = {ROOT, *own_users}
    users = target.json("GET", "/_api/user", database=_SYSTEM)["result"]
    return {
        "databases": {name: database.id for name, database in found.items()},
        "collections": {
            item.name: str(item.parameters.get("id", item.plan_id))
            for item in system.collections.values()
            if not item.is_system and item.name not in OWN
        },
        "views": sorted(system.views),
        "analyzers": sorted(system.analyzers),
        "users": sorted(str(item["user"]) for item in users if item["user"] not in keep),
        "done": False,
    }


def wipe(target: Coordinators, admin: TargetAdmin, gate: TargetGate, record: Record, own_users: Iterable[str]) -> None:
    """Record the list if there is none yet, then drop what is on it and still there; a finished one does nothing."""
    listed = record.load()
    if listed.get("done"):
        return
    is_resumed = bool(listed)
    if not is_resumed:
        listed = plan(target, own_users)
        record.save(listed)
    present = inv.read(target)
    for name, identity in listed["databases"].items():
        if name != _SYSTEM and name in present and present[name].id == identity:
            admin.drop_database(name)
    system = present[_SYSTEM]
    for name in listed["views"]:
        admin.drop_view(_SYSTEM, name)
    for identity in listed["collections"].values():
        admin.drop_collection(_SYSTEM, identity)
    for name in listed["analyzers"]:
        if name in system.analyzers:
            admin.drop_analyzer(_SYSTEM, name)
    for name in listed["users"]:
        gate.check()
        _drop_user(target, name)
    # The copy makes databases of the same names: a lost request to drop one must not meet it.
    admin.await_lost_drops(of_former=is_resumed)
    record.save({**listed, "done": True})


def _drop_user(target: Coordinators, name: str) -> None:
    """An answer that is lost interrupts the wipe, so that the next try of it waits for the request as well."""
    try:
        target.json("DELETE", f"/_api/user/{segment(name)}", database=_SYSTEM, idempotent=False)
    except ArangoError as error:
        if error.status != _NOT_FOUND:
            raise
