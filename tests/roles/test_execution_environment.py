# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What ansible-builder makes of the collection: everything that runs on the controller finds its packages."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import yaml

from tests.roles.conftest import ROOT

BUILDER = Path(sys.executable).parent / "ansible-builder"
CONTROLLER = ("plugins/action", "plugins/plugin_utils", "plugins/module_utils/_platform", "plugins/modules")
# Ansible itself, and what it cannot be without.
WITH_ANSIBLE = {"ansible", "ansible_collections", "yaml", "jinja2"}


def imported() -> set[str]:
    """Packages of others that code for the controller imports anywhere."""
    found: set[str] = set()
    for path in (path for folder in CONTROLLER for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                found.add(node.module.split(".")[0])
    return found - WITH_ANSIBLE - set(sys.stdlib_module_names)


def test_every_package_of_the_controller_is_listed() -> None:
    lines = (ROOT / "meta/ee-requirements.txt").read_text().splitlines()
    listed = {line.split(">=")[0] for line in lines if not line.startswith("#")}
    assert listed == imported()


def test_the_builder_finds_what_is_listed(installed: Path) -> None:
    command = [str(BUILDER), "introspect", str(installed)]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    found = yaml.safe_load(shown)
    assert any(line.startswith("cryptography>=") for line in found["python"])
    assert any(line.startswith("openssh-client ") for line in found["system"])


def test_the_example_makes_a_context(tmp_path: Path) -> None:
    definition = ROOT / "docs/examples/execution-environment.yml"
    command = [str(BUILDER), "create", "-f", str(definition), "-c", str(tmp_path / "context")]
    subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    # Its name depends on which of podman and docker is on the machine.
    (file,) = [path for path in (tmp_path / "context").iterdir() if path.is_file()]
    assert "FROM" in file.read_text()
    wanted = yaml.safe_load((tmp_path / "context/_build/requirements.yml").read_text())
    assert wanted["collections"] == [{"name": "cutover.arangodb"}]
