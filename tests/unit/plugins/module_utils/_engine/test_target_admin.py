# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A lost request to drop a database may run late: no database of that name is made before that."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.arango import Coordinators
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._core.http import Response
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.target_admin import TargetAdmin
from tests.unit.control_fakes import HandClocks, unreachable
from tests.unit.front_fake import OpenGate

SETTLE = 300.0


class Coordinator:
    """Takes everything; the answers to the next ``lost`` requests to drop get lost."""

    def __init__(self, lost: int = 0) -> None:
        self.lost = lost
        self.asked: list[str] = []
        self.label = "target coordinator"

    def request(self, method: str, path: str, **options: Any) -> Response:
        self.asked.append(f"{method} {path}")
        if method == "DELETE" and self.lost:
            self.lost -= 1
            raise unreachable()
        return Response(200, {}, b"{}")


class Case:
    """Two coordinators, of which the first one loses an answer."""

    def __init__(self, lost: int = 0) -> None:
        self.clock = HandClocks()
        self.servers: list[Any] = [Coordinator(lost), Coordinator()]
        self.admin = TargetAdmin(Coordinators(self.servers), OpenGate(), settle=SETTLE, clock=self.clock)

    def check_made_only_later(self) -> None:
        with pytest.raises(CutoverError) as early:
            self.admin.create_database("shop", {})
        assert (early.value.code, early.value.retriable) == ("CUT-SCHEMA-3", True)
        self.clock.monotonic_now += SETTLE
        assert self.admin.create_database("shop", {})


def test_a_drop_that_was_answered_holds_nobody_up() -> None:
    case = Case()
    case.admin.drop_database("shop")
    assert case.admin.create_database("shop", {})


def test_i1_another_coordinator_does_not_hide_a_lost_drop() -> None:
    case = Case(lost=1)
    case.admin.drop_database("shop")
    assert case.admin.create_database("other", {}), "this one was not dropped"
    case.check_made_only_later()
