# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Deployments, credentials, versions, sizes (platform facts §3, §9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.testbed.platform import states
from tests.testbed.platform.inprocess import DirectPlatform

PATH = "/api/data/v1/deployments/"
PROJECT = "/api/data/v1/projects/prj1"


@pytest.fixture
def direct() -> Iterator[DirectPlatform]:
    """A platform with one healthy deployment of the model sharded."""
    with DirectPlatform([{"used_bytes": 1 << 20, "node_size": "c4-a8", "disk": 80}], time_scale=0) as made:
        yield made


@pytest.fixture
def make() -> Iterator[Callable[..., DirectPlatform]]:
    """Makes platforms with wishes of one test's own."""
    running: list[DirectPlatform] = []

    def begin(**wishes: Any) -> DirectPlatform:
        running.append(DirectPlatform(**wishes))
        return running[-1]

    yield begin
    for entry in running:
        entry.close()


def shown(direct: DirectPlatform) -> Any:
    """The first deployment."""
    return direct.get(PATH + direct.deployment)


def code(answer: Any) -> tuple[int, int]:
    """HTTP status and gRPC code of an error."""
    return answer.status, answer.json["code"]


def test_3_1_unknown_ids_are_not_found_names_too(direct: DirectPlatform) -> None:
    assert code(direct("GET", PATH + "target")) == (404, 5)
    assert code(direct("GET", PATH + "%F0%9F%92%A5")) == (404, 5)


def test_3_2_a_healthy_deployment(direct: DirectPlatform) -> None:
    found = shown(direct)
    status = found["status"]
    assert found["url"] == f"/Organization/org1/Project/prj1/Deployment/{direct.deployment}"
    assert found["model"] == {
        "model": "sharded",
        "node_size_id": "c4-a8",
        "node_count": 3,
        "node_disk_size": 80,
        "node_type": "A",
        "node_size": 8,
    }
    assert [status[name] for name in ("created", "ready", "bootstrapped", "is_up_to_date")] == [True] * 4
    assert status["endpoint"].endswith(".arangodb.cloud:8529")
    assert status["endpoint_self_signed"].endswith(".arangodb.cloud:18529")
    assert status["endpoint_default"].endswith(".arangodb.cloud")
    assert status["server_versions"] == [found["version"]]
    assert found["expiration"] == {"reason": "doesn't expire"}
    assert found["size"]["total_disk_size"] == 3 * 2 + 3 * 80
    kinds = [one["type"] for one in status["servers"]]
    assert [kinds.count(kind) for kind in ("agent", "coordinator", "dbserver")] == [3, 3, 3]
    assert sum(1 for one in status["servers"] if one.get("is_leader")) == 1


CONDITIONS = ("failed", "creating", "ok", "bad", "upgrading", "synchronizing")


@pytest.mark.parametrize("state", states.STATES)
def test_3_2_every_state_and_exactly_one_condition_of_each_server(direct: DirectPlatform, state: str) -> None:
    healthy = shown(direct)
    direct.fault("state", state=state)
    found = shown(direct)
    assert (found == healthy) is (state == "ready")
    for server in found["status"]["servers"]:
        assert sum(1 for name in CONDITIONS if server.get(name)) == 1
    direct.fault("state", state="ready")
    again = shown(direct)
    for entry in (again, healthy):  # what is remembered of a state that is over
        for name in ("last_paused_at",):
            entry.pop(name, None)
        entry["status"].pop("backup_restore_status", None)
    assert again == healthy


@pytest.mark.parametrize(
    ("state", "path", "value"),
    [
        ("paused", "is_paused", True),
        ("paused", "status.ready", None),
        ("locked", "locked", True),
        ("locked", "status.ready", True),
        ("creating", "status.endpoint", None),
        ("creating", "status.created", None),
        ("bootstrapping", "status.created", True),
        ("bootstrapping", "status.bootstrapped", None),
        ("upgrading", "status.upgrading", True),
        ("upgrading", "status.is_up_to_date", None),
        ("changes-pending", "status.is_up_to_date", None),
        ("read-only", "status.read_only", True),
        ("deleted", "is_deleted", True),
        ("end-of-life", "version_is_end_of_life", True),
        ("restoring", "status.backup_restore_status.restoring", True),
        ("disk-locked", "disk_rate_limit_active", "3600s"),
    ],
)
def test_3_2_what_a_state_shows(direct: DirectPlatform, state: str, path: str, value: object) -> None:
    direct.fault("state", state=state)
    found = shown(direct)
    for name in path.split("."):
        found = None if found is None else found.get(name)
    assert found == value


def test_3_2_single_servers(make: Callable[..., DirectPlatform]) -> None:
    for model in ("developer", "free"):
        for variant, kind in (("singles", "single"), ("single-dbserver", "dbserver")):
            found = shown(make(deployments=[{"model": model}], readings={"9": variant}))
            assert [one["type"] for one in found["status"]["servers"]] == [kind]
            assert found["model"]["node_count"] == 1
            assert "coordinators" not in found["servers"]


@pytest.mark.parametrize(("variant", "end"), [("no-port", ".cloud"), ("with-port", ".cloud:443")])
def test_3_2_the_default_endpoint_names_its_port_or_not(
    make: Callable[..., DirectPlatform], variant: str, end: str
) -> None:
    assert shown(make(readings={"11": variant}))["status"]["endpoint_default"].endswith(end)


def test_3_3_credentials_and_the_event_of_their_reading(make: Callable[..., DirectPlatform]) -> None:
    roles = ["deployment-content-admin", "resourcemanager.event.list"]
    direct = make(key={"roles": roles})
    headers = {"grpc-metadata-x-arango-graph-user-agent": "tester (1.0)"}
    path = f"/api/data/v1/deploymentcredentials/{direct.deployment}?reason=a+test"
    answer = direct("GET", path, headers=headers)
    assert set(answer.json) == {"username", "password"}
    assert answer.json["username"] == "root"
    events = "/api/resourcemanager/v1/organizations/org1/events"
    wish = {"subject_ids": [direct.deployment], "types": ["data.deploymentcredentials.read"]}
    (event,) = direct("POST", events, wish).json["items"]
    assert (event["reason"], event["created_with"]) == ("a test", "tester (1.0)")


def test_3_3_the_password_rotates(direct: DirectPlatform) -> None:
    path = f"/api/data/v1/deploymentcredentials/{direct.deployment}"
    before, when = direct.get(path)["password"], shown(direct)["last_root_password_rotated_at"]
    direct.fault("rotate_password")
    after = direct.get(path)["password"]
    assert after != before
    assert shown(direct)["last_root_password_rotated_at"] > when
    direct.fault("rotate_password", password="chosen")
    assert direct.get(path)["password"] == "chosen"


@pytest.mark.parametrize("enabled", [True, False])
def test_3_3_a_scheduled_rotation_comes_every_three_months(make: Callable[..., DirectPlatform], enabled: bool) -> None:
    direct = make(deployments=[{"set": {"is_scheduled_root_password_rotation_enabled": enabled}}], token_lifetime=1e9)
    path = f"/api/data/v1/deploymentcredentials/{direct.deployment}"
    seen = {direct.get(path)["password"]}
    for _quarter in range(2):
        direct.fault("advance", seconds=91 * 86400)
        seen.add(direct.get(path)["password"])
    assert len(seen) == (3 if enabled else 1)


def test_3_4_lists_by_project_and_by_filter(make: Callable[..., DirectPlatform]) -> None:
    direct = make(deployments=[{"name": "one"}, {"name": "two", "region": "aws-eu-central-1", "state": "expiring"}])
    assert [one["name"] for one in direct.get(f"{PROJECT}/deployments")["items"]] == ["one", "two"]
    assert code(direct("GET", "/api/data/v1/projects/other/deployments")) == (404, 5)
    path = "/api/data/v1/organizations/org1/deployments"
    for query, names in (
        ({"region_id": "gcp-us-west2"}, ["one"]),
        ({"does_not_expire": "true"}, ["one"]),
        ({"expires_after": "2000-01-01T00:00:00Z"}, ["two"]),
        ({"expires_before": "2000-01-01T00:00:00Z"}, []),
        ({"project_id": "other"}, []),
    ):
        assert [one["name"] for one in direct.get(path, **query).get("items", [])] == names
    assert direct.get("/api/data/v1/organizations/other/deployments") == {}


def test_3_5_versions(direct: DirectPlatform) -> None:
    everything = [one["version"] for one in direct.get("/api/data/v1/versions")["items"]]
    assert everything == ["3.10.14", "3.11.9", "3.11.14", "3.12.5", "3.12.10"]
    from_there = [one["version"] for one in direct.get("/api/data/v1/versions", current_version="3.11.9")["items"]]
    assert from_there == ["3.11.9", "3.11.14", "3.12.5", "3.12.10"]
    assert direct.get("/api/data/v1/versions/default")["version"] == "3.12.10"
    old = direct.get("/api/data/v1/versions/3.10.14")
    assert old["is_end_of_life"] is True
    assert old["replace_by"]["version"] == "3.11.14"
    assert code(direct("GET", "/api/data/v1/versions/1.0")) == (404, 5)


def test_3_6_node_sizes_models_disks(direct: DirectPlatform) -> None:
    path = f"{PROJECT}/regions/gcp-us-west2/nodesizes"
    sizes = {one["id"]: one for one in direct.get(path, model="oneshard")["items"]}
    assert sizes["c4-a8"] == {
        "id": "c4-a8",
        "name": "A8",
        "memory_size": 8,
        "min_disk_size": 80,
        "max_disk_size": 80,
        "cpu_size": "standard",
        "disk_sizes": [80],
    }
    assert [one["id"] for one in direct.get(path, model="free")["items"]] == ["c4-a4"]
    models = {one["id"]: one for one in direct.get(f"{PROJECT}/deploymentmodels")["items"]}
    assert models["free"]["deployment_ttl"] == str(14 * 86400)
    assert models["sharded"]["features"]["backup_uploads"] is True
    assert "deployment_ttl" not in direct.get("/api/data/v1/deploymentmodel/sharded")
    disks = direct("POST", "/api/data/v1/disk-performances", {"deployment_id": direct.deployment}).json["items"]
    one = direct("POST", "/api/data/v1/disk-performance/dp60", {"region_id": "gcp-us-west2"}).json
    assert [disks[0]["is_default"], disks[1]] == [True, one]


def test_3_6_the_project_all_needs_no_permission(make: Callable[..., DirectPlatform]) -> None:
    direct = make(key={"roles": ["cacertificate-viewer"]})
    assert direct.get("/api/data/v1/projects/all/regions/gcp-us-west2/nodesizes")["items"]
    assert code(direct("GET", f"{PROJECT}/regions/gcp-us-west2/nodesizes")) == (403, 7)
    assert direct.get("/api/data/v1/projects/all/deploymentmodels")["items"]


def test_3_6_the_deprecated_limits_are_gone(direct: DirectPlatform) -> None:
    assert direct("GET", f"{PROJECT}/regions/gcp-us-west2/limits").body.strip() == b"Not Found"


def test_3_6_advice_about_sizes(direct: DirectPlatform) -> None:
    path = "/api/data/v1/deployment-size/recommend"
    small = direct.get(path, dataset_size=50, usecase="MULTIMODEL", model="sharded")
    assert small == {"node_memory_size": 8, "node_disk_size": 80, "node_count": 3}
    assert direct.get(path, dataset_size=99999)["exceeds_platform"] is True


def test_3_7_instructions(direct: DirectPlatform) -> None:
    found = direct.get(f"{PATH}{direct.deployment}/import-data-instructions")
    assert found["import_dump"][0].startswith("arangorestore ")
    assert set(found) == {"import_dump", "arango_import_json", "arango_import_csv", "arango_import_tsv"}
    assert direct.get(f"{PATH}{direct.deployment}/connect-driver-instructions")["drivers"][0]["code"]


def test_3_8_pause_and_resume(make: Callable[..., DirectPlatform]) -> None:
    direct = make(time_scale=1)
    path = PATH + direct.deployment
    assert code(direct("POST", f"{path}/resume")) == (400, 9)
    assert direct("POST", f"{path}/pause").json == {}
    assert code(direct("POST", f"{path}/pause")) == (400, 9)
    paused = shown(direct)
    assert paused["is_paused"] is True
    assert "ready" not in paused["status"]
    assert direct("POST", f"{path}/resume").json == {}
    resuming = shown(direct)
    assert "is_paused" not in resuming
    assert "ready" not in resuming["status"]
    assert code(direct("POST", f"{path}/resume")) == (400, 9)
    direct.fault("advance", seconds=6)
    assert shown(direct)["status"]["ready"] is True
    assert shown(direct)["last_resumed_at"] > paused["last_paused_at"]


def test_3_8_one_server_restarts(make: Callable[..., DirectPlatform]) -> None:
    direct = make(time_scale=1)
    server = shown(direct)["status"]["servers"][0]
    path = f"{PATH}{direct.deployment}/rotate/"
    assert code(direct("POST", path + "nobody")) == (404, 5)
    assert direct("POST", path + server["id"]).json == {}
    assert shown(direct)["status"]["servers"][0]["rotation_pending"] is True
    direct.fault("advance", seconds=5)
    after = shown(direct)["status"]["servers"][0]
    assert "rotation_pending" not in after
    assert after["last_started_at"] > server["last_started_at"]


@pytest.mark.parametrize(("variant", "name"), [("replaced", None), ("merged", "target")])
def test_3_9_a_part_of_an_object_clears_the_rest(
    make: Callable[..., DirectPlatform], variant: str, name: str | None
) -> None:
    direct = make(readings={"6": variant})
    answer = direct("PATCH", PATH + direct.deployment, {"locked": True, "status": {"read_only": True}})
    assert answer.status == 200
    found = shown(direct)
    assert found["locked"] is True
    assert found.get("name") == name
    assert found["id"] == direct.deployment
    assert "read_only" not in found["status"]
    assert ("model" in found and "model" in found["model"]) is (variant == "merged")


def test_3_9_the_whole_object_keeps_everything(direct: DirectPlatform) -> None:
    before = shown(direct)
    before["description"] = "words"
    assert direct("PATCH", PATH + direct.deployment, before).status == 200
    assert shown(direct) == before


@pytest.mark.parametrize("body", [{"ipallowlist_id": "nobody"}, {"certificates": {"ca_certificate_id": "nobody"}}])
def test_3_9_what_is_referred_to_must_exist(direct: DirectPlatform, body: object) -> None:
    assert code(direct("PATCH", PATH + direct.deployment, body)) == (404, 5)


@pytest.mark.parametrize(
    ("model", "wish", "status"),
    [
        ("oneshard", {"model": {"model": "sharded", "node_disk_size": 10}}, 200),
        ("sharded", {"model": {"model": "oneshard", "node_disk_size": 10}}, 400),
        ("developer", {"model": {"model": "sharded", "node_disk_size": 10}}, 200),
        ("sharded", {"model": {"model": "developer", "node_disk_size": 10}}, 400),
        ("sharded", {"model": {"model": "sharded", "node_disk_size": 9}}, 400),
        ("sharded", {"model": {"model": "sharded", "node_disk_size": 20}}, 200),
        ("sharded", {"servers": {"dbserver_args": ["--log.level=debug"]}}, 400),
        ("flexible", {"servers": {"dbserver_args": ["--log.level=debug"]}}, 200),
        ("sharded", {"version": "3.11.14"}, 400),
        ("sharded", {"version": "3.12.5"}, 200),
    ],
)
def test_9_what_can_be_changed(make: Callable[..., DirectPlatform], model: str, wish: Any, status: int) -> None:
    direct = make(deployments=[{"model": model}], readings={"6": "merged"})
    answer = direct("PATCH", PATH + direct.deployment, wish)
    assert answer.status == status
    if status == 400:
        assert answer.json["code"] == 9
        assert {name: shown(direct).get(name) for name in wish} != wish


def test_9_the_disk_is_locked_for_a_while(make: Callable[..., DirectPlatform]) -> None:
    direct = make(readings={"6": "merged"})
    direct.fault("state", state="disk-locked")
    wish = {"model": {"model": "sharded", "node_disk_size": 20}}
    assert code(direct("PATCH", PATH + direct.deployment, wish)) == (400, 9)
    direct.fault("state", state="ready")
    assert direct("PATCH", PATH + direct.deployment, wish).status == 200


def test_9_an_upgrade_goes_from_server_to_server(make: Callable[..., DirectPlatform]) -> None:
    direct = make(deployments=[{"version": "3.11.14", "model": "developer"}], time_scale=10)
    before = shown(direct)
    assert direct("PATCH", PATH + direct.deployment, {**before, "version": "3.12.10"}).status == 200
    found = shown(direct)
    assert (found["version"], found["status"]["server_versions"]) == ("3.12.10", ["3.11.14"])
    assert (found["status"]["upgrading"], "is_up_to_date" in found["status"]) == (True, False)
    assert found["status"]["servers"][0]["upgrading"] is True
    direct.fault("advance", seconds=50)
    found = shown(direct)
    assert (found["status"]["server_versions"], found["status"]["is_up_to_date"]) == (["3.12.10"], True)
    assert "upgrading" not in found["status"]


def test_9_the_free_trial_ends_in_14_days(make: Callable[..., DirectPlatform]) -> None:
    direct = make(deployments=[{"model": "free"}], token_lifetime=1e9)
    assert shown(direct)["expiration"]["expires_at"]
    direct.fault("advance", seconds=15 * 86400)
    assert shown(direct)["is_deleted"] is True
