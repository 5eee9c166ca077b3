# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A target that an agent works on while another host checks it: what the journal lists is not taken for foreign."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import SYSTEM_CLOCK
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import ArangoError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.context import Memo, Result
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.target_facts import Own, TargetFacts
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.spec import parse

NOTHING = Own({}, frozenset())
MADE = Own({"yard": frozenset({"77"})}, frozenset({"ann"}))
SPEC = parse(
    {
        "source_endpoints": ["https://source.example:8529"],
        "target_endpoints": ["https://target.example:8529"],
        "target_password": "geheim",
    }
)


class Moving(TargetFacts):
    """A target with the database ``yard`` and the user ``ann``; ``journal``: what it lists at each reading."""

    def __init__(self, *journal: Own, collections: object = ({"id": "77", "name": "tools"},)) -> None:
        super().__init__(SPEC, Memo(), gather, SYSTEM_CLOCK)
        self._journals: Iterator[Own] = iter(journal)
        self._listed = collections

    def _own_now(self) -> Own:
        return next(self._journals)

    def get(self, path: str, database: str = "_system", **_more: Any) -> Any:
        answers: dict[tuple[str, str], object] = {
            ("/_api/database", "_system"): ["_system", "yard"],
            ("/_api/collection", "_system"): [{"id": "1", "name": "_users"}],
            ("/_api/collection", "yard"): self._listed,
            ("/_api/collection/tools/count", "yard"): 3,
            ("/_api/user", "_system"): [{"user": "ann"}],
        }
        answer = answers[(path, database)]
        if isinstance(answer, Exception):
            raise answer
        return {"result": answer, "count": answer}


def gather(calls: Mapping[Any, Callable[[], Any]]) -> dict[Any, Any]:
    return {key: Result(value=call()) for key, call in calls.items()}


@pytest.mark.parametrize("journal", [(NOTHING, MADE), (MADE, NOTHING), (MADE, MADE)], ids=["made", "dropped", "there"])
def test_what_is_made_or_dropped_meanwhile_is_not_foreign(journal: tuple[Own, Own]) -> None:
    assert Moving(*journal).contents() == {}
    assert Moving(*journal).foreign_users() == set()


def test_what_no_journal_lists_is_foreign() -> None:
    found = Moving(NOTHING, NOTHING).contents()
    assert {name: (one.collections, one.documents) for name, one in found.items()} == {"yard": (1, 3)}
    assert Moving(NOTHING, NOTHING).foreign_users() == {"ann"}


def test_a_database_that_is_dropped_while_it_is_looked_at_is_not_there() -> None:
    gone = ArangoError(
        "CUT-HTTP-1", "database not found", status=404, error_num=1228, method="GET", url="x", kind="operator"
    )
    assert Moving(NOTHING, NOTHING, collections=gone).contents() == {}
