# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The same question to every version: what the tests of facts §10 are made with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.testbed.inprocess import Direct, basic

VERSIONS = ("3.10.14", "3.11.14", "3.12.10", "4.0")
ADMIN = basic("root", "")
Probe = Callable[[Direct], Any]


def over(names: Sequence[str], probe: Probe, **wishes: Any) -> list[Any]:
    """What a probe finds in each version."""
    found = []
    for name in names:
        with Direct(version=name, **wishes) as direct:
            found.append(probe(direct))
    return found


def status(method: str, target: str, body: object = None) -> Probe:
    """The status of one request of `root`."""
    return lambda direct: direct(method, target, body, login=ADMIN).status


def create(direct: Direct, **wishes: object) -> Any:
    """Make the collection `c`."""
    return direct("POST", "/_api/collection", {"name": "c", **wishes}).json
