# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The whole precheck against a source of many collections: checks, capabilities, forecast without a sample."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.bench.bed import Bed, checked
from tests.bench.figures import Figure
from tests.testbed.client import Client

_DATABASES = 10
_TIMES = 3


def figures(collections: int) -> Iterator[Figure]:
    """The best of a few runs, as the agent makes them."""
    with Bed(shapes=((2, 3), (1, 3))) as bed:
        with Client.root(bed.source) as client:
            for number in range(_DATABASES):
                checked(client("POST", "/_api/database", {"name": f"d{number}"}), 201)
            for number in range(collections):
                body = {"name": f"c{number}", "numberOfShards": 3, "replicationFactor": 2}
                checked(client("POST", f"/_db/d{number % _DATABASES}/_api/collection", body), 200)
        bed.agent.start()
        taken = []
        for _time in range(_TIMES):
            begun = time.monotonic()
            bed.finished("/v1/precheck", bed.request())
            taken.append(time.monotonic() - begun)
        what = f"{collections:,} collections of 3 shards in {_DATABASES} databases; one second of it is the forecast's"
        yield Figure("precheck", min(taken), "s", 5, what, at_most=True)
