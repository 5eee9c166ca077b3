# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Commands that hold the source's JWT secret: an agent of one's own on this host, and the mode without an agent."""
from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any, Callable, Optional

from .._core.clock import Deadline
from .._core.errors import CutoverError
from .._core.jwt import load_secret
from .._engine import fence, topology
from .._engine.files import write_json
from .config import DEFAULT_PORT, AgentConfig, load_config
from .daemon import ensure_running, fingerprint
from .flags import given, specification

JWT_FLAG = "--source.jwtSecret"
MODE_SECONDS = 180.0
Runner = Callable[[AgentConfig], Callable[[Callable[[], None]], None]]


def add_secret_flags(parser: argparse.ArgumentParser) -> None:
    """The source's secret, for those who run everything on one host."""
    group = parser.add_argument_group("source's secret, on this host")
    group.add_argument(JWT_FLAG, dest="source_jwt_secret", help="file with the source's JWT secret")
    group.add_argument(
        "--source.keyfile", dest="source_keyfile", help="taken, not needed: the source is shown a JWT only"
    )


def add_own_agent_flags(parser: argparse.ArgumentParser) -> None:
    """The agent that `start` runs in the background when it is given the source's secret."""
    group = parser.add_argument_group(f"own agent, started with {JWT_FLAG}")
    group.add_argument("--agent.keyfile", dest="tls_keyfile", type=Path, help="its certificate and key in one PEM file")
    group.add_argument(
        "--agent.client-auth-cacert", dest="client_ca", type=Path, help="CA of the client certificates that it takes"
    )
    group.add_argument(
        "--agent.state-directory", dest="state_directory", type=Path,
        help="where it keeps configuration, log and state (default: cutover-agent in XDG_STATE_HOME)",
    )  # fmt: skip


def secret_path(arguments: argparse.Namespace) -> Optional[str]:
    """The file with the source's secret, absolute; CUT-AGENT-30 (unrepeated) for what names no file."""
    text: Optional[str] = arguments.source_jwt_secret
    if text is None:
        return None
    path = text.partition(":")[2] if text.startswith("file:") else text
    if not os.path.isfile(path):
        raise CutoverError("CUT-AGENT-30", f"{JWT_FLAG} takes the path of a file that exists, not the secret itself")
    return os.path.abspath(path)


def ensure_own_agent(arguments: argparse.Namespace, runner: Runner) -> None:
    """With the source's secret: see to it that an agent of this host serves; it goes on when this command has ended."""
    secret = secret_path(arguments)
    if secret is None:
        return
    if arguments.tls_keyfile is None:
        raise CutoverError("CUT-AGENT-36", f"--agent.keyfile is needed with {JWT_FLAG}: the agent speaks TLS only")
    directory = _state_directory(arguments)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    config_path = directory / "agent.json"
    write_json(config_path, _configuration(arguments, secret, directory))
    config = load_config(config_path)
    wanted = fingerprint(Path(sys.argv[0]).absolute(), config_path, config)
    ensure_running(directory / "agent.pid", directory / "agent.log", wanted, runner(config))


def _configuration(arguments: argparse.Namespace, secret: str, directory: Path) -> dict[str, Any]:
    configuration = {
        "listen_host": arguments.agent_host or "127.0.0.1",
        "port": arguments.agent_port or DEFAULT_PORT,
        "tls_keyfile": str(arguments.tls_keyfile.absolute()),
        "source_jwt_secret_path": secret,
        "state_directory": str(directory / "state"),
    }
    if arguments.client_ca is not None:
        configuration["client_ca"] = str(arguments.client_ca.absolute())
    return configuration


def _state_directory(arguments: argparse.Namespace) -> Path:
    if arguments.state_directory is not None:
        return Path(arguments.state_directory).absolute()
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "cutover-agent"


def set_mode_directly(arguments: argparse.Namespace) -> Optional[dict[str, Any]]:
    """Set the source's mode without an agent when its secret and endpoints are given; None without the secret."""
    path = secret_path(arguments)
    if path is None:
        return None
    fields = specification(arguments)
    if not fields.get("source_endpoints"):
        raise CutoverError("CUT-AGENT-36", f"--source.endpoint is needed with {JWT_FLAG}")
    source = topology.connect_texts(
        fields["source_endpoints"],
        given(arguments, "source_ca_path"),
        load_secret(path),
        fields.get("endpoint_map") or {},
        fields.get("allowed_servers") or (),
        bool(fields.get("allow_plaintext_source")),
    )
    changed = fence.everywhere(source, arguments.server_mode) is None
    modes = fence.set_mode(source, arguments.server_mode, Deadline(MODE_SECONDS))
    return {"mode": fence.summary(modes), "servers": dict(modes), "changed": changed}
