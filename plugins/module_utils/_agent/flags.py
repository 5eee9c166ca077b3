# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Command line flags: those of the specification under one table, names as the former tool had them."""
from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from typing import Any, Callable, Optional, Sequence

from .._core.agent_api import DEFAULT_PORT
from .._core.errors import CutoverError
from .._engine.load import DAYS
from .references import content_of, resolve

WINDOW_FORM = "HH:MM-HH:MM[,DAY...][,TIME_ZONE]=MB_PER_SECOND"


@dataclass(frozen=True)
class Flag:
    """One flag and the specification's field that it fills; `kind` says how its text is read."""

    flag: str
    field: str
    kind: str
    help: str


LIMIT_FLAGS = (
    Flag("--load", "load", "text", "gentle, balanced, fast or max"),
    Flag("--mb-per-second", "mb_per_second", "number", "megabytes of documents copied per second at most, 0: no limit"),
    Flag("--operations-per-second", "operations_per_second", "number", "documents written per second, 0: no limit"),
    Flag("--verify-rate", "verify_rate", "number", "keys per second that the verification reads at most"),
    Flag("--copiers", "copiers", "whole", "parts of one DB-Server's data that are copied at once at most"),
    Flag("--window", "windows", "window", f"bandwidth by time of day, as {WINDOW_FORM}; may be repeated"),
)
SPEC_FLAGS = (
    Flag("--name", "name", "text", "name of the migration"),
    Flag("--source.endpoint", "source_endpoints", "list", "coordinator of the source; may be repeated"),
    Flag("--source.cacert", "source_ca_path", "text", "file with the CA of the source, on the agent's host"),
    Flag("--source.allow-plaintext", "allow_plaintext_source", "switch", "talk to source servers without TLS too"),
    Flag("--source.ignore-metrics", "ignore_metrics", "switch", "checks that cannot measure become warnings"),
    Flag("--target.endpoint", "target_endpoints", "list", "endpoint of the target; may be repeated"),
    Flag("--target.cacert", "target_ca_path", "text", "file with the CA of the target, on the agent's host"),
    Flag("--target.send-cacert", "target_ca_pem", "content", "file with the CA of the target, on this host"),
    Flag("--target.username", "target_username", "text", "user on the target"),
    Flag("--target.password", "target_password", "secret", "password on the target, as file:PATH or env:NAME"),
    Flag("--target.overwrite", "overwrite_target", "switch", "destroy what the target holds"),
    Flag("--target.replace-completed", "replace_completed", "text", "id of the completed migration to destroy"),
    Flag("--join", "join", "switch", "copy for the agent that leads the migration, if there is one"),
    Flag("--early-readers", "early_readers", "switch", "users may read on the target before the cutover"),
    Flag("--users", "users", "text", "copy, recreate (new passwords, in a file on the agent's host) or skip"),
    Flag("--accept", "accept", "accept", "accept a finding, as ID=REASON; may be repeated"),
    Flag("--max-downtime", "max_downtime", "seconds", "longest write downtime of the cutover, in seconds"),
    Flag("--max-lag", "max_lag", "seconds", "largest lag with which the cutover may begin, in seconds"),
    Flag("--settle-after", "settle_after", "seconds", "how long a request without answer may still run, in seconds"),
    Flag("--compress", "compress", "text", "bodies to the target: auto, always or never"),
    Flag("--warm-up", "warm_up", "switch", "load the target's indexes into memory before the fence"),
    Flag("--late-write-watch", "late_write_watch", "seconds", "how long to watch for late writes, in seconds"),
    Flag("--repair", "repair", "boolean", "put right what the verification finds different on the target"),
    Flag("--checksum-seconds", "checksum_seconds", "seconds", "seconds of the downtime for checksums on top"),
    Flag("--require-guard", "require_guard", "switch", "no cutover unless a guard runs on the agent's host"),
    Flag("--include", "include", "list", "DATABASE or DATABASE/COLLECTION to migrate, a pattern; may be repeated"),
    Flag("--exclude", "exclude", "list", "DATABASE or DATABASE/COLLECTION to leave out, a pattern; may be repeated"),
    Flag("--replication-factor", "replication_factor", "counts", "PATTERN=NUMBER of copies; may be repeated"),
    Flag("--write-concern", "write_concern", "counts", "PATTERN=NUMBER of copies that confirm; may be repeated"),
    Flag("--number-of-shards", "number_of_shards", "counts", "PATTERN=NUMBER of shards; may be repeated"),
    Flag("--rev-policy", "rev_policy", "map", "PATTERN=keep or PATTERN=regenerate revisions; may be repeated"),
    Flag("--source.endpoint-map", "endpoint_map", "map", "INNER=OUTER address of a server; may be repeated"),
    Flag("--source.allowed-server", "allowed_servers", "list", "server that may be sent a token; may be repeated"),
    *LIMIT_FLAGS,
)
_SIMPLE: dict[str, Callable[[str], Any]] = {
    "text": str, "seconds": float, "number": float, "whole": int, "secret": str, "content": str,
}  # fmt: skip


def add_spec_flags(parser: argparse.ArgumentParser, only: Optional[Sequence[str]] = None) -> None:
    """All flags of a start request, or those that fill the fields in `only`."""
    group = parser.add_argument_group("specification")
    for item in SPEC_FLAGS:
        if only is not None and item.field not in only:
            continue
        if item.kind == "switch":
            group.add_argument(item.flag, dest=item.field, action="store_const", const=True, help=item.help)
        elif item.kind == "boolean":
            group.add_argument(item.flag, dest=item.field, action=argparse.BooleanOptionalAction, help=item.help)
        elif item.kind in ("list", "map", "counts", "accept", "window"):
            group.add_argument(item.flag, dest=item.field, action="append", help=item.help)
        else:
            group.add_argument(item.flag, dest=item.field, type=_SIMPLE[item.kind], help=item.help)


def _pairs(flag: str, texts: list[str]) -> list[tuple[str, str]]:
    pairs = []
    for text in texts:
        left, sign, right = text.partition("=")
        if not sign or not left or not right:
            raise CutoverError("CUT-AGENT-36", f"{flag} takes two parts joined by =, not {text!r}")
        pairs.append((left, right))
    return pairs


def _window(left: str, right: str) -> dict[str, Any]:
    times, *rest = left.split(",")
    begin, _dash, end = times.partition("-")
    try:
        bandwidth = float(right)
    except ValueError as error:
        raise CutoverError("CUT-AGENT-36", f"--window takes {WINDOW_FORM}, not {left}={right}") from error
    days = [part for part in rest if part in DAYS]
    zones = [part for part in rest if part not in DAYS]
    if len(zones) > 1:
        raise CutoverError("CUT-AGENT-36", f"--window takes one time zone, and of {', '.join(DAYS)} days, not {left}")
    window: dict[str, Any] = {"from": begin, "to": end, "mb_per_second": bandwidth}
    return {**window, **({"days": days} if days else {}), **({"time_zone": zones[0]} if zones else {})}


def _number(flag: str, text: str) -> int:
    if not text.isdecimal():
        raise CutoverError("CUT-AGENT-36", f"{flag} takes PATTERN=NUMBER, and {text!r} is no number")
    return int(text)


def _from_environment(item: Flag) -> Any:
    """What a flag that is not given would have said: a list is separated by commas, a secret stays a reference."""
    name = VARIABLES.get(item.field, "")
    text = os.environ.get(name)
    if not text:
        return None
    if item.kind == "secret":
        return f"env:{name}"
    return [part.strip() for part in text.split(",")] if item.kind == "list" else text


def specification(arguments: argparse.Namespace) -> dict[str, Any]:
    """The start request that the given flags make; absent flags leave the field out."""
    request: dict[str, Any] = {}
    for item in SPEC_FLAGS:
        value = getattr(arguments, item.field, None)
        if value is None:
            value = _from_environment(item)
        if value is None:
            continue
        if item.kind == "secret":
            value = resolve(item.flag, value)
        elif item.kind == "content":
            value = content_of(item.flag, value)
        elif item.kind == "map":
            value = dict(_pairs(item.flag, value))
        elif item.kind == "counts":
            value = {left: _number(item.flag, right) for left, right in _pairs(item.flag, value)}
        elif item.kind == "accept":
            value = [{"id": left, "reason": right} for left, right in _pairs(item.flag, value)]
        elif item.kind == "window":
            value = [_window(left, right) for left, right in _pairs(item.flag, value)]
        request[item.field] = value
    return request


def accepted_findings(arguments: argparse.Namespace) -> Optional[list[dict[str, str]]]:
    """The findings that a cutover takes for accepted; None without any."""
    pairs = _pairs("--accept-finding", arguments.accept_findings or [])
    return [{"id": left, "reason": right} for left, right in pairs] or None


# How the source is reached by a command that needs no agent.
SOURCE_FIELDS = ("source_endpoints", "source_ca_path", "endpoint_map", "allowed_servers", "allow_plaintext_source")
# The modules' options have the same fallbacks (_module/argspec.py).
VARIABLES = {
    "source_endpoints": "CUTOVER_SOURCE_ENDPOINTS",
    "source_ca_path": "CUTOVER_SOURCE_CA_PATH",
    "target_endpoints": "CUTOVER_TARGET_ENDPOINTS",
    "target_ca_path": "CUTOVER_TARGET_CA_PATH",
    "target_username": "CUTOVER_TARGET_USERNAME",
    "target_password": "CUTOVER_TARGET_PASSWORD",
    "agent_endpoint": "CUTOVER_AGENT_ENDPOINT",
    "agent_ca_path": "CUTOVER_AGENT_CA_PATH",
    "agent_token": "CUTOVER_AGENT_TOKEN",
    "agent_token_path": "CUTOVER_AGENT_TOKEN_PATH",
    "agent_client_keyfile": "CUTOVER_AGENT_CLIENT_KEYFILE",
}


def given(arguments: argparse.Namespace, field: str) -> Any:
    """The flag's value; without one what its environment variable holds, and None without that."""
    value = getattr(arguments, field, None)
    if value is not None:
        return value
    return os.environ.get(VARIABLES.get(field, "")) or None


def add_agent_flags(parser: argparse.ArgumentParser) -> None:
    """Where the agent is and who asks."""
    group = parser.add_argument_group("agent")
    group.add_argument("--agent.endpoint", dest="agent_endpoint", help="https://HOST:PORT of the agent")
    group.add_argument("--agent.listen-host", dest="agent_host", help="host of the agent (default: 127.0.0.1)")
    group.add_argument("--agent.master-port", dest="agent_port", type=int, help=f"its port (default: {DEFAULT_PORT})")
    group.add_argument("--agent.cacert", dest="agent_ca_path", help="file with the CA of the agent's certificate")
    group.add_argument("--agent.token", dest="agent_token", help="token, as file:PATH or env:NAME")
    group.add_argument("--agent.client-auth-keyfile", dest="agent_client_keyfile", help="client certificate and key")
    group.add_argument("--output", choices=("table", "json"), default="table", help="form of the answer")


def agent_endpoint(arguments: argparse.Namespace) -> str:
    """The agent's endpoint: --agent.endpoint, host and port, the environment, this host; in this order."""
    if arguments.agent_endpoint:
        return str(arguments.agent_endpoint)
    host, port = arguments.agent_host, arguments.agent_port
    variable = given(arguments, "agent_endpoint")
    if host is None and port is None and variable:
        return str(variable)
    host = host or "127.0.0.1"
    return f"https://{f'[{host}]' if ':' in host else host}:{port or DEFAULT_PORT}"


def agent_token(arguments: argparse.Namespace) -> Optional[str]:
    """The token by reference, or out of the environment; None without any."""
    if arguments.agent_token:
        return resolve("--agent.token", arguments.agent_token)
    if given(arguments, "agent_token"):
        return resolve("--agent.token", f"env:{VARIABLES['agent_token']}")
    path = given(arguments, "agent_token_path")
    return resolve("--agent.token", f"file:{path}") if path else None
