# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The warm-up asks for every collection what it can, within its time, and prevents nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.proof import Subject
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.warm_up import warm_up

SUBJECTS = [Subject("shop", f"c{number}") for number in range(9)]


def _target(refuse: str = "nothing") -> Any:
    calls: list[str] = []

    def json(method: str, path: str, **_options: Any) -> None:
        calls.append(path)
        if refuse in path:
            raise CutoverError("CUT-ARANGO-4", f"{path} is refused")

    return SimpleNamespace(json=json, calls=calls)


def test_every_collection_is_warmed() -> None:
    target = _target()
    warmth = warm_up(target, SUBJECTS, Deadline(10.0), lambda: False).document()
    assert (warmth["indexes_loaded"], warmth["queries"], warmth["left_out"], warmth["problems"]) == (9, 9, 0, [])
    assert len(target.calls) == 18


def test_what_the_target_refuses_is_told() -> None:
    warmth = warm_up(_target("loadIndexesIntoMemory"), SUBJECTS, Deadline(10.0), lambda: False).document()
    assert (warmth["indexes_loaded"], warmth["queries"]) == (0, 9)
    assert len(warmth["problems"]) == 9


def test_it_ends_with_its_time_and_with_the_agent() -> None:
    for deadline, over in ((Deadline(0.0), False), (Deadline(10.0), True)):
        assert warm_up(_target(), SUBJECTS, deadline, lambda over=over: over).left_out == 9  # type: ignore[misc]
