# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""data: versions, node sizes, models, disks, advice about sizes (platform facts §3.5, §3.6)."""

from __future__ import annotations

from tests.testbed.platform import catalogue
from tests.testbed.platform import messages as m
from tests.testbed.platform.api.data import deployment
from tests.testbed.platform.call import Call, found, page
from tests.testbed.platform.errors import invalid
from tests.testbed.platform.routing import rpc
from tests.testbed.platform.schema import Value
from tests.testbed.platform.world import PROJECT_URL

_ANY_PROJECT = "all"  # needs no permission
_LARGEST = 128  # GiB of memory of a node


@rpc("ListVersions", "GET", "/api/data/v1/versions", m.VERSIONS, m.VERSION_LIST)
def list_versions(call: Call, wish: Value) -> Value:
    """Versions; with `current_version` those that are safe to upgrade to from there."""
    current = wish.get("current_version")
    names = catalogue.safe_upgrades(current) if current else list(catalogue.VERSIONS)
    return {"items": [catalogue.VERSIONS[name] for name in page(names, wish.get("options", {}))]}


@rpc("GetDefaultVersion", "GET", "/api/data/v1/versions/default", m.NOTHING, m.VERSION)
def default_version(call: Call, wish: Value) -> Value:
    """The version of new deployments."""
    return catalogue.VERSIONS[catalogue.DEFAULT_VERSION]


@rpc("GetVersion", "GET", "/api/data/v1/versions/{version}", m.VERSION, m.VERSION)
def get_version(call: Call, wish: Value) -> Value:
    """One version."""
    return found(catalogue.VERSIONS, wish["version"], "Version")


def _require_in_project(call: Call, wish: Value, permission: str) -> None:
    project = wish["project_id"]
    if project == _ANY_PROJECT:
        return
    found({call.world.project["id"]: call.world.project}, project, "Project")
    call.require(permission, PROJECT_URL)


@rpc(
    "ListNodeSizes",
    "GET",
    "/api/data/v1/projects/{project_id}/regions/{region_id}/nodesizes",
    m.NODE_SIZES_WISH,
    m.NODE_SIZE_LIST,
)
def list_node_sizes(call: Call, wish: Value) -> Value:
    """Sizes of nodes in a region, for a model."""
    _require_in_project(call, wish, "data.nodesize.list")
    found(catalogue.REGIONS, wish["region_id"], "Region")
    names = ["c4-a4"] if wish.get("model") == "free" else sorted(catalogue.NODE_SIZES, key=_memory)
    return {"items": [catalogue.NODE_SIZES[name] for name in names]}


def _memory(name: str) -> int:
    size: int = catalogue.NODE_SIZES[name]["memory_size"]
    return size


@rpc(
    "ListDeploymentModels",
    "GET",
    "/api/data/v1/projects/{project_id}/deploymentmodels",
    m.MODEL_WISH,
    m.MODEL_LIST,
)
def list_models(call: Call, wish: Value) -> Value:
    """Models of deployments with their features."""
    _require_in_project(call, wish, "data.deploymentmodel.list")
    return {"items": page(list(catalogue.MODELS.values()), wish.get("options", {}))}


@rpc("GetDeploymentModel", "GET", "/api/data/v1/deploymentmodel/{id}", m.ID, m.MODEL)
def get_model(call: Call, wish: Value) -> Value:
    """One model."""
    return found(catalogue.MODELS, wish["id"], "DeploymentModel")


@rpc(
    "ListDiskPerformances",
    "POST",
    "/api/data/v1/disk-performances",
    m.PERFORMANCES_WISH,
    m.PERFORMANCE_LIST,
    body=True,
)
def list_performances(call: Call, wish: Value) -> Value:
    """Speeds of disks."""
    deployment(call, wish.get("deployment_id", ""), "data.diskperformance.list")
    return {"items": list(catalogue.PERFORMANCES.values())}


@rpc(
    "GetDiskPerformance",
    "POST",
    "/api/data/v1/disk-performance/{disk_performance_id}",
    m.PERFORMANCE_WISH,
    m.PERFORMANCE,
    body=True,
)
def get_performance(call: Call, wish: Value) -> Value:
    """One speed of disks."""
    return found(catalogue.PERFORMANCES, wish["disk_performance_id"], "DiskPerformance")


@rpc("RecommendDeploymentSize", "GET", "/api/data/v1/deployment-size/recommend", m.SIZE_WISH, m.SIZE_ADVICE)
def recommend_size(call: Call, wish: Value) -> Value:
    """A size for so many GB of data."""
    wanted = wish.get("dataset_size", 0)
    if wanted <= 0:
        raise invalid("dataset_size must be positive")
    memory = next((one for one in (4, 8, 16, 32, 64, _LARGEST) if one * 10 >= wanted), _LARGEST)
    disk = 10 * memory
    return {
        "node_memory_size": memory,
        "node_disk_size": disk,
        "node_count": 3,
        "exceeds_platform": wanted > disk,
        "exceeds_quota": memory > catalogue.QUOTAS["data.deployment-dbserver-memory"],
    }
