# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An emulated platform over TLS, and clients of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._platform.client import Connection, PlatformClient
from tests.testbed.platform.launch import TestPlatform

FAST = {"time_scale": 0.02}
Connect = Callable[..., PlatformClient]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestPlatform]:
    """A platform with three deployments for the tests of one module."""
    named = [{"name": "target"}, {"name": "targets"}, {"name": "other"}]
    with TestPlatform.start(tmp_path_factory.mktemp("platform"), deployments=named, options=FAST) as started:
        yield started


@pytest.fixture(autouse=True)
def sound(platform: TestPlatform) -> Iterator[None]:
    """Every test finds the platform without faults and its deployment ready."""
    yield
    platform.control.clear()
    platform.control.fault("state", state="ready", set={"status.backup_restore_status": None})
    platform.control.fault("clock_skew", seconds=0)


@pytest.fixture
def connect(platform: TestPlatform, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    """Makes clients; proxies of this machine are none of theirs."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    made: list[PlatformClient] = []

    def begin(**changes: Any) -> PlatformClient:
        clock = changes.pop("clock", None)
        wanted = {"endpoint": platform.url, "key_id": platform.key_id, "key_secret": platform.key_secret,
                  "ca_path": str(platform.ca_path), **changes}  # fmt: skip
        made.append(PlatformClient(Connection(**wanted), **({"clock": clock} if clock else {})))
        return made[-1]

    yield begin
    for client in made:
        client.__exit__()
