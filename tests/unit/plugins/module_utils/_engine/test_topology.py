# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A superuser token goes only to servers that are allowed and are who they should be."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.endpoint import Endpoint, parse_endpoint
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import (
    ArangoError,
    CutoverError,
    TransportError,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._core.http import Response
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import topology
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.topology import Access, Credentials

SECRET = b"a shared secret"


class Network:
    """Servers by address; remembers who got which token for what."""

    def __init__(self) -> None:
        self.servers: dict[str, str] = {}
        self.health: dict[str, Any] = {}
        self.tokens: list[tuple[str, str, dict[str, Any]]] = []
        self.single: set[str] = set()
        self.troubled: dict[str, tuple[int, int]] = {}

    def add(self, name: str, inner: str, role: str, *, at: str | None = None, status: str = "GOOD") -> None:
        """A server with its inner address, reached ``at`` another one perhaps."""
        self.servers[at or parse_endpoint(inner, "test").url] = name
        self.health[name] = {"Role": role, "Status": status, "Endpoint": inner, "Version": "3.11.14"}

    def answer(self, endpoint: Endpoint, authorization: str, path: str) -> Response:
        """One request."""
        payload = authorization.partition(" ")[2].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        self.tokens.append((endpoint.url, path, claims))
        if endpoint.url not in self.servers:
            raise TransportError("CUT-HTTP-1", f"{endpoint.url}: no connection", outcome_unknown=False)
        if path == "/_admin/server/role":
            role = "SINGLE" if endpoint.url in self.single else "COORDINATOR"
            return Response(200, {}, json.dumps({"role": role}).encode())
        status, number = (500, 4) if endpoint.url in self.single else self.troubled.get(endpoint.url, (0, 0))
        if status:
            body: Any = {"error": True, "code": status, "errorNum": number, "errorMessage": "no id"}
            return Response(status, {}, json.dumps(body).encode())
        body = {"id": self.servers[endpoint.url]}
        if path == "/_admin/cluster/health":
            body = {"ClusterId": "c1", "Health": self.health}
        return Response(200, {}, json.dumps(body).encode())


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    """Two coordinators, two DB-Servers and an agent, on inner addresses of one host."""
    made = Network()

    class Client:
        def __init__(self, endpoint: Endpoint, *, context: Any, authorization: Any, pool: int = 8) -> None:
            self.endpoint = endpoint
            self._authorization = authorization

        def request(self, _method: str, target: str, **_options: Any) -> Response:
            return made.answer(self.endpoint, self._authorization(), target)

        def close(self) -> None:
            """Nothing to close."""

    monkeypatch.setattr(topology, "HttpClient", Client)
    made.add("CRDN-1", "ssl://db.example:8529", "Coordinator")
    made.add("CRDN-2", "ssl://db.example:8539", "COORDINATOR")
    made.add("PRMR-1", "ssl://db.example:8530", "DBServer")
    made.add("PRMR-2", "ssl://db.example:8540", "DBSERVER")
    made.add("AGNT-1", "ssl://db.example:8531", "Agent")
    return made


def connect(**changes: Any) -> topology.Source:
    """With one named coordinator."""
    access = Access(**{"secret": SECRET, **changes})
    return topology.connect([parse_endpoint("https://db.example:8529", "source_endpoints")], access)


def test_every_coordinator_and_dbserver_is_found(network: Network) -> None:
    """Agents are left alone; roles are compared without case."""
    source = connect()
    assert set(source.fronts) == {"CRDN-1", "CRDN-2"}
    assert set(source.servers) == {"PRMR-1", "PRMR-2"}
    assert set(source.labels()) == {"CRDN-1", "CRDN-2", "PRMR-1", "PRMR-2"}
    assert (source.cluster_id, source.version) == ("c1", "3.11.14")
    assert not any(url.endswith(":8531") for url, _path, _claims in network.tokens)


def test_the_first_token_for_an_address_is_good_for_who_it_is_alone(network: Network) -> None:
    """And for seconds; only then the superuser's follows."""
    connect()
    first: dict[str, dict[str, Any]] = {}
    for url, _path, claims in network.tokens:
        first.setdefault(url, claims)
    assert all(claims["allowed_paths"] == ["/_admin/server/id", "/_admin/server/role"] for claims in first.values())
    assert len(first) == 4


def test_a_server_elsewhere_must_be_allowed(network: Network) -> None:
    """The health document could name anybody; nothing is sent there before."""
    network.add("PRMR-3", "ssl://far.example:8530", "DBServer")
    with pytest.raises(CutoverError) as refused:
        connect()
    assert refused.value.code == "CUT-TOPO-1"
    assert "far.example" in str(refused.value)
    assert not any("far.example" in url for url, _path, _claims in network.tokens)
    for pattern in ("far.example", "*.example", "far.example:8530"):
        assert "PRMR-3" in connect(allowed_servers=[pattern]).servers


@pytest.mark.parametrize("key", ["PRMR-3", "ssl://10.0.0.9:8530", "https://10.0.0.9:8530"])
def test_endpoint_map_translates_and_allows(network: Network, key: str) -> None:
    """By server id or by inner endpoint in any spelling."""
    network.add("PRMR-3", "ssl://10.0.0.9:8530", "DBServer", at="https://nat.example:9000")
    source = connect(endpoint_map={key: "https://nat.example:9000"})
    assert source.servers["PRMR-3"].url == "https://nat.example:9000"


def test_plain_text_must_be_allowed(network: Network) -> None:
    """A superuser token never travels plain by default."""
    network.add("PRMR-3", "tcp://db.example:8530", "DBServer")
    with pytest.raises(CutoverError) as refused:
        connect()
    assert refused.value.code == "CUT-TOPO-2"
    assert "PRMR-3" in connect(allow_plaintext=True).servers


def test_another_server_at_an_address_is_refused(network: Network) -> None:
    """A wrong endpoint_map could mix up logs."""
    network.servers["https://db.example:8530"] = "PRMR-2"
    with pytest.raises(CutoverError) as refused:
        connect()
    assert refused.value.code == "CUT-TOPO-5"


def test_a_single_server_is_no_source(network: Network) -> None:
    """Facts §2.1: it answers 500 and says what it is."""
    network.single = {"https://db.example:8529"}
    with pytest.raises(CutoverError) as refused:
        connect()
    assert refused.value.code == "CUT-TOPO-4"


@pytest.mark.parametrize(("number", "retriable"), [(1457, True), (4, False)])
def test_trouble_of_a_server_of_a_cluster_is_told_as_it_is(network: Network, number: int, retriable: bool) -> None:
    """A timeout inside the cluster must not end a migration as if there was none."""
    network.troubled = {"https://db.example:8529": (500, number)}
    with pytest.raises(ArangoError) as answered:
        connect()
    assert (answered.value.error_num, answered.value.retriable) == (number, retriable)


def test_a_named_endpoint_must_be_a_coordinator(network: Network) -> None:
    """Not a DB-Server."""
    with pytest.raises(CutoverError) as refused:
        topology.connect([parse_endpoint("https://db.example:8530", "source_endpoints")], Access(SECRET))
    assert refused.value.code == "CUT-TOPO-6"


def test_who_may_be_away(network: Network) -> None:
    """A server that the cluster has given up is left out, and connected to when it is back; any other one never."""
    network.add("CRDN-3", "ssl://db.example:8549", "Coordinator", status="FAILED")
    del network.servers["https://db.example:8549"]
    assert set(connect().fronts) == {"CRDN-1", "CRDN-2"}
    network.add("PRMR-3", "ssl://db.example:8550", "DBServer", status="FAILED")
    del network.servers["https://db.example:8550"]
    source = connect()
    assert set(source.servers) == {"PRMR-1", "PRMR-2"}
    assert source.present({"PRMR-3": source.servers["PRMR-1"]}) == {}
    network.add("CRDN-3", "ssl://db.example:8549", "Coordinator")
    network.add("PRMR-3", "ssl://db.example:8550", "DBServer")
    source.refresh()
    assert set(source.servers) == {"PRMR-1", "PRMR-2", "PRMR-3"}
    assert source.coordinators.servers == tuple(source.fronts.values())
    assert len(source.fronts) == 3
    del network.servers["https://db.example:8550"]
    with pytest.raises(TransportError):
        connect()


def test_a_server_that_was_replaced_at_its_address_is_left_out(network: Network) -> None:
    """The cluster has given the old one up; the new one answers where it was."""
    network.health["PRMR-9"] = {"Role": "DBServer", "Status": "FAILED", "Endpoint": "ssl://db.example:8540"}
    network.health["PRMR-8"] = {"Role": "DBServer", "Status": "FAILED", "Endpoint": ""}
    assert set(connect().servers) == {"PRMR-1", "PRMR-2"}


def test_dbservers_that_are_all_away_come_back(network: Network) -> None:
    """A power cut, or a source that boots: no end of a migration."""
    for name, port in (("PRMR-1", 8530), ("PRMR-2", 8540)):
        network.health[name]["Status"] = "BAD"
        del network.servers[f"https://db.example:{port}"]
    with pytest.raises(CutoverError) as refused:
        connect()
    assert (refused.value.code, refused.value.retriable) == ("CUT-TOPO-7", True)


def test_i5_who_is_there_and_cannot_be_asked_is_known(network: Network) -> None:
    """With the reason; one that the cluster has given up takes no writes."""
    source = connect()
    network.add("CRDN-3", "ssl://db.example:8549", "Coordinator")
    network.add("PRMR-3", "ssl://db.example:8550", "DBServer", status="FAILED")
    del network.servers["https://db.example:8549"]
    source.refresh()
    assert source.unconnected() == ["CRDN-3"]
    assert source.unreached["CRDN-3"].code == "CUT-HTTP-1"
    network.servers["https://db.example:8549"] = "CRDN-3"
    source.refresh()
    assert (source.unconnected(), source.unreached) == ([], {})


def test_servers_that_come_and_go_are_followed(network: Network) -> None:
    """A new coordinator must be fenced too."""
    source = connect()
    network.add("CRDN-3", "ssl://db.example:8549", "Coordinator")
    network.add("PRMR-3", "ssl://db.example:8550", "DBServer")
    del network.health["CRDN-2"]
    source.refresh()
    assert set(source.fronts) == {"CRDN-1", "CRDN-3"}
    assert source.coordinators.servers == tuple(source.fronts.values())
    assert set(source.servers) == {"PRMR-1", "PRMR-2", "PRMR-3"}
    del network.health["PRMR-1"]
    source.refresh()
    assert set(source.servers) == {"PRMR-2", "PRMR-3"}


def test_one_server_that_does_not_answer_yet_keeps_nobody_else_out(network: Network) -> None:
    """It is connected to next time; what forbids a connection is told after the others were made."""
    source = connect()
    network.add("PRMR-3", "ssl://db.example:8550", "DBServer")
    del network.servers["https://db.example:8550"]
    network.add("PRMR-4", "ssl://far.example:8550", "DBServer")
    network.add("PRMR-5", "ssl://db.example:8560", "DBServer")
    with pytest.raises(CutoverError) as refused:
        source.refresh()
    assert refused.value.code == "CUT-TOPO-1"
    assert set(source.servers) == {"PRMR-1", "PRMR-2", "PRMR-5"}
    network.servers["https://db.example:8550"] = "PRMR-3"
    del network.health["PRMR-4"]
    source.refresh()
    assert set(source.servers) == {"PRMR-1", "PRMR-2", "PRMR-3", "PRMR-5"}


def test_credentials_can_be_replaced() -> None:
    """While connections are open."""
    credentials = Credentials("root", "first-password")
    before = credentials()
    credentials.replace("root", "second-password")
    assert credentials() != before
    assert base64.b64decode(credentials().partition(" ")[2]) == b"root:second-password"
