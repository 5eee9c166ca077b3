# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Starts the emulated platform as a process of its own; used by tests."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.testbed import certificates
from tests.testbed.launch import Control, Launched, Running, TestCluster, launch

Spec = Mapping[str, Any]


class TestPlatform(Launched):
    """A running platform; a context manager that stops it.

    `url` is the API's base, `dashboard` a host that serves HTML only, `key_id` and `key_secret` the first API key,
    `deployments` the ids in the order in which they were given.
    """

    __test__ = False

    def __init__(self, running: Running, ready: dict[str, Any], config: dict[str, Any], ca_path: Path) -> None:
        super().__init__(running)
        self.url: str = ready["api"]
        self.dashboard: str = ready["dashboard"]
        self.ca_path = ca_path
        self.key_id: str = ready["keys"][0]["id"]
        self.key_secret: str = ready["keys"][0]["secret"]
        self.deployments: list[str] = ready["deployments"]
        self.control = Control(ready["control"], config["control_token"])
        self.log_path = ca_path.parent / "log"

    @property
    def deployment(self) -> str:
        """The id of the first deployment."""
        return self.deployments[0]

    @classmethod
    def start(
        cls,
        directory: Path,
        *,
        name: str = "platform",
        deployments: Sequence[Spec] = ({},),
        keys: Sequence[Spec] = ({},),
        options: Spec | None = None,
    ) -> TestPlatform:
        """Start a platform whose files are in `directory`/`name`; RuntimeError with its output if it does not start.

        docs/testbed.md lists the fields of deployments and keys; at least one key.
        """
        home = directory / name
        home.mkdir(parents=True, exist_ok=True)
        ca_path, keyfile = certificates.make(home)
        config: dict[str, Any] = {
            "deployments": [dict(spec) for spec in deployments],
            "keys": [dict(spec) for spec in keys],
            "tls_keyfile": str(keyfile),
            "control_token": secrets.token_urlsafe(24),
            "options": dict(options or {}),
            "directory": str(home),
        }
        running, ready = launch("tests.testbed.platform", home, config)
        return cls(running, ready, config, ca_path)


def behind(cluster: TestCluster) -> dict[str, Any]:
    """The field `cluster` of a deployment that is a running emulated cluster."""
    return {
        "endpoints": cluster.coordinators,
        "ca_pem": cluster.ca_path.read_text(),
        "root_password": cluster.root_password,
        "control": cluster.control.url,
        "control_token": cluster.control.token,
    }
