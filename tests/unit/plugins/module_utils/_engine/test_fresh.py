# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a start means for a target whose journal knows something already."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import decision as record
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import fresh, states
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.decision import Decision
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.fresh import Standing, standing
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.journal import Record
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.lease import Owner
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.schema_map import SchemaMap
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.spec import Spec, parse
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.world import RESULT_KEY, Paths
from tests.unit.control_fakes import Crash, FakeStore

REQUEST: dict[str, Any] = {
    "source_endpoints": ["https://127.0.0.1:1"],
    "target_endpoints": ["https://127.0.0.1:2"],
    "target_password": "x",
}
WANTED = parse(REQUEST)
OTHER = parse({**REQUEST, "max_lag": 17.0, "early_readers": True})


def journal(state: str | None, decided: str, spec: Spec, **result: Any) -> FakeStore:
    """A journal in which a migration got so far."""
    store = FakeStore()
    if state is not None:
        body = {"config_digest": spec.config_digest, "specification": spec.public(), "state": state, "name": "m"}
        store.create("migration", body)
        store.create(record.KEY, {"state": decided, "completed_at": "2026-01-01"})
        store.create("result", result)
    return store


@pytest.mark.parametrize(
    ("state", "decided", "spec", "result", "meaning"),
    [
        (None, record.NONE, WANTED, {}, Standing.NEW),
        (states.ABORTED, record.NONE, OTHER, {}, Standing.NEW),
        (states.RUNNING, record.NONE, WANTED, {}, Standing.RESUME),
        (states.INITIALIZING, record.NONE, WANTED, {}, Standing.RESUME),
        (states.FAILED, record.NONE, WANTED, {}, Standing.RESUME),
        (states.STOPPING, record.FENCING, WANTED, {}, Standing.RESUME_AT_ONCE),
        (states.STOPPING, record.FENCED, WANTED, {}, Standing.RESUME_AT_ONCE),
        (states.RUNNING, record.ROLLING_BACK, WANTED, {}, Standing.RESUME_AT_ONCE),
        (states.STOPPING, record.OPENING, WANTED, {}, Standing.RESUME_AT_ONCE),
        (states.COMPLETED, record.OPENING, WANTED, {"late_done": True}, Standing.RESUME_AT_ONCE),
        (states.COMPLETED, record.COMPLETED, WANTED, {"late_done": False}, Standing.RESUME_AT_ONCE),
        (states.COMPLETED, record.COMPLETED, WANTED, {"late_done": True}, "CUT-STATE-3"),
        (
            states.COMPLETED, record.COMPLETED, WANTED,
            {"late_done": True, "late_users": ["app"]}, Standing.RESUME_AT_ONCE,
        ),
        (states.COMPLETED, record.COMPLETED, WANTED, {"late_done": True, "late_users": []}, "CUT-STATE-3"),
        (states.COMPLETED, record.COMPLETED, OTHER, {"late_done": False}, "CUT-STATE-3"),
        (states.RUNNING, record.NONE, OTHER, {}, "CUT-STATE-7"),
        (states.STOPPING, record.OPENING, OTHER, {}, "CUT-STATE-7"),
    ],
)
def test_what_a_start_means(
    state: str | None, decided: str, spec: Spec, result: dict[str, Any], meaning: Standing | str
) -> None:
    """By the journal alone; nothing is written."""
    store = journal(state, decided, spec, **result)
    before = dict(store.documents)
    if isinstance(meaning, Standing):
        assert standing(store, WANTED) is meaning
    else:
        with pytest.raises(CutoverError) as refused:
            standing(store, WANTED)
        assert refused.value.code == meaning
    assert store.documents == before


REPLACING = parse({**REQUEST, "overwrite_target": True, "replace_completed": "the-id"})


@pytest.mark.parametrize(
    ("state", "decided"),
    [
        (states.COMPLETED, record.COMPLETED),
        (states.STOPPING, record.COMPLETED),
        (states.COMPLETED, record.NONE),
    ],
)
def test_a_completed_migration_is_replaced_only_by_its_own_id(state: str, decided: str) -> None:
    """Any other id, and none, is refused with the one to name."""
    store = journal(state, decided, WANTED)
    migration = Record(store, "migration")
    migration.load()
    for known in ("another", None):
        migration.update(id=known)
        with pytest.raises(CutoverError) as refused:
            standing(store, REPLACING)
        assert (refused.value.code, refused.value.details["id"]) == ("CUT-STATE-3", known)
    assert "replace_completed names the-id" in refused.value.message
    migration.update(id="the-id")
    assert standing(store, REPLACING) is Standing.NEW
    with pytest.raises(CutoverError, match="id the-id"):
        standing(store, WANTED)


@pytest.mark.parametrize("decided", [record.FENCING, record.FENCED, record.OPENING, record.ROLLING_BACK])
def test_what_is_not_completed_is_never_replaced(decided: str) -> None:
    """It is carried on, or refused as another one."""
    store = journal(states.STOPPING, decided, REPLACING)
    migration = Record(store, "migration")
    migration.load()
    migration.update(id="the-id")
    assert standing(store, REPLACING) is Standing.RESUME_AT_ONCE


def test_a_replacement_that_is_interrupted_leaves_a_completed_migration(tmp_path: Path) -> None:
    """Before each write of its beginning: whoever does not name the completed one is still refused, who does begins."""
    for writes in range(20):
        store = journal(states.STOPPING, record.COMPLETED, REPLACING, late_done=True)
        migration = Record(store, "migration")
        migration.load()
        migration.update(id="the-id")
        left = [writes]

        def crash(name: str, left: list[int] = left) -> None:
            if not name.startswith("read"):
                left[0] -= 1
                if left[0] < 0:
                    raise Crash

        store.before = crash
        try:
            Case(store, tmp_path, "first", REPLACING)
        except Crash:
            store.before = lambda name: None
            with pytest.raises(CutoverError) as refused:
                standing(store, WANTED)
            assert refused.value.code == "CUT-STATE-3"
            assert standing(store, REPLACING) is Standing.NEW
        else:
            break
    assert writes > 2
    store.before = lambda name: None
    assert standing(store, REPLACING) is Standing.RESUME
    assert store.documents["decision"].body["state"] == record.NONE
    assert store.documents["migration"].body["id"] != "the-id"


def test_other_settings_are_named() -> None:
    """In the message and as data."""
    with pytest.raises(CutoverError) as refused:
        standing(journal(states.RUNNING, record.NONE, WANTED), OTHER)
    assert refused.value.details["fields"] == ["early_readers", "max_lag"]
    assert "early_readers, max_lag differ" in refused.value.message


class Case:
    """A start on one host."""

    def __init__(self, store: FakeStore, directory: Path, owner: str, spec: Spec = WANTED) -> None:
        self.migration: Any = SimpleNamespace(
            spec=spec,
            paths=Paths(directory),
            findings=SimpleNamespace(clear=lambda: None),
            clock=SimpleNamespace(wall=lambda: 0.0),
            resume_as=lambda state, identity: None,
        )
        self.world: Any = SimpleNamespace(
            journal=store,
            migration=Record(store, "migration"),
            result=Record(store, RESULT_KEY),
            decision=Decision(store),
            lease=SimpleNamespace(owner=Owner(owner, owner)),
            source=SimpleNamespace(cluster_id="c", version="3.12.4"),
            target_version_text="3.12.4",
        )
        fresh.begin(self.world, self.migration, SchemaMap(store))
        self.owner = self.world.migration.values.get("owner")


def test_i1_who_worked_last_stays_known_after_an_abort(tmp_path: Path) -> None:
    """Requests of the aborted agent may still run; a new start on another host must doubt what they did."""
    store = FakeStore()
    assert Case(store, tmp_path, "first").owner == "first"
    migration = Record(store, "migration")
    migration.load()
    migration.update(state=states.ABORTED)
    assert Case(store, tmp_path, "second").owner == "first"


def test_a_resumed_start_writes_nothing(tmp_path: Path) -> None:
    """Whose work it was is changed only when everything of it is noted."""
    store = FakeStore()
    Case(store, tmp_path, "first")
    before = dict(store.documents)
    assert Case(store, tmp_path, "second").owner == "first"
    assert store.documents == before


def test_i9_who_takes_over_after_the_opening_knows_at_once_what_is_left_to_build(tmp_path: Path) -> None:
    """Killed before it has begun, it must not have said that there was nothing."""
    store = FakeStore()
    Case(store, tmp_path, "first")
    result = Record(store, RESULT_KEY)
    result.load()
    ttl = {"type": "ttl", "fields": ["expires"], "name": "forget"}
    late = {"database": "shop", "plan_id": "7", "collection": "carts", "indexes": [ttl], "held": False}
    result.save({"late": [late], "late_done": False})
    migration = Record(store, "migration")
    migration.load()
    migration.update(state=states.COMPLETED)
    assert Case(store, tmp_path, "second").migration.late_counts == {"pending": 1, "built": 0, "failed": 0}
