# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The version of every service, for anyone (platform facts §1.2)."""

from __future__ import annotations

from tests.testbed.platform import messages as m
from tests.testbed.platform.call import Call
from tests.testbed.platform.routing import rpc
from tests.testbed.platform.schema import Value

VERSIONS = {
    "iam": (1, 3, 0),
    "data": (2, 10, 6),
    "crypto": (1, 4, 0),
    "security": (2, 2, 0),
    "backup": (1, 3, 0),
    "monitoring": (1, 5, 0),
    "metrics": (1, 2, 0),
    "replication": (1, 4, 0),
    "resourcemanager": (1, 7, 1),
    "notification": (1, 1, 0),
    "audit": (3, 1, 0),
    "platform": (1, 1, 0),
    "network": (1, 3, 0),
    "tools": (1, 0, 0),
}


def _register(service: str, number: tuple[int, int, int]) -> None:
    answer = dict(zip(("major", "minor", "patch"), number, strict=True))

    @rpc("GetAPIVersion", "GET", f"/api/{service}/v1/api-version", m.NOTHING, m.API_VERSION, public=True)
    def get_api_version(call: Call, wish: Value) -> Value:
        return answer


for _service, _number in VERSIONS.items():
    _register(_service, _number)
