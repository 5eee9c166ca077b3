# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""overwrite_target acts once: by a list that is in the journal before the first drop."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.journal import Record
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.target_admin import TargetAdmin
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.wipe import KEY, wipe
from tests.unit.control_fakes import Crash, FakeStore
from tests.unit.front_fake import FakeFront, OpenGate


class Target(FakeFront):
    """A deployment with databases (name to id), collections of _system (name to id), and users."""

    def __init__(self) -> None:
        super().__init__()
        self.databases = {"_system": "1", "shop": "50", "old": "60"}
        self.collections = {"_users": "10", "_cutover": "11", "cutover_journal": "12", "leftover": "13"}
        self.users = {"root", "admin", "stranger"}
        self.views = {"v"}
        self.crash_at: str | None = None
        self.on("GET _system /_api/database", lambda **_o: {"result": list(self.databases)})
        self.on("GET (.+) /_api/replication/clusterInventory", self._inventory)
        self.on("GET .+ /_api/analyzer", {"result": []})
        self.on("GET _system /_api/user", lambda **_o: {"result": [{"user": name} for name in sorted(self.users)]})
        self.on("DELETE _system /_api/database/(.+)", lambda name, **_o: self._drop(self.databases, name))
        self.on("DELETE _system /_api/collection/(.+)", self._drop_collection)
        self.on("DELETE _system /_api/view/(.+)", lambda name, **_o: self.views.discard(name))
        self.on("DELETE _system /_api/user/(.+)", lambda name, **_o: self.users.discard(name))

    def _inventory(self, name: str, **_options: Any) -> dict[str, Any]:
        own = self.collections if name == "_system" else {}
        return {
            "properties": {"id": self.databases[name]},
            "collections": [
                {"parameters": {"id": identity, "name": item, "shards": {}}, "indexes": []}
                for item, identity in own.items()
            ],
            "views": [{"name": item} for item in sorted(self.views)] if name == "_system" else [],
        }

    def _drop(self, items: dict[str, str], name: str) -> None:
        if self.crash_at == name:
            raise Crash
        del items[name]

    def _drop_collection(self, identity: str, **_options: Any) -> None:
        name = next(item for item, found in self.collections.items() if found == identity)
        self._drop(self.collections, name)


def run(target: Target, store: FakeStore) -> None:
    """One start."""
    admin = TargetAdmin(target, OpenGate(), settle=0.05)
    wipe(target, admin, OpenGate(), Record(store, KEY), ["admin"])


def test_what_it_destroys_and_what_never() -> None:
    """Not _system, not the journal, not system collections, not root or the migrating user."""
    target, store = Target(), FakeStore()
    run(target, store)
    assert set(target.databases) == {"_system"}
    assert set(target.collections) == {"_users", "_cutover", "cutover_journal"}
    assert target.users == {"root", "admin"}
    assert target.views == set()
    assert store.documents[KEY].body["done"] is True


def test_a_repeated_start_drops_nothing_again() -> None:
    """What came later, even under the same name, is not on the list."""
    target, store = Target(), FakeStore()
    run(target, store)
    target.databases["shop"] = "70"
    target.users.add("app")
    run(target, store)
    assert "shop" in target.databases
    assert "app" in target.users


def test_an_interrupted_wipe_goes_on_with_the_same_list() -> None:
    """A database made anew meanwhile has another id."""
    target, store = Target(), FakeStore()
    target.crash_at = "shop"
    with pytest.raises(Crash):
        run(target, store)
    assert "shop" in target.databases
    assert store.documents[KEY].body["databases"]["old"] == "60"
    target.crash_at = None
    target.databases["old"] = "99"
    target.databases["newer"] = "100"
    run(target, store)
    assert target.databases == {"_system": "1", "old": "99", "newer": "100"}


def test_i1_the_copy_begins_when_no_lost_drop_can_run_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """It makes databases of the same names."""
    target, store = Target(), FakeStore()
    waits: list[tuple[bool, bool]] = []

    def wait(admin: TargetAdmin, *, of_former: bool = False) -> None:
        waits.append((of_former, KEY in store.documents and store.documents[KEY].body["done"]))

    monkeypatch.setattr(TargetAdmin, "await_lost_drops", wait)
    target.crash_at = "shop"
    with pytest.raises(Crash):
        run(target, store)
    target.crash_at = None
    run(target, store)
    run(target, store)
    assert waits == [(True, False)], "before it is noted that all is done"


def test_i1_a_wipe_that_is_stopped_while_it_waits_is_not_done() -> None:
    target, store = Target(), FakeStore()
    target.crash_at = "shop"
    with pytest.raises(Crash):
        run(target, store)
    target.crash_at = None
    admin = TargetAdmin(target, OpenGate(), settle=300.0)
    admin.stop.set()
    with pytest.raises(CutoverError, match="lost request"):
        wipe(target, admin, OpenGate(), Record(store, KEY), ["admin"])
    assert store.documents[KEY].body["done"] is False


def test_nothing_is_dropped_before_the_list_is_in_the_journal() -> None:
    """The journal cannot be written: nothing happens."""
    target, store = Target(), FakeStore()

    def fail(name: str) -> None:
        if name.startswith("create"):
            raise Crash

    store.before = fail
    with pytest.raises(Crash):
        run(target, store)
    assert target.lines("DELETE") == []
