# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each coordinator knows only its own writers: all of them are asked and told."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import fence
from tests.unit.front_fake import FakeFront


class Source:
    """Coordinators with a writing query each; `stubborn` ones go on in spite of everything."""

    def __init__(self, stubborn: str = "") -> None:
        self.running = {"CRDN-1": 1, "CRDN-2": 1, "CRDN-3": 1}
        self.stubborn = stubborn
        self.fronts = {name: self._front(name) for name in self.running}

    def _front(self, name: str) -> FakeFront:
        front = FakeFront(name)
        query = {"id": "1", "query": "INSERT {} INTO c"}
        front.on("GET None /_api/query/current", lambda **_o: [query] * self.running[name])
        front.on("GET None /_api/transaction", {"transactions": []})
        front.on("DELETE None /_api/transaction/write", lambda **_o: self._end(name))
        return front

    def _end(self, name: str) -> dict[str, Any]:
        if name != self.stubborn:
            self.running[name] = 0
        return {}


def test_i5_writers_are_cancelled_on_every_coordinator() -> None:
    source = Source()
    assert fence.cancel_writers(source, Deadline(2.0)) == 3  # type: ignore[arg-type]
    assert source.running == {"CRDN-1": 0, "CRDN-2": 0, "CRDN-3": 0}


@pytest.mark.parametrize("stubborn", ["CRDN-1", "CRDN-2", "CRDN-3"])
def test_i5_one_writer_that_goes_on_is_one_too_many(stubborn: str) -> None:
    with pytest.raises(CutoverError) as failed:
        fence.cancel_writers(Source(stubborn), Deadline(0.2))  # type: ignore[arg-type]
    assert failed.value.code == "CUT-FENCE-4"
    assert stubborn in str(failed.value)
