# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""arangojs, unchanged, on everything that an application and its administrators use; skipped where npm is absent."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.testbed.launch import TestCluster

HERE = Path(__file__).parent / "arangojs"
BUILD = Path(__file__).parents[2] / "build" / "arangojs"
_INSTALL_SECONDS, _RUN_SECONDS = 180, 120


def _command(
    arguments: list[str], directory: Path, environment: dict[str, str], seconds: float
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments, check=False, cwd=directory, env=environment, capture_output=True, text=True, timeout=seconds
    )


@pytest.fixture(scope="module")
def installed() -> Path:
    """The pinned arangojs under build/, installed anew when the lock has changed."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm and node are needed to run arangojs and are not installed")
    lock = (HERE / "package-lock.json").read_bytes()
    done = BUILD / "installed-lock.json"
    if not done.exists() or done.read_bytes() != lock:
        BUILD.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, BUILD / name)
        answer = _command(["npm", "ci", "--no-audit", "--no-fund"], BUILD, dict(os.environ), _INSTALL_SECONDS)
        if answer.returncode != 0:
            pytest.skip(f"arangojs cannot be installed by npm here: {answer.stderr[-500:]}")
        done.write_bytes(lock)
    shutil.copy(HERE / "usage.mjs", BUILD / "usage.mjs")
    return BUILD


@pytest.mark.parametrize(
    ("flavour", "version"), [("selfhosted", "3.11.14"), ("selfhosted", "3.12.10"), ("single", "3.12.10")]
)
def test_arangojs(
    flavour: str, version: str, installed: Path, start: Callable[..., TestCluster], tmp_path: Path
) -> None:
    cluster = start(flavour=flavour, version=version)
    clustered = flavour != "single"
    config = {"urls": cluster.coordinators, "password": "secret", "clustered": clustered, "version": version}
    (tmp_path / "usage.json").write_text(json.dumps(config), encoding="utf-8")
    environment = os.environ | {"NODE_EXTRA_CA_CERTS": str(cluster.ca_path)}
    answer = _command(["node", "usage.mjs", str(tmp_path / "usage.json")], installed, environment, _RUN_SECONDS)
    lines = answer.stdout.splitlines()
    failed = [line for line in lines if not line.endswith(": ok")]
    assert not failed, "\n".join(failed) + answer.stderr
    assert answer.returncode == 0, answer.stderr
    assert len(lines) == 16
