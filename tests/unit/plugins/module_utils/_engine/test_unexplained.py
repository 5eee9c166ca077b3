# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is in the logs, in the definitions and on the servers is copied, or is known to be gone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import unexplained as module
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import ShardId, ShardState
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.unexplained import Unexplained

CUID = "c99/s100"
THINGS = ShardId("shop", "10", "s1")


class Case:
    """One collection that is copied, and a shard in the logs that nobody knows; ``listed`` is what a server has."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.listed: Any = []
        self.followed = {THINGS: ShardState.IN_SYNC}
        self.unknown = {("shop", CUID)}
        collection = SimpleNamespace(
            plan_id="10", name="things", shards=["s1"], leaders={"s1": "PRMR-a"}, cuid=lambda shard: f"c10/{shard}",
            shard_keys=("_key",), likeness=None,
        )
        self.inventory: Any = {"shop": SimpleNamespace(name="shop", collections={"things": collection})}
        source: Any = SimpleNamespace(
            fronts={}, servers={"PRMR-a": SimpleNamespace(json=self._list)}, present=lambda servers: servers
        )
        plane: Any = SimpleNamespace(unknown_cuids=lambda: self.unknown, states=lambda: self.followed)
        schema: Any = SimpleNamespace(target_version=(3, 12, 4), gone=lambda source, unknown: list(unknown))
        monkeypatch.setattr(module, "migrated", lambda collection, version: True)
        self.part = Unexplained(source, plane, schema)

    def _list(self, *_request: str, **_options: Any) -> Any:
        if isinstance(self.listed, CutoverError):
            raise self.listed
        return {"result": [{"name": name} for name in self.listed]}


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch) -> Case:
    return Case(monkeypatch)


def test_i3_a_shard_that_a_server_has_and_no_definition_knows_is_not_copied(case: Case) -> None:
    """It was made behind the fence, after the definitions were settled."""
    case.listed = [CUID, "c10/s1"]
    assert case.part.not_copied(case.inventory) == [f"shop {CUID}"]


def test_a_shard_that_nobody_has_any_more_is_explained(case: Case) -> None:
    case.listed = ["c10/s1"]
    assert case.part.not_copied(case.inventory) == []


def test_i3_where_nobody_can_say_there_is_no_proof(case: Case) -> None:
    case.listed = CutoverError("CUT-HTTP-3", "no answer", retriable=True)
    with pytest.raises(CutoverError):
        case.part.not_copied(case.inventory)


def test_i3_definitions_and_data_path_must_have_the_same_shards(case: Case) -> None:
    """Whichever side has one more."""
    assert case.part.apart(case.inventory) is None
    case.followed = {}
    assert case.part.apart(case.inventory) == "1 shards are not copied, the first one is s1 in shop"
    case.followed = {THINGS: ShardState.IN_SYNC, ShardId("shop", "11", "s2"): ShardState.IN_SYNC}
    text = case.part.apart(case.inventory)
    assert text == "1 shards are copied without a definition, the first one is s2 in shop"
