# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a start writes into the journal: a new migration with empty records, or the resumption of one (design §4.8)."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._core.errors import CutoverError
from . import decision as record
from . import states
from .journal import Record
from .schema_map import DATABASES_KEY, SchemaMap
from .times import stamp
from .users import MAP_KEY
from .wipe import KEY as WIPE_KEY
from .world import RESULT_KEY, TICKS_KEY, World

if TYPE_CHECKING:
    from .migration import Migration

_RESUMABLE = (*states.ACTIVE, states.FAILED)


def begin(world: World, migration: Migration, schema_map: SchemaMap) -> None:
    """Record the migration before anything is done to the target.

    An unfinished migration of the same specification is resumed, so that nothing is dropped twice. Raises CUT-STATE-7
    for an unfinished one of another specification, CUT-STATE-3 for a completed one.
    """
    known = world.migration.load()
    decided = world.decision.read()
    if decided in record.DECIDED_OPEN or known.get("state") == states.COMPLETED:
        at = world.decision.values.get("completed_at", "an unknown date")
        raise CutoverError("CUT-STATE-3", f"a migration into this target was completed at {at}")
    same = known.get("config_digest") == migration.spec.config_digest
    if known.get("state") in _RESUMABLE:
        if not same:
            raise CutoverError(
                "CUT-STATE-7", f"the target holds the unfinished migration {known.get('name')} with other settings"
            )
        migration.resume_as(str(known["state"]))
        return
    for key in (WIPE_KEY, TICKS_KEY, RESULT_KEY):
        _empty(Record(world.journal, key))
    if migration.spec.overwrite_target:
        _empty(Record(world.journal, MAP_KEY))
        _empty(Record(world.journal, DATABASES_KEY))
    else:
        _check_leavings(world, known)
        # What an aborted migration left is known as ours: it is completed, or dropped where the source has it no more.
        schema_map.load()
        schema_map.note_states({}, {})
    if migration.paths.data.exists():
        shutil.rmtree(migration.paths.data)
    migration.findings.clear()
    migration.report, migration.attempts = None, 0
    migration.paths.report.unlink(missing_ok=True)
    world.migration.save(_document(world, migration))
    migration.resume_as(states.INITIALIZING)


def _check_leavings(world: World, known: Mapping[str, Any]) -> None:
    """What an aborted migration left is taken over only if it came from the same source."""
    before = (known.get("source") or {}).get("cluster_id")
    if known and before != world.source.cluster_id:
        raise CutoverError("CUT-STATE-7", f"the target holds what the aborted migration {known.get('name')} left")


def _empty(item: Record) -> None:
    if item.load():
        item.save({})


def _document(world: World, migration: Migration) -> dict[str, Any]:
    now = stamp(migration.clock.wall())
    return {
        "id": uuid.uuid4().hex,
        "name": migration.spec.name,
        "config_digest": migration.spec.config_digest,
        "specification": migration.spec.public(),
        "state": states.INITIALIZING,
        "since": now,
        "started_at": now,
        "source": {"cluster_id": world.source.cluster_id, "version": world.source.version},
        "target": {"version": world.target_version_text},
    }
