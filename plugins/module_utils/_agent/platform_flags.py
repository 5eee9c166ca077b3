# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The managed platform on the command line: a deployment's id stands for endpoint and credentials of the target."""
from __future__ import annotations

import argparse
import os
from contextlib import closing
from pathlib import Path
from typing import Any, Mapping, Optional

from .._core.endpoint import parse_endpoint
from .._core.errors import CutoverError
from .._core.managed_platform import Deployment, ManagedPlatform
from .._core.platform_rules import DEFAULT_ENDPOINT
from .._core.tls import client_context
from .references import resolve

# Both names that the platform had; each flag is known under both.
PREFIXES = ("oasis", "arango-graph")
VARIABLES = {
    "platform_key": ("ARANGO_GRAPH_API_KEY", "OASIS_API_KEY"),
    "platform_secret": ("ARANGO_GRAPH_API_SECRET", "OASIS_API_SECRET"),
    "platform_deployment": ("ARANGO_GRAPH_DEPLOYMENT_ID", "OASIS_DEPLOYMENT_ID"),
}
FILLED = ("target_endpoints", "target_username", "target_password")
_FLAGS = (
    ("api-key", "platform_key", "id of the platform's API key"),
    ("api-secret", "platform_secret", "its secret, as file:PATH or env:NAME"),
    ("deployment-id", "platform_deployment", "id of the deployment that is the target"),
    ("endpoint", "platform_endpoint", f"address of the platform's API (default: {DEFAULT_ENDPOINT})"),
    ("cacert", "platform_ca_path", "file with the CA of that address, where it is not a public one"),
)


def add_platform_flags(parser: argparse.ArgumentParser, *, saves_ca: bool = False) -> None:
    """Key, secret and deployment, under both names of the platform."""
    group = parser.add_argument_group("managed platform")
    for name, field, text in _FLAGS:
        group.add_argument(*(f"--{prefix}.{name}" for prefix in PREFIXES), dest=field, help=text)
    if saves_ca:
        group.add_argument(
            "--target.save-cacert", dest="save_ca_path", type=Path,
            help="write the deployment's CA here, for an agent on this host, and use it",
        )  # fmt: skip


def _given(arguments: argparse.Namespace, field: str) -> Optional[str]:
    """The flag's value, or what one of its environment variables holds."""
    value: Optional[str] = getattr(arguments, field)
    return value or next((os.environ[name] for name in VARIABLES[field] if os.environ.get(name)), None)


def _secret(arguments: argparse.Namespace) -> Optional[str]:
    flag = "--oasis.api-secret"
    if arguments.platform_secret:
        return resolve(flag, arguments.platform_secret)
    names = [name for name in VARIABLES["platform_secret"] if os.environ.get(name)]
    return resolve(flag, f"env:{names[0]}") if names else None


def _connect(arguments: argparse.Namespace) -> Optional[tuple[ManagedPlatform, str]]:
    """A logged-in client and the deployment's id; None when no flag and not all
    variables were given. Raises CUT-AGENT-36 for a part."""
    key, secret = _given(arguments, "platform_key"), _secret(arguments)
    deployment = _given(arguments, "platform_deployment")
    flagged = arguments.platform_key or arguments.platform_secret or arguments.platform_deployment
    if not flagged and not (key and secret and deployment):
        return None
    parts = {"--oasis.api-key": key, "--oasis.api-secret": secret, "--oasis.deployment-id": deployment}
    missing = [flag for flag, value in parts.items() if not value]
    if key is None or secret is None or deployment is None:
        raise CutoverError("CUT-AGENT-36", f"{', '.join(missing)}: needed together with the platform's other flags")
    context = client_context(arguments.platform_ca_path)
    platform = ManagedPlatform(arguments.platform_endpoint or DEFAULT_ENDPOINT, context)
    try:
        platform.log_in(key, secret)
    except BaseException:
        platform.close()
        raise
    return platform, deployment


def target_fields(arguments: argparse.Namespace, request: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the start request that a deployment stands for; none when no deployment was given.

    Raises CUT-AGENT-36 when the target was given in both ways, CUT-PLATFORM-* when the deployment cannot be used.
    """
    connected = _connect(arguments)
    if connected is None:
        return {}
    platform, identifier = connected
    with closing(platform):
        both = [name for name in FILLED if name in request]
        if both:
            text = f"{both[0]}: give either the deployment's id or the target's endpoint and credentials"
            raise CutoverError("CUT-AGENT-36", text)
        found = platform.deployment(identifier)
        found.require_usable()
        trust = _trust(arguments, request, platform, found)
        username, password = platform.credentials(identifier)
    return {**trust, "target_username": username, "target_password": password}


def _trust(
    arguments: argparse.Namespace, request: Mapping[str, Any], platform: ManagedPlatform, found: Deployment
) -> dict[str, Any]:
    """Which endpoint, verified how: the one of the deployment's own CA where that is at hand (platform facts §4)."""
    own = found.endpoint_self_signed or found.endpoint
    if "target_ca_path" in request or "target_ca_pem" in request:
        return {"target_endpoints": [own]}
    certificate = platform.certificate(found)
    if arguments.save_ca_path is not None:
        path = arguments.save_ca_path.absolute()
        try:
            path.write_text(certificate.pem, encoding="ascii")
        except OSError as error:
            raise CutoverError("CUT-DISK-1", f"writing {path}: {error.strerror}") from error
        return {"target_endpoints": [own], "target_ca_path": str(path)}
    if certificate.well_known and found.endpoint:
        return {"target_endpoints": [found.endpoint]}
    return {"target_endpoints": [own], "target_ca_pem": certificate.pem}


def require_target(arguments: argparse.Namespace, status: Mapping[str, Any]) -> None:
    """Raise CUT-PLATFORM-7 when a deployment was given and the agent's migration goes elsewhere."""
    connected = _connect(arguments)
    if connected is None:
        return
    platform, identifier = connected
    with closing(platform):
        found = platform.deployment(identifier)
    there = [str(text) for text in (status.get("target") or {}).get("endpoints") or []]
    hosts = {parse_endpoint(text, "endpoint").host for text in found.endpoints}
    if there and not hosts & {parse_endpoint(text, "target_endpoints").host for text in there}:
        text = f"the agent's migration goes to {', '.join(there)}, not to deployment {found.name or identifier}"
        raise CutoverError("CUT-PLATFORM-7", text)
