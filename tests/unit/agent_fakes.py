# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Certificates, and an agent around a fake engine."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.config import AgentConfig, Token
from ansible_collections.cutover.arangodb.plugins.module_utils._agent.service import Service
from ansible_collections.cutover.arangodb.plugins.module_utils._core.agent_api import AgentApi
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from tests.unit.fake_engine import FakeEngine

TOKENS = {"read": "reader-token-1", "operate": "operator-token-2", "cutover": "cutover-token-3"}

def passing_check(request: Mapping[str, object]) -> dict[str, Any]:
    """A precheck that passes for every request but one without target endpoints."""
    if "target_endpoints" not in request:
        raise CutoverError("CUT-SPEC-1", "target_endpoints: is missing", details={"field": "target_endpoints"})
    check = {"id": "source-is-cluster", "group": "source", "status": "passed", "message": "fine", "remedy": ""}
    return {"passed": True, "summary": {"passed": 1}, "checks": [check], "capabilities": [], "forecast": None}


@dataclass(frozen=True)
class Certificates:
    """Paths of PEM files: CA, the server's keyfile, a client's keyfile, and a keyfile of another CA."""

    ca: Path
    server_keyfile: Path
    client_keyfile: Path
    foreign_keyfile: Path


def make_certificates(directory: Path) -> Certificates:
    """Fresh certificates for 127.0.0.1 and localhost."""
    authority, stranger = trustme.CA(), trustme.CA()
    paths = Certificates(*(directory / name for name in ("ca.pem", "server.pem", "client.pem", "foreign.pem")))
    authority.cert_pem.write_to_path(paths.ca)
    authority.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(paths.server_keyfile)
    authority.issue_cert("ops@example.com", common_name="ops").private_key_and_cert_chain_pem.write_to_path(
        paths.client_keyfile
    )
    stranger.issue_cert("eve@example.com", common_name="eve").private_key_and_cert_chain_pem.write_to_path(
        paths.foreign_keyfile
    )
    return paths


def agent_config(certificates: Certificates, directory: Path, **changes: Any) -> AgentConfig:
    """A configuration with three tokens on a free port."""
    tokens = tuple(Token(role, hashlib.sha256(text.encode()).hexdigest(), role) for role, text in TOKENS.items())
    values: dict[str, Any] = {
        "tls_keyfile": certificates.server_keyfile,
        "state_directory": directory / "state",
        "source_jwt_secret_path": directory / "secret",
        "port": 0,
        "tokens": tokens,
    }
    return AgentConfig(**{**values, **changes})


@dataclass
class RunningAgent:
    """An agent in this process."""

    engine: FakeEngine
    service: Service
    port: int
    certificates: Certificates

    def api(self, role: str | None = "cutover", **options: Any) -> AgentApi:
        """A client with the token of `role`."""
        token = TOKENS[role] if role else None
        return AgentApi.connect(
            f"https://127.0.0.1:{self.port}", ca_path=str(self.certificates.ca), token=token, **options
        )


@contextlib.contextmanager
def running_agent(config: AgentConfig, certificates: Certificates) -> Iterator[RunningAgent]:
    """Serve a FakeEngine until the block ends; the service must end cleanly."""
    engine = FakeEngine()
    service = Service(config, engine, passing_check)
    ready = threading.Event()
    thread = threading.Thread(target=service.run, args=(ready.set,))
    thread.start()
    try:
        if not ready.wait(10):
            raise TimeoutError("the agent did not become ready")
        yield RunningAgent(engine, service, service.port, certificates)
    finally:
        service.end()
        thread.join(10)
    if thread.is_alive() or not engine.closed:
        raise RuntimeError("the agent did not end cleanly")
