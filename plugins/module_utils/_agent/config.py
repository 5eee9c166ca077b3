# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agent's configuration file: one JSON object, checked strictly before anything is opened."""
from __future__ import annotations

import ipaddress
import json
import re
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Mapping

from .._core.endpoint import Endpoint
from .._core.errors import CutoverError

DEFAULT_PORT = 8629
MAX_CONFIG_BYTES = 1 << 20
ROLES = ("read", "operate", "cutover")
LOG_FORMATS = ("text", "json")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True)
class Token:
    """A bearer token, known by its digest only."""

    name: str
    sha256: str
    role: str


@dataclass(frozen=True)
class Client:
    """A client certificate, known by the common name of its subject."""

    subject: str
    role: str


@dataclass(frozen=True)
class WebhookConfig:
    """Where events are posted to: `target` is path and query. `timeout` is seconds for one try.

    A lag above `max_lag` seconds is an event. `ca` None means the system's authorities.
    """

    endpoint: Endpoint
    target: str
    secret_path: Path
    ca: Path | None = None
    timeout: float = 10.0
    max_lag: float = 300.0


@dataclass(frozen=True)
class AgentConfig:
    """What the root-owned file says. Paths are absolute; `time_scale` shortens all waits (1.0 = real time)."""

    tls_keyfile: Path
    state_directory: Path
    source_jwt_secret_path: Path
    listen_host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    client_ca: Path | None = None
    tokens: tuple[Token, ...] = ()
    clients: tuple[Client, ...] | None = None
    allowed_sources: tuple[str, ...] | None = None
    allowed_targets: tuple[str, ...] | None = None
    time_scale: float = 1.0
    log_format: str = "text"
    webhook: WebhookConfig | None = None

    @property
    def authenticates(self) -> bool:
        """Whether callers have to prove who they are."""
        return bool(self.tokens) or self.client_ca is not None


def _bad(field: str, problem: str) -> CutoverError:
    return CutoverError("CUT-AGENT-2", f"agent configuration: {field}: {problem}", details={"field": field})


def _text(field: str, value: Any) -> str:
    if not isinstance(value, str) or not value or value != value.strip():
        raise _bad(field, "must be a text that is not empty and has no blanks around it")
    return value


def _path(field: str, value: Any) -> Path:
    path = Path(_text(field, value))
    if not path.is_absolute():
        raise _bad(field, f"must be an absolute path, not {str(path)!r}")
    return path


def _port(field: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 65535:
        raise _bad(field, "must be a whole number from 0 to 65535 (0 = any free port)")
    return value


def _scale(field: str, value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value <= 1:
        raise _bad(field, "must be a number above 0 and at most 1")
    return float(value)


def _choice(allowed: tuple[str, ...]) -> Callable[[str, Any], str]:
    def check(field: str, value: Any) -> str:
        if value not in allowed:
            raise _bad(field, f"must be one of {', '.join(allowed)}, not {value!r}")
        return str(value)

    return check


def _endpoints(field: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _bad(field, "must be a list of endpoints such as https://db.example.com:8529")
    return tuple(_text(f"{field}[{index}]", item) for index, item in enumerate(value))


def _token(field: str, value: Any) -> Token:
    if not isinstance(value, dict):
        raise _bad(field, "must be an object with name, sha256 and role")
    unknown = sorted(set(value) - {"name", "sha256", "role"})
    if unknown:
        raise _bad(f"{field}.{unknown[0]}", "unknown field; known are name, sha256, role")
    digest = value.get("sha256")
    if not isinstance(digest, str) or not _SHA256.match(digest):
        raise _bad(f"{field}.sha256", "must be the token's SHA-256 as 64 lower-case hexadecimal digits")
    role = _choice(ROLES)(f"{field}.role", value.get("role"))
    return Token(_text(f"{field}.name", value.get("name")), digest, role)


def _clients(field: str, value: Any) -> tuple[Client, ...]:
    if not isinstance(value, list):
        raise _bad(field, "must be a list of objects with subject and role")
    clients = []
    for index, item in enumerate(value):
        where = f"{field}[{index}]"
        if not isinstance(item, dict) or set(item) != {"subject", "role"}:
            raise _bad(where, "must be an object with subject and role")
        role = _choice(ROLES)(f"{where}.role", item["role"])
        clients.append(Client(_text(f"{where}.subject", item["subject"]), role))
    if len({client.subject for client in clients}) != len(clients):
        raise _bad(field, "two clients have the same subject")
    return tuple(clients)


def _tokens(field: str, value: Any) -> tuple[Token, ...]:
    if not isinstance(value, list):
        raise _bad(field, "must be a list of objects with name, sha256 and role")
    tokens = tuple(_token(f"{field}[{index}]", item) for index, item in enumerate(value))
    for kind in ("name", "sha256"):
        seen = [getattr(token, kind) for token in tokens]
        if len(set(seen)) != len(seen):
            raise _bad(field, f"two tokens have the same {kind}")
    return tokens


def _seconds(least: float, most: float) -> Callable[[str, Any], float]:
    def check(field: str, value: Any) -> float:
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not least <= value <= most:
            raise _bad(field, f"must be a number of seconds from {least:g} to {most:g}")
        return float(value)

    return check


def _url(field: str, value: Any) -> tuple[Endpoint, str]:
    """Endpoint and target; the text is never repeated, since addresses of webhooks are often secrets themselves."""
    form = "must be of the form https://HOST[:PORT]/PATH, printable and without user name, password or fragment"
    if not isinstance(value, str) or not re.fullmatch(r"[!-~]+", value):
        raise _bad(field, form)
    try:
        parts = urllib.parse.urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _bad(field, form) from None
    if parts.scheme not in ("http", "https") or not host or port == 0 or "@" in parts.netloc or "#" in value:
        raise _bad(field, form)
    if parts.scheme == "http" and not _is_loopback(host):
        raise _bad(field, "must be https: http is taken for loopback addresses only")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Endpoint(parts.scheme, host, port or (443 if parts.scheme == "https" else 80)), target


WEBHOOK_CHECKS: Mapping[str, Callable[[str, Any], Any]] = {
    "url": _url,
    "secret_path": _path,
    "ca": _path,
    "timeout": _seconds(0.1, 60.0),
    "max_lag": _seconds(1.0, 86400.0),
}


def _webhook(field: str, value: Any) -> WebhookConfig:
    if not isinstance(value, dict):
        raise _bad(field, f"must be an object with {', '.join(WEBHOOK_CHECKS)}")
    for name in value:
        if name not in WEBHOOK_CHECKS:
            raise _bad(f"{field}.{name}", f"unknown field; known are {', '.join(WEBHOOK_CHECKS)}")
    for name in ("url", "secret_path"):
        if value.get(name) is None:
            raise _bad(f"{field}.{name}", "is missing")
    given = {name: item for name, item in value.items() if not (item is None and name == "ca")}
    checked = {name: WEBHOOK_CHECKS[name](f"{field}.{name}", item) for name, item in given.items()}
    endpoint, target = checked.pop("url")
    if endpoint.scheme == "http" and "ca" in checked:
        raise _bad(f"{field}.ca", "is of no use: webhook.url is http")
    return WebhookConfig(endpoint=endpoint, target=target, **checked)


CHECKS: Mapping[str, Callable[[str, Any], Any]] = {
    "listen_host": _text,
    "port": _port,
    "tls_keyfile": _path,
    "client_ca": _path,
    "tokens": _tokens,
    "clients": _clients,
    "state_directory": _path,
    "source_jwt_secret_path": _path,
    "allowed_sources": _endpoints,
    "allowed_targets": _endpoints,
    "time_scale": _scale,
    "log_format": _choice(LOG_FORMATS),
    "webhook": _webhook,
}
REQUIRED = ("tls_keyfile", "state_directory", "source_jwt_secret_path")
MAY_BE_NULL = ("client_ca", "clients", "allowed_sources", "allowed_targets", "webhook")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse_config(document: Any) -> AgentConfig:
    """Check a decoded configuration; raises CUT-AGENT-2 naming the field, CUT-AGENT-5 if it would listen openly."""
    if not isinstance(document, dict):
        raise _bad("(the whole file)", "must be one JSON object")
    for name in document:
        if name not in CHECKS:
            raise _bad(str(name), f"unknown field; known are {', '.join(sorted(CHECKS))}")
    for name in REQUIRED:
        if document.get(name) is None:
            raise _bad(name, "is missing")
    values = {
        name: CHECKS[name](name, value)
        for name, value in document.items()
        if not (value is None and name in MAY_BE_NULL)
    }
    config = AgentConfig(**values)
    if config.clients is not None and config.client_ca is None:
        raise _bad("clients", "names certificates, but client_ca is not set")
    if not config.authenticates and not _is_loopback(config.listen_host):
        raise CutoverError(
            "CUT-AGENT-5",
            f"agent configuration: listen_host is {config.listen_host}, which others can reach, "
            "but neither tokens nor client_ca is set",
            details={"field": "listen_host"},
        )
    return config


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in pairs:
        if name in result:
            raise _bad(name, "appears twice")
        result[name] = value
    return result


def load_config(path: Path, overrides: Mapping[str, Any] | None = None) -> AgentConfig:
    """Read and check the file, with `overrides` laid over it.

    Raises CUT-AGENT-1 when it cannot be read, otherwise as parse_config.
    """
    try:
        with open(path, "rb") as stream:
            raw = stream.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise CutoverError("CUT-AGENT-1", f"reading the agent configuration {path}: {error.strerror}") from error
    if len(raw) > MAX_CONFIG_BYTES:
        raise CutoverError("CUT-AGENT-1", f"the agent configuration {path} is larger than {MAX_CONFIG_BYTES} bytes")
    try:
        document = json.loads(raw, object_pairs_hook=_no_duplicates)
    except ValueError as error:
        raise CutoverError("CUT-AGENT-1", f"the agent configuration {path} is not JSON: {error}") from error
    if overrides and isinstance(document, dict):
        document.update(overrides)
    return parse_config(document)
