# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Authentication and users (facts §1, §8)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from tests.testbed import auth
from tests.testbed.client import Client
from tests.testbed.launch import TestCluster

ROOT = "/_api/user/root"


@pytest.fixture(scope="module")
def data(client: Client) -> Iterator[str]:
    """A database with two collections."""
    client("POST", "/_api/database", {"name": "data"})
    for name in ("open", "shut"):
        client("POST", "/_db/data/_api/collection", {"name": name})
        client("POST", f"/_db/data/_api/document/{name}", {"_key": "1"})
    yield "data"
    client("DELETE", "/_api/database/data")


def make(client: Client, name: str, *grants: str) -> None:
    """A user with the password `pw`; grants are `database[/collection]=level`."""
    assert client("POST", "/_api/user", {"user": name, "passwd": "pw"}).status == 201
    for grant in grants:
        place, _, level = grant.partition("=")
        assert client("PUT", f"/_api/user/{name}/database/{place}", {"grant": level}).status == 200


def test_1_1_superuser_tokens(cluster: TestCluster) -> None:
    url = next(iter(cluster.dbservers.values()))
    assert Client.superuser(cluster, url)("GET", "/_api/version").status == 200
    assert Client.superuser(cluster, url, exp=int(time.time()) - 1)("GET", "/_api/version").status == 401
    assert Client.superuser(cluster, url, iss="other")("GET", "/_api/version").status == 401
    narrow = Client.superuser(cluster, url, allowed_paths=["/_admin/server/id"])
    assert narrow("GET", "/_admin/server/id").status == 200
    assert narrow("GET", "/_api/version").status == 401
    wrong = Client(url, cluster.ca_path, "bearer " + auth.sign(b"wrong", {"iss": "arangodb", "server_id": "x"}))
    refused = wrong("GET", "/_api/version")
    assert (refused.status, "www-authenticate" in refused.headers) == (401, True)
    assert "www-authenticate" not in wrong("GET", "/_api/version", headers={"x-omit-www-authenticate": "1"}).headers


def test_1_2_user_login_works_on_coordinators_only(cluster: TestCluster, client: Client) -> None:
    answer = client("POST", "/_open/auth", {"username": "root", "password": "secret"})
    token = f"bearer {answer.json['jwt']}"
    assert Client(cluster.coordinators[1], cluster.ca_path, token)("GET", "/_api/user").status == 200
    dbserver = next(iter(cluster.dbservers.values()))
    assert Client(dbserver, cluster.ca_path, token)("GET", "/_api/version").status == 401
    assert Client(dbserver, cluster.ca_path, client.authorization)("GET", "/_api/version").status == 401
    assert client("POST", "/_open/auth", {"username": "root", "password": "no"}).status == 401
    assert client("POST", "/_open/auth", {"username": "root"}).status == 400


def test_1_2_a_database_without_access_is_401_errornum_11(cluster: TestCluster, client: Client, data: str) -> None:
    make(client, "stranger")
    stranger = Client.user(cluster, "stranger", "pw")
    answer = stranger("GET", "/_db/data/_api/collection")
    assert (answer.status, answer.json["errorNum"]) == (401, 11)
    assert stranger("GET", "/_api/user/stranger").status == 200
    assert stranger("GET", "/_api/user").json["errorNum"] == 11


def test_levels_of_databases_collections_and_wildcards(cluster: TestCluster, client: Client, data: str) -> None:
    make(client, "reader", "data=ro", "data/open=rw")
    reader = Client.user(cluster, "reader", "pw")
    assert reader("GET", "/_db/data/_api/document/shut/1").status == 200
    assert reader("POST", "/_db/data/_api/document/open", {}).status == 202
    refused = reader("POST", "/_db/data/_api/document/shut", {})
    assert refused.status == 403
    assert reader("POST", "/_db/data/_api/collection", {"name": "new"}).json["errorNum"] == 11
    make(client, "wild", "*=rw", "data/*=ro", "data/shut=none")
    wild = Client.user(cluster, "wild", "pw")
    assert wild("GET", "/_db/data/_api/document/open/1").status == 200
    assert wild("POST", "/_db/data/_api/document/open", {}).status == 403
    assert wild("GET", "/_db/data/_api/document/shut/1").json["errorNum"] == 11
    query = {"query": "FOR d IN shut RETURN d"}
    assert wild("POST", "/_db/data/_api/cursor", query).json["errorNum"] == 11


def test_users_collection_is_closed_to_everybody_but_the_superuser(cluster: TestCluster, client: Client) -> None:
    assert client("GET", "/_api/document/_users/1").json["errorNum"] == 11
    superuser = Client.superuser(cluster, cluster.coordinators[0])
    documents = superuser("POST", "/_api/cursor", {"query": "FOR u IN _users RETURN u"}).json["result"]
    root = next(entry for entry in documents if entry["user"] == "root")
    assert list(root) == ["_key", "_id", "_rev", "user", "source", "authData", "databases"]
    assert root["authData"]["simple"].keys() == {"hash", "salt", "method"}
    assert root["databases"]["*"]["collections"]["*"]["permissions"] == {"read": True, "write": True}


def test_an_inactive_user_cannot_log_in_and_a_changed_password_counts_at_once(
    cluster: TestCluster, client: Client
) -> None:
    make(client, "sleeper", "_system=ro")
    sleeper = Client.user(cluster, "sleeper", "pw")
    assert sleeper("GET", "/_api/version").status == 200
    client("PATCH", "/_api/user/sleeper", {"active": False})
    assert sleeper("GET", "/_api/version").status == 401
    client("PATCH", "/_api/user/sleeper", {"active": True, "passwd": "other"})
    assert sleeper("GET", "/_api/version").status == 401
    assert Client.user(cluster, "sleeper", "other")("GET", "/_api/version").status == 200


def test_grants_that_are_refused(client: Client) -> None:
    make(client, "granted")
    assert client("PUT", "/_api/user/granted/database/_system/_jobs", {"grant": "rw"}).json["errorNum"] == 11
    assert client("PUT", f"{ROOT}/database/_system", {"grant": "ro"}).json["errorNum"] == 11
    assert client("PUT", "/_api/user/granted/database/_system/absent", {"grant": "ro"}).json["errorNum"] == 1203
    assert client("PUT", "/_api/user/nobody/database/_system", {"grant": "ro"}).json["errorNum"] == 1703
    assert client("PUT", "/_api/user/granted/database/_system", {"grant": "all"}).status == 400
    assert client("POST", "/_api/user", {"user": "granted"}).json["errorNum"] == 1702


def test_a_creator_gets_a_grant_and_dropping_takes_it_away(client: Client, data: str) -> None:
    client("POST", "/_db/data/_api/collection", {"name": "mine"})
    full = client("GET", f"{ROOT}/database?full=true").json["result"]
    assert full["data"]["collections"]["mine"] == "rw"
    client("DELETE", "/_db/data/_api/collection/mine")
    after = client("GET", f"{ROOT}/database?full=true").json["result"]
    assert "mine" not in after["data"]["collections"]


def test_restored_users_can_log_in_with_their_old_passwords(cluster: TestCluster, client: Client) -> None:
    make(client, "moved", "_system=ro")
    superuser = Client.superuser(cluster, cluster.coordinators[0])
    query = {"query": "FOR u IN _users FILTER u.user == 'moved' RETURN u"}
    document = superuser("POST", "/_api/cursor", query).json["result"][0]
    client("DELETE", "/_api/user/moved")
    line = json.dumps({**document, "_key": "99999"}).encode()
    assert client("PUT", "/_api/replication/restore-data?collection=_users", line).status == 200
    assert Client.user(cluster, "moved", "pw")("GET", "/_api/version").status == 200
