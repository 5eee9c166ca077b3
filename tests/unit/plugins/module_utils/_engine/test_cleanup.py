# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An aborted migration's leavings are removed by its journal, and nothing else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.cleanup import clean_up, tell_of_leavings
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.findings import Findings
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.schema_map import Made, SchemaMap
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.target_admin import TargetAdmin
from tests.unit.control_fakes import Crash, FakeStore
from tests.unit.front_fake import FakeFront, OpenGate


class Target(FakeFront):
    """A deployment: databases with collections (name to id), views and analyzers; ``crash_at`` ends a drop early."""

    def __init__(self) -> None:
        super().__init__()
        self.collections: dict[str, dict[str, str]] = {
            "_system": {"_users": "10", "_cutover": "11", "_graphs": "12", "mine": "13", "theirs": "14"},
            "shop": {"_graphs": "20", "things": "21"},
            "mixed": {"_graphs": "30", "ours": "31", "foreign": "32"},
            "other": {"kept": "40"},
        }
        self.views = {name: {"v"} for name in self.collections}
        self.graphs = ["g1", "g2"]
        self.crash_at: str | None = None
        self.on("GET _system /_api/database", lambda **_o: {"result": list(self.collections)})
        self.on("GET (.+) /_api/replication/clusterInventory", self._inventory)
        self.on("GET .+ /_api/analyzer", {"result": []})
        self.on("DELETE _system /_api/database/(.+)", self._drop_database)
        self.on("DELETE (.+) /_api/collection/(.+)", self._drop_collection)
        self.on("DELETE (.+) /_api/view/(.+)", lambda name, view, **_o: self.views[name].discard(view))
        self.on("POST _system /_api/cursor", lambda **_o: {"result": list(self.graphs), "hasMore": False})
        self.on("DELETE _system /_api/document/_graphs", self._remove_graphs)
        self.on("POST mixed /_api/cursor", {"result": [], "hasMore": False})
        self.on("DELETE mixed /_api/document/_graphs", [])

    def _inventory(self, name: str, **_options: Any) -> dict[str, Any]:
        return {
            "properties": {"id": name},
            "collections": [
                {"parameters": {"id": identity, "name": item, "shards": {}}, "indexes": []}
                for item, identity in self.collections[name].items()
            ],
            "views": [{"name": item} for item in sorted(self.views[name])],
        }

    def _maybe_crash(self, name: str) -> None:
        if self.crash_at == name:
            raise Crash

    def _drop_database(self, name: str, **_options: Any) -> None:
        self._maybe_crash(name)
        del self.collections[name]

    def _drop_collection(self, database: str, identity: str, **_options: Any) -> None:
        found = self.collections[database]
        name = next(item for item, known in found.items() if known == identity)
        self._maybe_crash(name)
        del found[name]

    def _remove_graphs(self, body: Any = None, **_options: Any) -> list[Any]:
        self.graphs = [key for key in self.graphs if key not in body]
        return []


class Case:
    """A journal that knows three databases, one of them with a collection whose id was not recorded yet."""

    def __init__(self) -> None:
        self.target, self.store, self.findings = Target(), FakeStore(), Findings()
        self.users = ["app", "reader"]
        made = SchemaMap(self.store)
        for name, collections in (
            ("_system", {"mine": "13", "_graphs": "12"}),
            ("shop", {"things": "21"}),
            ("mixed", {"ours": None}),
        ):
            database = made.add_database(name, f"id of {name}")
            for index, (collection, target_id) in enumerate(collections.items()):
                database.collections[str(index)] = Made(str(index), collection, target_id)
            made.save(name)

    def run(self, *, again: bool = False) -> list[float]:
        """One clean-up, by an agent that knows the journal only; the seconds that it has waited."""
        admin = TargetAdmin(self.target, OpenGate(), settle=7.0)
        waited: list[float] = []
        admin.stop.wait = lambda seconds=None: waited.append(seconds or 0.0)  # type: ignore[assignment,method-assign,return-value]
        world: Any = SimpleNamespace(
            target=self.target,
            admin=admin,
            lease=OpenGate(),
            map=SchemaMap(self.store),
            users=SimpleNamespace(remove_all=self.users.clear),
        )
        clean_up(world, self.findings, again=again)
        return waited

    def assert_clean(self) -> None:
        """Only what is not ours is left."""
        assert self.target.collections == {
            "_system": {"_users": "10", "_cutover": "11", "_graphs": "12", "theirs": "14"},
            "mixed": {"_graphs": "30", "foreign": "32"},
            "other": {"kept": "40"},
        }
        assert self.target.graphs == []
        assert self.target.views["other"] == {"v"}
        assert self.users == []
        left = SchemaMap(self.store)
        left.load()
        assert left.databases == {}


def test_what_is_removed_and_what_never() -> None:
    """Not what somebody else has made, which is told of; not the journal, not other databases."""
    case = Case()
    assert case.run() == []
    case.assert_clean()
    (told,) = case.findings.all()
    assert (told["code"], told["where"]) == ("CUT-CLEANUP-1", "database mixed")
    assert "foreign" in told["message"]


@pytest.mark.parametrize("where", ["mine", "shop", "ours"])
def test_an_interrupted_clean_up_begins_again(where: str) -> None:
    """Every step can be repeated; a lost request of the first one can drop nothing that comes later."""
    case = Case()
    case.target.crash_at = where
    with pytest.raises(Crash):
        case.run()
    case.target.crash_at = None
    assert case.run(again=True) == [7.0]
    case.assert_clean()


def test_without_a_clean_up_the_leavings_are_told() -> None:
    """By number; nothing is told where nothing was made."""
    case = Case()
    made = SchemaMap(case.store)
    made.load()
    tell_of_leavings(made, 2, case.findings)
    (told,) = case.findings.all()
    assert (told["code"], told["severity"]) == ("CUT-CLEANUP-2", "warning")
    assert "4 collections in 3 databases, 2 inactive users" in told["message"]
    none = Findings()
    tell_of_leavings(SchemaMap(FakeStore()), 0, none)
    assert none.all() == []
