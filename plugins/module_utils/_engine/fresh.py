# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a start writes into the journal: a new migration with empty records, or the resumption of one (design §4.8)."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

from .._core.errors import CutoverError
from . import decision as record
from . import states
from .cleanup import DONE
from .decision import Decision
from .journal import Record, Store
from .late import LateIndexes
from .late_users import LEFT
from .schema_map import DATABASES_KEY, SchemaMap
from .spec import Spec
from .times import stamp
from .users import MAP_KEY
from .wipe import KEY as WIPE_KEY
from .world import CAPABILITIES_KEY, MIGRATION_KEY, RESULT_KEY, TICKS_KEY, World

if TYPE_CHECKING:
    from .migration import Migration

_RESUMABLE = (*states.ACTIVE, states.FAILED)


class Standing(Enum):
    """What a start means for what the journal knows."""

    NEW = "new"
    RESUME = "resume"
    # Something was decided or fenced and must be ended now: nothing may keep the start from it.
    RESUME_AT_ONCE = "resume at once"


def standing(store: Store, wanted: Spec) -> Standing:
    """Look at the journal; writes nothing.

    Raises CUT-STATE-3 for a completed migration that ``replace_completed`` does not name, CUT-STATE-7 for an unfinished
    one with other settings, naming the fields. A completed one is resumed whose late indexes are not built, or whose
    users could not all be opened.
    """
    known = Record(store, MIGRATION_KEY).load()
    decision = Decision(store)
    decided = decision.read()
    same = known.get("config_digest") == wanted.config_digest
    if decided == record.COMPLETED or (decided == record.NONE and known.get("state") == states.COMPLETED):
        if wanted.replace_completed is not None and wanted.replace_completed == known.get("id"):
            return Standing.NEW
        result = Record(store, RESULT_KEY).load() if same else {}
        if result.get("late_done") is False or result.get(LEFT):
            return Standing.RESUME_AT_ONCE
        raise _completed(decision, known, wanted)
    if decided == record.NONE and known.get("state") not in _RESUMABLE:
        return Standing.NEW
    if not same:
        raise _differs(known, wanted)
    return Standing.RESUME if decided == record.NONE else Standing.RESUME_AT_ONCE


def _completed(decision: Decision, known: Mapping[str, Any], wanted: Spec) -> CutoverError:
    at = decision.values.get("completed_at") or known.get("since", "an unknown date")
    text = f"a migration into this target was completed at {at} (id {known.get('id')})"
    if wanted.replace_completed is not None:
        text = f"{text}; replace_completed names {wanted.replace_completed}"
    return CutoverError("CUT-STATE-3", text, details={"completed_at": at, "id": known.get("id")})


def _differs(known: Mapping[str, Any], wanted: Spec) -> CutoverError:
    specification = known.get("specification") or {}
    fields = sorted(name for name, value in wanted.identity().items() if specification.get(name) != value)
    return CutoverError(
        "CUT-STATE-7",
        f"the target holds the unfinished migration {known.get('name')} with other settings: {', '.join(fields)} "
        f"{'differs' if len(fields) == 1 else 'differ'}",
        details={"config_digest": known.get("config_digest"), "fields": fields},
    )


def begin(world: World, migration: Migration, schema_map: SchemaMap) -> None:
    """Record the migration before anything is done to the target.

    An unfinished migration of the same specification is resumed, by whichever agent, so that nothing is dropped twice.
    Raises like ``standing``.
    """
    known = world.migration.load()
    if standing(world.journal, migration.spec) is not Standing.NEW:
        migration.late_counts = LateIndexes(world, migration.findings).counts()
        migration.resume_as(str(known["state"]), known.get("id"))
        return
    _give_up_completed(world)
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
    for path in (migration.paths.report, migration.paths.opening):
        path.unlink(missing_ok=True)
    # Who worked here last stays known until its open ends are noted (``World.inherits``).
    document = _document(world, migration)
    world.migration.save({**document, "owner": known.get("owner") or world.lease.owner.id})
    migration.resume_as(states.INITIALIZING, document["id"])


def note_capabilities(world: World, migration: Migration, found: Sequence[Mapping[str, Any]]) -> None:
    """Keep in the journal what source and target were found able to do, if it was asked for at this start."""
    if found:
        at = stamp(migration.clock.wall())
        named = {str(item["id"]): {name: item[name] for name in ("status", "found", "mode")} for item in found}
        Record(world.journal, CAPABILITIES_KEY).save({"at": at, "capabilities": named})


def _give_up_completed(world: World) -> None:
    """A completed migration that is replaced is over; until the new one is recorded, the state still says completed."""
    if world.decision.read() == record.COMPLETED:
        world.migration.update(state=states.COMPLETED)
        world.decision.start_over()


def _check_leavings(world: World, known: Mapping[str, Any]) -> None:
    """What an aborted migration left is taken over only if it came from the same source."""
    before = (known.get("source") or {}).get("cluster_id")
    if known and known.get("cleanup") != DONE and before != world.source.cluster_id:
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
