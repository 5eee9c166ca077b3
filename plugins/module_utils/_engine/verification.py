# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A verification on demand of one migration: documents, and one table of everything else (design §6)."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, Optional, Union

from .._core.arango import Coordinators
from .._core.clock import SYSTEM_CLOCK
from .._core.errors import CutoverError
from . import inventory as inv
from . import states
from .definitions import problems
from .findings import Findings
from .inspection import Inspection
from .journal import Journal
from .mapping import parse_version
from .ordering import migrated
from .times import stamp
from .topology import Source
from .verify.aspects import table
from .verify.on_demand import OnDemand, Still, Wish
from .world import make_users, target_version

if TYPE_CHECKING:
    from .migration import Migration

_GRAPHS = "_graphs"


def run(migration: Migration, source: Source, target: Coordinators, wish: Wish) -> dict[str, Any]:
    """Compare both sides now; with repairs only while the migration runs (CUT-STATE-5)."""
    running = migration.running
    if wish.repair and (running is None or migration.state not in (states.INITIAL_SYNC, states.RUNNING)):
        raise CutoverError("CUT-STATE-5", f"nothing is repaired in the state {migration.state}")
    shape = migration.spec.shape
    whole = inv.read(source.coordinators)
    definitions = shape.apply(whole)
    version = parse_version(target_version(target))
    inspection: Union[Inspection, Still]
    if running is not None:
        inspection = running.plane.inspection
    else:
        inspection = Still(
            {
                (database.name, item.plan_id): (item.name, item.likeness)
                for database in definitions.values()
                for item in database.collections.values()
                if migrated(item, version)
            }
        )
    directory = migration.paths.data / "verify-on-demand"
    try:
        found = OnDemand(source.coordinators, target, inspection, directory, wish).run()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    graphs = [
        item["database"] for item in found["collections"] if item["collection"] == _GRAPHS and not item["equal"]
    ]
    aspects = table(
        problems(definitions, inv.read(target), version),
        _users(migration, source, target, opened=migration.state == states.COMPLETED),
        graphs,
        shape.selection.left_out(whole),
    )
    equal = found["equal"] and all(line["equal"] is not False for line in aspects)
    return {**found, "equal": equal, "at": stamp(SYSTEM_CLOCK.wall()), "aspects": aspects}


class _NoWrites:
    """The gate of somebody who only reads."""

    def check(self) -> None:
        """Let nothing through."""
        raise CutoverError("CUT-STATE-5", "a verification writes no users")


def _users(
    migration: Migration, source: Source, target: Coordinators, *, opened: bool
) -> Optional[list[tuple[str, str]]]:
    """What is not as it must be; None where users are not migrated."""
    spec = migration.spec
    if spec.users == "skip":
        return None
    journal = Journal.find(target)
    if journal is None:
        raise CutoverError("CUT-STATE-1", "the target holds no journal: no migration into it was begun")
    passwords = migration.paths.passwords
    return make_users(spec, source, target, journal, _NoWrites(), Findings(), passwords, 0.0).compare(opened)
