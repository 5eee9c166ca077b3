# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The collection, built and installed as a user would."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.tools.outside import outside

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("galaxy.yml", "README.md", "meta", "plugins", "roles", "playbooks", "extensions")


def copy_parts(scratch: Path) -> Path:
    """A directory `source` below ``scratch`` with everything that is packed and tests need."""
    source = scratch / "source"
    source.mkdir()
    for name in PARTS:
        origin = ROOT / name
        if origin.is_dir():
            shutil.copytree(origin, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(origin, source / name)
    return source


def install(scratch: Path, tools: Path, version: str | None = None) -> Path:
    """Build and install below ``scratch`` with the programs in ``tools``; ``version`` stands in for galaxy.yml's."""
    source = copy_parts(scratch)
    if version is not None:
        described = (source / "galaxy.yml").read_text().splitlines()
        lines = [f"version: {version}" if line.startswith("version:") else line for line in described]
        (source / "galaxy.yml").write_text("\n".join(lines) + "\n")
    installed = scratch / "installed"

    def galaxy(*arguments: str) -> None:
        environment = {**outside(), "ANSIBLE_COLLECTIONS_PATH": str(installed), "ANSIBLE_HOME": str(scratch / "home")}
        command = [str(tools / "ansible-galaxy"), "collection", *arguments]
        subprocess.run(command, env=environment, check=True, timeout=120)

    galaxy("build", str(source), "--output-path", str(scratch))
    packed = next(scratch.glob("cutover-arangodb-*.tar.gz"))
    galaxy("install", str(packed), "--offline", "-p", str(installed))
    return installed
