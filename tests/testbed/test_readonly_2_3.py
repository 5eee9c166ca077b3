# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read-only mode (facts §2.3): enforced by the answering server, not for the superuser."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testbed import ttl
from tests.testbed.client import Client
from tests.testbed.inprocess import Direct
from tests.testbed.launch import TestCluster

FAST = {"mode_delay": 0.0, "mode_put_delay": 0.0}


@pytest.fixture(scope="module")
def readonly(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestCluster]:
    directory: Path = tmp_path_factory.mktemp("readonly")
    with TestCluster.start(directory, name="ro", root_password="secret", options=FAST) as cluster:
        with Client.root(cluster) as client:
            client("POST", "/_api/collection", {"name": "c"})
            client("POST", "/_api/document/c", {"_key": "a"})
            assert client("PUT", "/_admin/server/mode", {"mode": "readonly"}).status == 200
            while client("GET", "/_admin/server/mode").json["mode"] != "readonly":
                pass
        yield cluster


WRITES = [
    ("POST", "/_api/document/c", {"_key": "b"}, 1004),
    ("POST", "/_api/document/c", [{"_key": "b"}], 1004),
    ("PATCH", "/_api/document/c/a", {"x": 1}, 1004),
    ("PUT", "/_api/document/c/a", {"x": 1}, 1004),
    ("DELETE", "/_api/document/c/a", None, 1004),
    ("DELETE", "/_api/document/c", ["a"], 1004),
    ("PUT", "/_api/collection/c/truncate", None, 1004),
    ("POST", "/_api/collection", {"name": "d"}, 11),
    ("DELETE", "/_api/collection/c", None, 11),
    ("POST", "/_api/database", {"name": "d"}, 11),
    ("DELETE", "/_api/database/x", None, 11),
]


@pytest.mark.parametrize(("method", "target", "body", "error"), WRITES)
def test_users_are_refused(readonly: TestCluster, method: str, target: str, body: object, error: int) -> None:
    with Client.root(readonly) as client:
        answer = client(method, target, body)
        assert (answer.status, answer.json["errorNum"]) == (403, error)
        assert client("GET", "/_api/document/c/a").status == 200


def test_reads_go_on_and_the_superuser_may_write(readonly: TestCluster) -> None:
    with Client.root(readonly) as client:
        assert client("PUT", "/_api/document/c?onlyget=true", ["a"]).json[0]["_key"] == "a"
    with Client.superuser(readonly, readonly.coordinators[0]) as superuser:
        assert superuser("POST", "/_api/document/c", {"_key": "su"}).status == 202
        assert superuser("DELETE", "/_api/document/c/su").status == 202


def test_expiry_pauses_where_the_mode_has_arrived() -> None:
    """The thread of TTL indexes pauses on servers that are read-only, and goes on afterwards."""
    with Direct(dbservers=2, options=FAST) as direct:
        for name in ("c", "d"):
            direct("POST", "/_api/collection", {"name": name, "replicationFactor": 1})
            direct("POST", f"/_api/index?collection={name}", {"type": "ttl", "fields": ["at"], "expireAfter": 1})
            direct("POST", f"/_api/document/{name}", {"_key": "old", "at": 5})
        first, second = direct.leader("c"), direct.leader("d")
        assert first is not second
        first.mode_readonly = second.mode_readonly = True
        assert ttl.expire(direct.deployment, time.time()) == 0
        assert direct("GET", "/_api/document/c/old").status == 200
        second.mode_readonly = False  # the flag is each server's own
        assert ttl.expire(direct.deployment, time.time()) == 1
        assert direct("GET", "/_api/document/d/old").status == 404
        first.mode_readonly = False
        assert ttl.expire(direct.deployment, time.time()) == 1
        assert b'"type":2302' in direct("GET", "/_api/wal/tail?global=true", on=first).body
