# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""network: private endpoints (platform facts §5)."""

from __future__ import annotations

from tests.testbed.platform import messages as m
from tests.testbed.platform.api.data import deployment
from tests.testbed.platform.call import Call, found
from tests.testbed.platform.routing import rpc
from tests.testbed.platform.schema import Value


@rpc(
    "GetPrivateEndpointServiceByDeploymentID",
    "GET",
    "/api/network/v1/deployment/{id}/privateendpointservice",
    m.ID,
    m.PRIVATE_ENDPOINT,
)
def get_private_endpoint(call: Call, wish: Value) -> Value:
    """The private endpoint of a deployment; NotFound when it has none."""
    entry = deployment(call, wish["id"], "network.privateendpointservice.get-by-deployment-id")
    return found(call.world.private_endpoints, entry.id, "PrivateEndpointService of deployment")
