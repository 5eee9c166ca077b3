# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A precheck that is asked for by the API sends no token to a server that the configuration does not allow."""

from __future__ import annotations

import select
import socket
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.precheck_run import checker
from tests.unit.agent_fakes import Certificates, agent_config


@pytest.mark.parametrize("field", ["source_endpoints", "target_endpoints", "endpoint_map"])
def test_what_is_not_allowed_is_not_even_connected_to(certificates: Certificates, tmp_path: Path, field: str) -> None:
    (tmp_path / "secret").write_text("0123456789abcdef")
    pins = {"allowed_sources": ("source.invalid",), "allowed_targets": ("target.invalid",)}
    check = checker(agent_config(certificates, tmp_path, **pins))
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        there = f"https://127.0.0.1:{stranger.getsockname()[1]}"
        request: dict[str, Any] = {
            "source_endpoints": ["https://source.invalid:8529"], "source_ca_path": str(certificates.ca),
            "target_endpoints": ["https://target.invalid:8529"], "target_ca_path": str(certificates.ca),
            "target_password": "x", field: {"PRMR-1": there} if field == "endpoint_map" else [there],
        }  # fmt: skip
        found = check(request)
        assert found["passed"] is False
        (refused,) = found["checks"]
        assert refused["message"] == f"{field}: {there} is not allowed by the agent's configuration"
        assert select.select([stranger], [], [], 0.2)[0] == []
