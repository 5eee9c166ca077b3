# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two emulated clusters and a way to run single prechecks against them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.cutover.arangodb.plugins.module_utils._core.arango import Coordinators
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.capabilities import CAPABILITIES
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.context import (
    TABLE_ONLY,
    Asked,
    Context,
    Environment,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.registry import ROWS
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.report import PrecheckResult
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.runner import run, run_whole
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.spec import parse
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.topology import Credentials, connect_target
from tests.testbed.launch import TestCluster

PASSWORD = "geheim-77"
ROWS_BY_ID = {row.id: row for row in ROWS}


@dataclass
class Rig:
    """Source and target; `check` runs one row, `everything` all of them."""

    source: TestCluster
    target: TestCluster
    directory: Path

    def request(self, **changes: Any) -> dict[str, Any]:
        """A start request that fits the clusters, with some fields changed."""
        fields: dict[str, Any] = {
            "source_endpoints": self.source.coordinators,
            "source_ca_path": str(self.source.ca_path),
            "target_endpoints": self.target.coordinators,
            "target_ca_path": str(self.target.ca_path),
            "target_password": PASSWORD,
        }
        return {**fields, **changes}

    def environment(self, **changes: Any) -> Environment:
        fields: dict[str, Any] = {
            "source_jwt_secret_path": str(self.source.jwt_secret_path),
            "state_directory": str(self.directory / "state"),
        }
        return Environment(**{**fields, **changes})

    def context(self, environment: Any = None, asked: Asked = TABLE_ONLY, **changes: Any) -> Context:
        return Context(parse(self.request(**changes)), self.environment(**(environment or {})), asked=asked)

    def check(
        self, row_id: str, environment: Any = None, asked: Asked = TABLE_ONLY, **changes: Any
    ) -> dict[str, Any]:
        """The result of one row; ``environment`` holds fields of the environment to change."""
        return run(self.context(environment, asked, **changes), rows=[ROWS_BY_ID[row_id]]).checks[0]

    def capability(self, name: str, asked: Asked = TABLE_ONLY, **changes: Any) -> dict[str, Any]:
        """What came of one capability."""
        one = next(one for one in CAPABILITIES if one.id == name)
        return run(self.context(None, asked, **changes), rows=[], capabilities=[one]).capabilities[0]

    def everything(self, asked: Asked = TABLE_ONLY, **changes: Any) -> PrecheckResult:
        return run_whole(self.context(asked=asked, **changes))

    def root(self) -> Coordinators:
        """The target as its root user sees it."""
        ca_path = str(self.target.ca_path)
        spec = parse(self.request())
        return connect_target(spec.target_endpoints, ca_path, Credentials("root", PASSWORD))

    def pretend(self, side: str, path_regex: str, answer: object, *, status: int = 200, server: str = "") -> None:
        """Let a cluster give this answer to all requests of a path, until the test ends."""
        body = answer if isinstance(answer, str) else json.dumps(answer)
        cluster = self.source if side == "source" else self.target
        cluster.control.fault("status", path_regex=path_regex, status=status, body=body, count=1000, server=server)


def collection(name: str = "c", *, indexes: object = (), ready: bool = True, in_sync: bool = True, **more: Any) -> Any:
    """One entry of a clusterInventory (facts §3.2)."""
    parameters = {
        "id": "77", "planId": "77", "name": name, "type": 2, "deleted": False, "numberOfShards": 1,
        "replicationFactor": 2, "writeConcern": 1, "shardKeys": ["_key"], "shardingStrategy": "hash",
        "usesRevisionsAsDocumentIds": True, "keyOptions": {"type": "uuid", "allowUserKeys": True},
        "shards": {"s78": ["PRMR-a", "PRMR-b"]}, **more,
    }  # fmt: skip
    return {"parameters": parameters, "indexes": indexes, "isReady": ready, "allInSync": in_sync}


def inventory(*collections: Any, **properties: Any) -> dict[str, Any]:
    """A whole clusterInventory of one database."""
    described = {"name": "_system", "sharding": "", **properties}
    return {"properties": described, "collections": list(collections), "views": []}
