# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The platform's client against the emulated platform: tokens, errors, repetition, pages, proxies, its CA."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._platform.client import PlatformError
from tests.testbed.platform.launch import TestPlatform
from tests.unit.plugins.module_utils._platform.conftest import FAST, Connect


class SteppedClock:
    """The machine's clock, which a test can put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def monotonic(self) -> float:
        """Seconds that a test can put forward."""
        return time.monotonic() + self.ahead

    def wall(self) -> float:
        """Seconds since 1970."""
        return time.time()


def requests_of(platform: TestPlatform, part: str) -> int:
    counts = platform.control.get("/state/requests")
    return sum(count for name, count in counts.items() if part in name)


def path_of(platform: TestPlatform) -> str:
    return f"/api/data/v1/deployments/{platform.deployment}"


def test_one_token_for_many_calls(platform: TestPlatform, connect: Connect) -> None:
    client, before = connect(), requests_of(platform, "/authenticate")
    client.probe()
    assert client.get(path_of(platform))["name"] == "target"
    assert client.get(path_of(platform))["id"] == platform.deployment
    assert requests_of(platform, "/authenticate") == before + 1


def test_the_secret_is_in_no_address(platform: TestPlatform, connect: Connect) -> None:
    connect().get(path_of(platform))
    assert requests_of(platform, platform.key_secret) == 0


def test_a_token_is_renewed_before_it_ends(platform: TestPlatform, connect: Connect) -> None:
    clock = SteppedClock()
    client, before = connect(clock=clock), requests_of(platform, "/authenticate")
    client.get(path_of(platform))
    clock.ahead = 3600 * 0.7
    client.get(path_of(platform))
    assert requests_of(platform, "/authenticate") == before + 1
    clock.ahead = 3600 * 0.81
    client.get(path_of(platform))
    assert requests_of(platform, "/authenticate") == before + 2


def test_a_token_that_is_refused_is_replaced_once(platform: TestPlatform, connect: Connect) -> None:
    client = connect()
    client.get(path_of(platform))
    platform.control.fault("expire_tokens")
    before = requests_of(platform, "/authenticate")
    client.get(path_of(platform))
    assert requests_of(platform, "/authenticate") == before + 1
    platform.control.fault("status", path_regex="/api/data/", preset="unauthenticated", count=9)
    with pytest.raises(PlatformError, match="Unauthenticated") as refused:
        client.get(path_of(platform))
    assert refused.value.code == "CUT-PLATFORM-2"
    assert requests_of(platform, "/authenticate") == before + 2


def test_a_wrong_secret(platform: TestPlatform, connect: Connect) -> None:
    with pytest.raises(PlatformError) as refused:
        connect(key_secret="wrong-secret-of-the-test").get(path_of(platform))
    assert (refused.value.code, refused.value.retriable) == ("CUT-PLATFORM-2", False)
    assert "wrong-secret-of-the-test" not in f"{refused.value} {refused.value.as_dict()}"


@pytest.mark.parametrize(
    ("preset", "code", "retriable"),
    [
        ("permission-denied", "CUT-PLATFORM-3", False),
        ("not-found", "CUT-PLATFORM-4", False),
        ("not-routed", "CUT-PLATFORM-1", False),
        ("wrong-host", "CUT-PLATFORM-1", False),
        ("failed-precondition", "CUT-PLATFORM-21", False),
        ("internal", "CUT-PLATFORM-8", True),
        ("unavailable", "CUT-PLATFORM-19", True),
        ("quota", "CUT-PLATFORM-19", True),
        ("bad-gateway", "CUT-PLATFORM-19", True),
        ("unavailable-page", "CUT-PLATFORM-19", True),
    ],
)
def test_errors_by_their_grpc_code(
    platform: TestPlatform, connect: Connect, preset: str, code: str, retriable: bool
) -> None:
    client = connect(retry_for=0.5)
    platform.control.fault("status", path_regex="/api/data/", preset=preset, count=50)
    with pytest.raises(PlatformError) as refused:
        client.get(path_of(platform))
    assert (refused.value.code, refused.value.retriable) == (code, retriable)
    assert refused.value.remedy
    assert path_of(platform) in refused.value.details["url"]


@pytest.mark.parametrize("preset", ["unavailable", "too-many-requests", "internal", "aborted", "gateway-timeout"])
def test_what_passes_by_itself_is_repeated(platform: TestPlatform, connect: Connect, preset: str) -> None:
    client = connect()
    platform.control.fault("status", path_regex="/api/data/", preset=preset, count=2)
    assert client.get(path_of(platform))["name"] == "target"


def test_a_call_that_may_have_run_is_not_repeated(platform: TestPlatform, connect: Connect) -> None:
    client = connect()
    path = f"/api/backup/v1/deployment/{platform.deployment}/backup"
    body = {"deployment_id": platform.deployment, "name": "once"}
    platform.control.fault("status", path_regex=f"{path}$", preset="unavailable", run="now", count=1)
    with pytest.raises(PlatformError, match="transport is closing"):
        client.send("POST", path, body)
    platform.control.fault("status", path_regex=f"{path}$", preset="too-many-requests", count=1)
    client.send("POST", path, body)
    assert len(list(client.pages(f"{path}s", "options."))) == 2


def test_a_storm_ends(platform: TestPlatform, connect: Connect) -> None:
    client = connect(retry_for=3)
    client.get(path_of(platform))
    before = requests_of(platform, path_of(platform))
    platform.control.fault("status", path_regex="/api/data/", preset="too-many-requests", count=50)
    with pytest.raises(PlatformError) as refused:
        client.get(path_of(platform))
    assert refused.value.code == "CUT-PLATFORM-19"
    assert 1 < requests_of(platform, path_of(platform)) - before <= 6


def test_lists_come_in_pages(platform: TestPlatform, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible_collections.cutover.arangodb.plugins.module_utils._platform.client.PAGE_SIZE", 2)
    found = list(connect().pages("/api/data/v1/organizations/org1/deployments", "options."))
    assert [one["name"] for one in found] == ["target", "targets", "other"]


def test_a_page_for_people_is_no_api(platform: TestPlatform, connect: Connect) -> None:
    with pytest.raises(PlatformError, match="is not the platform's API") as refused:
        connect(endpoint=platform.dashboard).probe()
    assert refused.value.code == "CUT-PLATFORM-1"


def test_an_address_that_nobody_serves(connect: Connect) -> None:
    with pytest.raises(PlatformError, match="refused") as refused:
        connect(endpoint="https://127.0.0.1:1", retry_for=0.1).probe()
    assert refused.value.code == "CUT-PLATFORM-10"


@pytest.mark.parametrize("endpoint", ["http://api.example.com", "api.example.com", "https://user:hush-word@host"])
def test_an_address_of_another_form(connect: Connect, endpoint: str) -> None:
    with pytest.raises(CutoverError) as refused:
        connect(endpoint=endpoint)
    assert refused.value.details["field"] == "platform_endpoint"
    assert "hush-word" not in str(refused.value)


def test_our_ca_is_used_and_no_other(
    platform: TestPlatform, connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(tmp_path / "missing.pem"))
    assert connect().get(path_of(platform))["name"] == "target"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(platform.ca_path))
    with pytest.raises(PlatformError, match="cannot be verified") as refused:
        connect(ca_path=None).get(path_of(platform))
    assert (refused.value.code, refused.value.retriable) == ("CUT-PLATFORM-10", False)


def test_a_login_of_netrc_is_not_sent(
    platform: TestPlatform, connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\nmachine localhost login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert connect().get(path_of(platform))["name"] == "target"


@pytest.fixture
def proxy() -> Iterator[tuple[str, list[str]]]:
    """A listener that notes what a proxy is asked first, and refuses."""
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                try:
                    connection, _peer = listener.accept()
                except TimeoutError:
                    continue
                with connection:
                    asked.append(connection.recv(4096).decode().splitlines()[0])
                    connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
        ended.set()
        thread.join(30)


def test_proxies_come_from_the_environment(
    platform: TestPlatform, connect: Connect, monkeypatch: pytest.MonkeyPatch, proxy: tuple[str, list[str]]
) -> None:
    url, asked = proxy
    monkeypatch.setenv("HTTPS_PROXY", url)
    with pytest.raises(PlatformError) as refused:
        connect(retry_for=0.1).probe()
    assert refused.value.code == "CUT-PLATFORM-10"
    assert asked[0].startswith("CONNECT 127.0.0.1:")
    count = len(asked)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    connect().probe()
    assert len(asked) == count


def test_the_difference_of_the_clocks_is_measured(platform: TestPlatform, connect: Connect) -> None:
    client = connect()
    platform.control.fault("clock_skew", seconds=-600)
    client.probe()
    assert client.clock_skew == pytest.approx(600, abs=60)


@pytest.mark.parametrize(
    ("number", "variant"),
    [("3", "zeros"), ("3", "camel-case"), ("3", "enum-numbers"), ("4", "jwt"), ("5", "retry-after"),
     ("5", "retry-after-date")],
)  # fmt: skip
def test_other_readings_of_the_facts(tmp_path: Path, connect: Connect, number: str, variant: str) -> None:
    with TestPlatform.start(tmp_path, options={**FAST, "readings": {number: variant}}) as other:
        client = connect(
            endpoint=other.url, key_id=other.key_id, key_secret=other.key_secret, ca_path=str(other.ca_path)
        )
        other.control.fault("status", path_regex="/api/data/", code=14, count=1)
        found = client.get(path_of(other))
        assert found["status"]["server_versions"] == ["3.12.10"]
