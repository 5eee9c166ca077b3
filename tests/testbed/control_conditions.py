# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Conditions in which servers are for a while: full disks, wrong clocks, load, an old Plan, a license that ran out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.testbed.api.server_mode import LATE
from tests.testbed.control_api import action, server_named
from tests.testbed.load import Load
from tests.testbed.stale import StalePlan
from tests.testbed.supervision import release

if TYPE_CHECKING:
    from tests.testbed.cluster import Cluster


@action("full_disk")
def full_disk(cluster: Cluster, spec: dict[str, Any]) -> object:
    """No room is left on a DB-Server (`on`, true): shards it leads refuse writes with 1104, its copies fall behind."""
    server = server_named(cluster.deployment, spec["server"])
    server.disk_full = bool(spec.get("on", True))
    if not server.disk_full:
        for shard in list(server.shards.values()):
            release(shard)
    return server.disk_full


@action("license_readonly")
def license_readonly(cluster: Cluster, spec: dict[str, Any]) -> object:
    """The license makes the whole cluster read-only (`on`, true), as a dataset over the limit does (facts §2.4)."""
    cluster.deployment.license_readonly = bool(spec.get("on", True))
    return cluster.deployment.license_readonly


@action("clock_skew")
def clock_skew(cluster: Cluster, spec: dict[str, Any]) -> object:
    """A server's clock is wrong by `seconds`, before (-) or after the true time; revisions show it."""
    server = server_named(cluster.deployment, spec["server"])
    server.clock.skew = float(spec["seconds"])
    return server.clock.skew


@action("load")
def load(cluster: Cluster, spec: dict[str, Any]) -> object:
    """A server (all coordinators by default) manages `capacity` requests a second; 0 takes the load away.

    Requests wait in its queue, and a header tells how long; with `limit` (1000) requests waiting it answers 503/21003.
    """
    deployment = cluster.deployment
    servers = [server_named(deployment, spec["server"])] if "server" in spec else deployment.by_role("coordinator")
    capacity = float(spec["capacity"])
    for server in servers:
        server.load = Load(capacity, int(spec.get("limit", 1000))) if capacity else None
    return [server.id for server in servers]


@action("stale_coordinator")
def stale_coordinator(cluster: Cluster, spec: dict[str, Any]) -> object:
    """A coordinator shows the Plan of this moment for `seconds` (5)."""
    server = server_named(cluster.deployment, spec["server"])
    server.stale = StalePlan(cluster.deployment, float(spec.get("seconds", 5)))
    return server.id


@action("late_mode")
def late_mode(cluster: Cluster, spec: dict[str, Any]) -> object:
    """Later changes of the server mode reach a server `seconds` later than usual."""
    server = server_named(cluster.deployment, spec["server"])
    cluster.deployment.objects.setdefault(LATE, {})[server.id] = float(spec["seconds"])
    return server.id


@action("change_password")
def change_password(cluster: Cluster, spec: dict[str, Any]) -> object:
    """A user has another `password`, and logins with the old one get 401."""
    cluster.deployment.authenticator.users.change(spec["user"], password=str(spec["password"]))
    return spec["user"]
