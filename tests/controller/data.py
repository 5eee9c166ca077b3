# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the collection brings for a controller: job templates of the pattern, the data of configure_controller."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
PATTERN = ROOT / "extensions/patterns/live_migration"
TEMPLATES: list[dict[str, Any]] = json.loads((PATTERN / "meta/pattern.json").read_text())["aap_resources"][
    "controller_job_templates"
]


class _Unsafe(yaml.SafeLoader):
    """Reads the texts that Ansible does not template as they are."""


_Unsafe.add_constructor("!unsafe", lambda _loader, node: str(node.value))
DATA: dict[str, Any] = yaml.load((ROOT / "playbooks/vars/controller.yml").read_text(), _Unsafe)
CREDENTIAL_TYPES: dict[str, dict[str, Any]] = {
    one["name"]: one["fields"] for one in DATA["__cutover_credential_types"]
}
USES: dict[str, dict[str, Any]] = DATA["__cutover_credential_uses"]
NODES: dict[str, dict[str, Any]] = {one["identifier"]: one for one in DATA["__cutover_workflow_nodes"]}
