# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rows about what was given and what can be reached: broken by real files, ports and servers."""

from __future__ import annotations

import os
import resource
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.journal import Journal
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.schema_map import Made, SchemaMap
from tests.testbed.launch import TestCluster
from tests.tools.ports import free_port
from tests.unit.plugins.module_utils._engine.precheck.rig import PASSWORD, Rig

# Rows that a test of this file breaks.
BROKEN = (
    "input-options", "input-secret", "input-secret-private", "input-source-ca", "input-target-ca",
    "input-source-plaintext", "input-target-plaintext", "input-accept", "source-reachable", "source-certificate",
    "source-jwt", "source-cluster", "source-servers-allowed", "source-servers-reachable", "source-servers-identity",
    "source-servers-jwt", "source-log", "target-reachable", "target-certificate", "target-credentials",
    "target-other-cluster", "target-empty", "agent-python", "agent-spool", "agent-state", "agent-files", "agent-port",
)  # fmt: skip


def failed(check: dict[str, Any], *texts: str) -> None:
    """Assert that a check failed with a message that holds all texts, and with a remedy."""
    assert check["status"] in ("failed", "warning"), check
    assert [text for text in texts if text not in check["message"]] == [], check["message"]
    assert check["remedy"]


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "cannot be read"), (b"", "is empty"), (b"x" * 65, "more than the 64 bytes"), (b"-----BEGIN", "PEM")],
)
def test_unusable_secret(rig: Rig, tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    failed(rig.check("input-secret", {"source_jwt_secret_path": str(path)}), "source_jwt_secret_path", says, str(path))
    result = rig.check("source-jwt", {"source_jwt_secret_path": str(path)})
    assert result["status"] == "skipped"


def test_secret_that_others_can_read(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"x")
    path.chmod(0o644)
    check = rig.check("input-secret-private", {"source_jwt_secret_path": str(path)})
    failed(check, "0644")
    path.chmod(0o600)
    assert rig.check("input-secret-private", {"source_jwt_secret_path": str(path)})["status"] == "passed"


@pytest.mark.parametrize("side", ["source", "target"])
def test_unusable_ca_file(rig: Rig, tmp_path: Path, side: str) -> None:
    options = {f"{side}_ca_path": str(tmp_path / "none.pem")}
    failed(rig.check(f"input-{side}-ca", **options), f"{side}_ca_path", "none.pem")
    assert rig.check(f"{side}-reachable", **options)["status"] == "skipped"


def test_plain_endpoints(rig: Rig) -> None:
    plain = ["http://127.0.0.1:1"]
    failed(rig.check("input-source-plaintext", source_endpoints=plain), "source_endpoints", plain[0])
    check = rig.check("input-source-plaintext", source_endpoints=plain, allow_plaintext_source=True)
    assert check["status"] == "passed"
    failed(rig.check("input-target-plaintext", target_endpoints=plain), "target_endpoints", plain[0])


def test_acceptance_of_what_does_not_exist_or_cannot_be_accepted(rig: Rig) -> None:
    def accept(name: str) -> dict[str, Any]:
        return rig.everything(accept=[{"id": name, "reason": "r"}]).checks[7]

    failed(accept("no-such-row"), "not known: no-such-row")
    failed(accept("source-jwt"), "cannot be accepted: source-jwt")
    assert accept("CUT-FINDING-1")["status"] == "passed"


@pytest.mark.parametrize("side", ["source", "target"])
def test_an_endpoint_that_does_not_answer(rig: Rig, side: str) -> None:
    url = f"https://127.0.0.1:{free_port()}"
    options = {f"{side}_endpoints": [url]}
    failed(rig.check(f"{side}-reachable", **options), f"{side}_endpoints", url, "refused")
    both = [url, *(rig.source if side == "source" else rig.target).coordinators]
    failed(rig.check(f"{side}-reachable", **{f"{side}_endpoints": both}), url)


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_certificate_of_another_ca(rig: Rig, side: str) -> None:
    other = rig.target if side == "source" else rig.source
    options = {f"{side}_ca_path": str(other.ca_path)}
    failed(rig.check(f"{side}-certificate", **options), f"{side}_ca_path", "does not verify")
    assert rig.check(f"{side}-reachable", **options)["status"] == "passed"


def test_a_wrong_jwt_secret(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"another secret")
    check = rig.check("source-jwt", {"source_jwt_secret_path": str(path)})
    failed(check, "source_jwt_secret_path", "refuses")
    assert "another secret" not in str(check)
    assert rig.check("source-cluster", {"source_jwt_secret_path": str(path)})["status"] == "skipped"


def test_a_clock_that_refuses_short_tokens_is_told_apart_from_a_wrong_secret(rig: Rig) -> None:
    # Both named coordinators refuse once, then the token of a day is taken.
    rig.source.control.fault("status", path_regex="/_admin/server/id", status=401, errorNum=401, count=2)
    failed(rig.check("source-jwt"), "clocks differ")


def test_a_source_that_is_no_cluster(rig: Rig, tmp_path: Path) -> None:
    with TestCluster.start(tmp_path, name="single", flavour="single") as single:
        check = rig.check(
            "source-cluster",
            {"source_jwt_secret_path": str(single.jwt_secret_path)},
            source_endpoints=single.coordinators,
            source_ca_path=str(single.ca_path),
        )
    failed(check, "source_endpoints", "single server", single.coordinators[0])


def test_a_dbserver_named_as_source_endpoint(rig: Rig) -> None:
    url = next(iter(rig.source.dbservers.values()))
    failed(rig.check("source-cluster", source_endpoints=[url]), url, "no coordinator")


def test_something_else_than_arangodb_as_source(rig: Rig) -> None:
    rig.pretend("source", "/_admin/server/id", "<html>welcome</html>")
    failed(rig.check("source-cluster"), "without JSON")


def test_servers_whose_addresses_are_not_allowed(rig: Rig) -> None:
    named = [url.replace("127.0.0.1", "localhost") for url in rig.source.coordinators]
    failed(rig.check("source-servers-allowed", source_endpoints=named), "allowed_servers", "127.0.0.1")
    check = rig.check("source-servers-allowed", source_endpoints=named, allowed_servers=["127.0.0.*"])
    assert check["status"] == "passed"


def test_a_dbserver_that_cannot_be_reached_from_here(rig: Rig) -> None:
    name, url = next(iter(rig.source.dbservers.items()))
    away = f"https://127.0.0.1:{free_port()}"
    failed(rig.check("source-servers-reachable", endpoint_map={name: away}), away)
    failed(rig.check("source-servers-reachable", endpoint_map={url: away}), away)


def test_a_dead_dbserver(own_rig: Rig) -> None:
    name, url = next(iter(own_rig.source.dbservers.items()))
    own_rig.source.control.fault("kill_server", server=name)
    failed(own_rig.check("source-servers-reachable"), url)
    result = own_rig.everything()
    assert not result.passed
    assert "source-servers-reachable" in [check["id"] for check in result.blocking()]


def test_two_servers_mixed_up(rig: Rig) -> None:
    first, second = list(rig.source.dbservers)[:2]
    mixed = {first: rig.source.dbservers[second]}
    failed(rig.check("source-servers-identity", endpoint_map=mixed), first, second)


def test_one_server_with_another_secret(rig: Rig) -> None:
    name = next(iter(rig.source.dbservers))
    rig.source.control.fault("status", path_regex="server/id", server=name, status=401, errorNum=401, count=100)
    failed(rig.check("source-servers-jwt"), name)
    assert rig.check("source-servers-identity")["status"] == "passed"


def test_a_log_that_cannot_be_read(rig: Rig) -> None:
    name = next(iter(rig.source.dbservers))
    rig.source.control.fault("status", path_regex="/_api/wal/range", server=name, status=403, errorNum=11, count=100)
    failed(rig.check("source-log"), name, "403")


def test_one_broken_answer_fails_nothing(rig: Rig) -> None:
    """Otherwise a take-over would be refused because of it (a network that hiccups is when one is due)."""
    rig.source.control.fault("cut", path_regex="/_api/wal/lastTick", count=1)
    assert rig.check("source-log")["status"] == "passed"
    rig.source.control.fault("cut", path_regex="/_api/wal/lastTick", count=100)
    failed(rig.check("source-log"), "/_api/wal/lastTick")


def test_wrong_target_credentials(rig: Rig) -> None:
    check = rig.check("target-credentials", target_password="wrong-password")
    failed(check, "target_username root", "target_password")
    assert "wrong-password" not in str(check)
    assert rig.check("target-credentials", target_username="nobody")["status"] == "failed"


def test_something_else_than_arangodb_as_target(rig: Rig) -> None:
    rig.pretend("target", "/_api/version", "<html>welcome</html>")
    failed(rig.check("target-credentials"), "without JSON")


def test_one_cluster_as_source_and_target(rig: Rig) -> None:
    first, second = rig.source.coordinators
    check = rig.check(
        "target-other-cluster",
        source_endpoints=[first],
        target_endpoints=[second],
        target_ca_path=str(rig.source.ca_path),
        target_password="",
    )
    failed(check, "same cluster")


def test_a_provider_that_hides_the_health_document(rig: Rig) -> None:
    rig.pretend("target", "/_admin/cluster/health", "<html>forbidden</html>", status=403)
    assert rig.check("target-other-cluster")["status"] == "passed"
    assert rig.check("target-good")["status"] == "unknown"
    accepted = rig.check("target-good", accept=[{"id": "target-good", "reason": "the provider's page says so"}])
    assert accepted["status"] == "accepted"


def test_a_target_with_data(own_rig: Rig) -> None:
    root = own_rig.root()
    root.json("POST", "/_api/database", database="_system", body={"name": "shop"})
    root.json("POST", "/_api/collection", database="shop", body={"name": "orders"})
    root.json("POST", "/_api/document/orders", database="shop", body=[{"_key": str(n)} for n in range(7)])
    root.json("POST", "/_api/collection", database="_system", body={"name": "loose"})
    check = own_rig.check("target-empty")
    failed(check, "overwrite_target is false", "shop (1 collections, 7 documents)")
    failed(check, "_system (1 collections, 0 documents)")
    assert check["measured"]["databases"]["shop"] == {"collections": 1, "documents": 7}
    overwritten = own_rig.check("target-empty", overwrite_target=True)
    assert overwritten["status"] == "passed"
    assert "will be destroyed: " in overwritten["message"]
    root.json("DELETE", "/_api/collection/loose", database="_system")
    root.json("DELETE", "/_api/database/shop", database="_system")
    assert own_rig.check("target-empty")["status"] == "passed"


def test_an_unfinished_migrations_own_leavings_are_not_foreign_data(own_rig: Rig) -> None:
    root = own_rig.root()
    root.json("POST", "/_api/database", database="_system", body={"name": "shop"})
    made = root.json("POST", "/_api/collection", database="shop", body={"name": "orders"})
    root.json("POST", "/_api/user", database="_system", body={"user": "eve", "passwd": "x"})
    assert own_rig.check("target-users")["status"] == "failed"
    journal = Journal.ensure(root, 3)
    schema = SchemaMap(journal)
    database = schema.add_database("shop", "4711")
    database.collections["99"] = Made("99", "orders", made["id"])
    schema.save("shop")
    journal.create("users-map", {"users": {"eve": {"key": "5"}}})
    check = own_rig.check("target-empty")
    assert check["status"] == "passed"
    assert "unfinished copy" in check["message"]
    assert own_rig.check("target-users")["status"] == "passed"
    root.json("POST", "/_api/collection", database="shop", body={"name": "foreign"})
    failed(own_rig.check("target-empty"), "shop (1 collections, 0 documents)")


def test_an_old_python(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 8, 1, "final", 0))
    failed(rig.check("agent-python"), "3.8.1")


def test_a_full_disk_for_spools(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.statvfs(rig.directory)
    figures = os.statvfs_result([*list(real)[:4], 10, *list(real)[5:]])
    monkeypatch.setattr(os, "statvfs", lambda _path: figures)
    failed(rig.check("agent-spool"), "state has only 0.0 GiB")
    assert rig.check("agent-spool", {"state_directory": None})["status"] == "skipped"


def test_a_state_directory_that_cannot_be_written(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    failed(rig.check("agent-state"), "cannot be written")
    assert rig.check("agent-state", {"state_directory": None})["status"] == "skipped"


def test_few_open_files(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (256, 4096))
    failed(rig.check("agent-files"), "256")


def test_the_agents_port(rig: Rig) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        failed(rig.check("agent-port", {"agent_host": "127.0.0.1", "agent_port": port}), f"127.0.0.1:{port}")
    assert rig.check("agent-port", {"agent_host": "127.0.0.1", "agent_port": port})["status"] == "passed"
    failed(rig.check("agent-port", {"agent_host": "192.0.2.1", "agent_port": port}), "192.0.2.1")


def test_the_password_is_nowhere_in_the_result(rig: Rig) -> None:
    assert PASSWORD not in str(rig.everything().as_dict())
    secret = rig.source.jwt_secret_path.read_text()
    assert secret not in str(rig.everything().as_dict())
