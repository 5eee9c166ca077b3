# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options that several modules share; the documentation fragments of the same names describe them."""
from __future__ import annotations

from typing import Any, Mapping

from ansible.module_utils.common.parameters import env_fallback

from .._core.platform_rules import DEFAULT_ENDPOINT

Options = dict[str, dict[str, Any]]


def _connection(variable: str, **rest: Any) -> dict[str, Any]:
    return {"fallback": (env_fallback, [variable]), **rest}


def agent_options() -> Options:
    """Where the agent is and who asks."""
    return {
        "agent_endpoint": _connection("CUTOVER_AGENT_ENDPOINT", type="str", default="https://127.0.0.1:8629"),
        "agent_ca_path": _connection("CUTOVER_AGENT_CA_PATH", type="path"),
        "agent_token": _connection("CUTOVER_AGENT_TOKEN", type="str", no_log=True),
        "agent_token_path": _connection("CUTOVER_AGENT_TOKEN_PATH", type="path", no_log=False),
        "agent_client_keyfile": _connection("CUTOVER_AGENT_CLIENT_KEYFILE", type="path", no_log=False),
        "agent_timeout": {"type": "float", "default": 30.0},
    }


def source_options() -> Options:
    """How the source is reached."""
    return {
        "source_endpoints": _connection("CUTOVER_SOURCE_ENDPOINTS", type="list", elements="str"),
        "source_ca_path": _connection("CUTOVER_SOURCE_CA_PATH", type="path"),
        "endpoint_map": {"type": "dict", "default": {}},
        "allowed_servers": {"type": "list", "elements": "str", "default": []},
        "allow_plaintext_source": {"type": "bool", "default": False},
    }


def secret_options() -> Options:
    """Where the source's JWT secret lies on the agent's host: for modules that work without an agent."""
    return {"source_jwt_secret_path": _connection("CUTOVER_SOURCE_JWT_SECRET_PATH", type="path", no_log=False)}


def target_options() -> Options:
    """How the target is reached."""
    return {
        "target_endpoints": _connection("CUTOVER_TARGET_ENDPOINTS", type="list", elements="str"),
        "target_ca_path": _connection("CUTOVER_TARGET_CA_PATH", type="path"),
        "target_ca_pem": {"type": "str"},
        "target_username": _connection("CUTOVER_TARGET_USERNAME", type="str", default="root"),
        "target_password": _connection("CUTOVER_TARGET_PASSWORD", type="str", no_log=True),
    }


def platform_options() -> Options:
    """A deployment and who asks about it: the module's action takes these out, the module never gets them."""
    return {
        "deployment_id": {"type": "str"},
        "organization_id": {"type": "str"},
        "platform_endpoint": {"type": "str", "default": DEFAULT_ENDPOINT},
        "platform_ca_path": {"type": "path"},
        "platform_key_id": {"type": "str", "no_log": False},
        "platform_key_secret": {"type": "str", "no_log": True},
        "platform_timeout": {"type": "float", "default": 30.0},
    }


def deployment_options() -> Options:
    """A deployment in the place of the target, and what is wanted of it before a start."""
    return {
        **platform_options(),
        "agent_addresses": {"type": "list", "elements": "str", "default": []},
        "resume_deployment": {"type": "bool", "default": False},
        "resume_timeout": {"type": "float", "default": 1800.0},
        "backup_target": {"type": "bool", "default": False},
        "backup_upload": {"type": "bool", "default": False},
        "backup_keep_days": {"type": "float", "default": 14.0},
        "backup_timeout": {"type": "float", "default": 3600.0},
    }


def specification_options() -> Options:
    """What is migrated and how."""
    accepted = {"id": {"type": "str", "required": True}, "reason": {"type": "str", "required": True}}
    window: Options = {
        "from": {"type": "str", "required": True},
        "to": {"type": "str", "required": True},
        "days": {"type": "list", "elements": "str", "choices": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]},
        "mb_per_second": {"type": "float", "required": True},
        "time_zone": {"type": "str", "default": "UTC"},
    }
    return {
        "name": {"type": "str", "default": "default"},
        "include": {"type": "list", "elements": "str", "default": []},
        "exclude": {"type": "list", "elements": "str", "default": []},
        "replication_factor": {"type": "dict", "default": {}},
        "write_concern": {"type": "dict", "default": {}},
        "number_of_shards": {"type": "dict", "default": {}},
        "rev_policy": {"type": "dict", "default": {}},
        "overwrite_target": {"type": "bool", "default": False},
        "replace_completed": {"type": "str"},
        "join": {"type": "bool", "default": False},
        "early_readers": {"type": "bool", "default": False},
        "require_guard": {"type": "bool", "default": False},
        "ignore_metrics": {"type": "bool", "default": False},
        "accept": {"type": "list", "elements": "dict", "options": accepted, "default": []},
        "users": {"type": "str", "choices": ["copy", "recreate", "skip"], "default": "copy"},
        "max_lag": {"type": "float", "default": 5.0},
        "settle_after": {"type": "float", "default": 300.0},
        "late_write_watch": {"type": "float", "default": 10.0},
        "compress": {"type": "str", "choices": ["auto", "always", "never"], "default": "auto"},
        "warm_up": {"type": "bool", "default": False},
        "repair": {"type": "bool", "default": True},
        "load": {"type": "str", "choices": ["gentle", "balanced", "fast", "max"]},
        "mb_per_second": {"type": "float"},
        "operations_per_second": {"type": "float"},
        "verify_rate": {"type": "float"},
        "copiers": {"type": "int"},
        "windows": {"type": "list", "elements": "dict", "options": window},
        "checksum_seconds": {"type": "float", "default": 2.0},
        "max_downtime": {"type": "float"},
    }


REQUEST_FIELDS = tuple(source_options()) + tuple(target_options()) + tuple(specification_options())


def merged(*parts: Options) -> Options:
    """One argument specification out of several; a name in two of them is an error of ours."""
    result: Options = {}
    for part in parts:
        twice = set(result) & set(part)
        if twice:
            raise ValueError(f"options defined twice: {sorted(twice)}")
        result.update(part)
    return result


def start_request(params: Mapping[str, Any]) -> dict[str, Any]:
    """The start request that a module's options make; what was not given is left to the engine's defaults."""
    return {name: params[name] for name in REQUEST_FIELDS if params.get(name) is not None}
