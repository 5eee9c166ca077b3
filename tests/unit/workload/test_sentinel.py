# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whoever looks for the beat goes on looking when the target was away."""

from __future__ import annotations

import threading
from typing import Any, cast

import pytest
from requests.exceptions import ReadTimeout

from tests.workload.clients import Connection, NotConnectedError
from tests.workload.sentinel import Samples, Watch


class Target:
    """Fails once, then shows the first beat, and ends the watch."""

    def __init__(self, error: Exception, stop: threading.Event) -> None:
        self._errors, self._stop = [error], stop

    def database(self, _name: str) -> Target:
        """Itself, as every other step on the way to the document."""
        return self

    collection = database

    def get(self, _key: str) -> dict[str, Any]:
        """The beat."""
        if self._errors:
            raise self._errors.pop()
        self._stop.set()
        return {"number": 1}


@pytest.mark.parametrize(
    "error", [NotConnectedError("refused"), ConnectionAbortedError("within limit (1)"), ReadTimeout("slow")]
)
def test_a_target_that_was_away_does_not_end_the_watch(error: Exception) -> None:
    stop, samples = threading.Event(), Samples()
    Watch(cast(Connection, Target(error, stop)), samples, stop).run()
    assert samples.seen == 1
