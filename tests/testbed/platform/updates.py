# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Changes of a deployment's specification: which are possible, and an upgrade as it takes its time (facts §3.2, §9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.testbed.platform import catalogue, servers
from tests.testbed.platform.deployment import Deployment
from tests.testbed.platform.errors import refused
from tests.testbed.platform.schema import Value

if TYPE_CHECKING:
    from tests.testbed.platform.world import World

_MODELS = {"oneshard": ("sharded",), "developer": ("oneshard", "sharded"), "free": ("oneshard", "sharded")}


def check(before: Value, wish: Value) -> None:
    """FailedPrecondition for a change that no deployment can make; what is missing in the wish is no change."""
    old, new = before["model"], wish.get("model") or {}
    model = new.get("model", old.get("model"))
    if model != old.get("model") and model not in _MODELS.get(old.get("model", ""), ()):
        raise refused(f"The model cannot be changed from {old.get('model')} to {model}")
    disk = new.get("node_disk_size", old.get("node_disk_size", 0))
    if disk < old.get("node_disk_size", 0):
        raise refused("The disk size cannot be reduced")
    if disk != old.get("node_disk_size", 0) and before.get("disk_rate_limit_active"):
        raise refused("The disk size cannot be changed now")
    arguments = {**(wish.get("servers") or {})}
    if model != "flexible" and (arguments.get("coordinator_args") or arguments.get("dbserver_args")):
        raise refused("Arguments of servers are for the model flexible only")
    version = wish.get("version") or before["version"]
    if catalogue.numbers(version)[:2] < catalogue.numbers(before["version"])[:2]:
        raise refused(f"The version cannot be changed from {before['version']} back to {version}")


def begin_upgrade(world: World, deployment: Deployment) -> None:
    """Let the servers run the wanted version, one after the other."""
    deployment.put("status.upgrading", True)
    deployment.put("status.is_up_to_date", False)
    running: list[Value] = deployment.status["servers"]
    step = world.options.restart_seconds

    def next_server(index: int) -> None:
        if index:
            servers.put(running[index - 1], "ok")
            running[index - 1].update(version=deployment.fields["version"], last_started_at=world.clock.now())
        if index < len(running):
            servers.put(running[index], "upgrading")
            world.clock.after(step, lambda: next_server(index + 1))
        deployment.put("status.server_versions", sorted({one["version"] for one in running}))
        if index == len(running):
            deployment.put("status.upgrading", False)
            deployment.put("status.is_up_to_date", True)
        world.touch(deployment, "status")

    next_server(0)
