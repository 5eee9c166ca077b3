# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a managed platform does to its deployments from outside (control API): doors that are shut, certificates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.testbed.api import server_mode
from tests.testbed.control_api import action
from tests.testbed.errors import ArangoError

if TYPE_CHECKING:
    from tests.testbed.cluster import Cluster

_STATES = ("open", "reset", "silent")


@action("front_door")
async def front_door(cluster: Cluster, spec: dict[str, Any]) -> object:
    """What clients meet at every coordinator: `open`, `reset` (cut at once), `silent` (no answer, not even TLS)."""
    state = spec["state"]
    if state not in _STATES:
        raise ArangoError(400, f"state: expecting one of {', '.join(_STATES)}")
    for server in cluster.front:
        cluster.close(server)
        if state == "open":
            await cluster.open(server)
            server_mode.heartbeat(server)
        else:
            await cluster.shut(server, silent=state == "silent")
    return state


@action("load_keyfile")
def load_keyfile(cluster: Cluster, spec: dict[str, Any]) -> object:
    """Every server goes on with the certificate and key of the file `path`; connections to coordinators are cut."""
    cluster.load_keyfile(Path(spec["path"]))
    for server in cluster.front:
        cluster.cut(server)
    return spec["path"]
