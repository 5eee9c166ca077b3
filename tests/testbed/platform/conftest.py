# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fixtures of the platform's own tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.testbed.platform.client import PlatformClient
from tests.testbed.platform.launch import TestPlatform

FAST = {"time_scale": 0.02}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestPlatform]:
    """A platform with one healthy deployment for the tests of one module."""
    with TestPlatform.start(tmp_path_factory.mktemp("platform"), options=FAST) as started:
        yield started
        assert "Traceback" not in started.log_path.read_text()


@pytest.fixture
def api(platform: TestPlatform) -> Iterator[PlatformClient]:
    """A client with a token of the first key."""
    with PlatformClient(platform) as client:
        yield client.login()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., TestPlatform]]:
    """Starts platforms with wishes of one test's own and stops them after it."""
    running: list[TestPlatform] = []

    def begin(**wishes: object) -> TestPlatform:
        values = {"name": f"p{len(running)}", "options": FAST, **wishes}
        running.append(TestPlatform.start(tmp_path, **values))  # type: ignore[arg-type]
        return running[-1]

    yield begin
    for entry in running:
        entry.stop()
