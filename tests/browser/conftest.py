# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Headless Chromium on the page of an agent whose engine shows what a test says."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.unit.agent_fakes import Certificates, RunningAgent, agent_config, make_certificates, running_agent

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "browser"
_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars",
]  # fmt: skip
_INSTALL_SECONDS = 180


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; `.ci/run` installs it."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed: apt-get install chromium fonts-dejavu-core")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, installed by npm under build/."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed: axe-core cannot be had")
    lock = HERE / "package-lock.json"
    done = BUILD / "installed-lock.json"
    if not done.exists() or done.read_bytes() != lock.read_bytes():
        BUILD.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, BUILD / name)
        command = ["npm", "ci", "--no-audit", "--no-fund"]
        subprocess.run(command, check=True, cwd=BUILD, env=dict(os.environ), timeout=_INSTALL_SECONDS)
        shutil.copy(lock, done)
    return (BUILD / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """One set for all tests."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def agent(certificates: Certificates, tmp_path: Path) -> Iterator[RunningAgent]:
    """An agent on loopback that asks nobody who he is."""
    config: Any = agent_config(certificates, tmp_path, tokens=())
    with running_agent(config, certificates) as started:
        started.engine.findings = lambda: [dict(item) for item in started.engine.document["problems"]]  # type: ignore[method-assign]
        yield started
