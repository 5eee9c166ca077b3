# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The target of a task: a deployment of the managed platform, asked about on the controller, or what the task names.

The platform's secret goes no further than here: what is left of a task's arguments is what its module gets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._core.platform_rules import ASLEEP
from ansible_collections.cutover.arangodb.plugins.module_utils._core.tls import holds_certificate
from ansible_collections.cutover.arangodb.plugins.module_utils._module.argspec import (
    deployment_options,
    platform_options,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._platform import deployments, keys, resuming
from ansible_collections.cutover.arangodb.plugins.module_utils._platform.client import PlatformClient
from ansible_collections.cutover.arangodb.plugins.module_utils._platform.waiting import Waiting
from ansible_collections.cutover.arangodb.plugins.plugin_utils import _platform

WHO = ("deployment_id", "platform_key_id", "platform_key_secret")
NAMED = ("target_endpoints", "target_ca_path", "target_ca_pem", "target_username", "target_password")
# As the modules document them, with the environment of the controller, which only an action sees.
OPTIONS: dict[str, dict[str, Any]] = {
    **deployment_options(),
    **{name: {**option, "required": False} for name, option in _platform.OPTIONS.items()},
}
_NEED_A_DEPLOYMENT = ("resume_deployment", "backup_target")
Options = dict[str, Any]
Tell = Callable[[str], None]


def taken_out(arguments: dict[str, Any]) -> Options | None:
    """Take the platform's options out of a task's arguments; None when the target is not a deployment.

    Raises CUT-AGENT-36 when the target is named in both ways, or a deployment in part.
    """
    own = {name: arguments.pop(name) for name in OPTIONS if name in arguments}
    options = _validated(own)
    missing = _missing(options)
    if "deployment_id" not in own and missing:
        vain = [name for name in _NEED_A_DEPLOYMENT if options[name]]
        if vain:
            raise _wrong(vain[0], f"{vain[0]}: is for a target that is given by deployment_id")
        return None
    both = [name for name in NAMED if name in arguments]
    if both:
        how = "deployment_id" if "deployment_id" in own else "deployment_id (by the controller's environment)"
        text = f"{', '.join(both)}, {how}: give either the deployment, or the target's endpoint and credentials"
        raise _wrong(both[0], text)
    _require_all(missing)
    _platform.require_addresses("agent_addresses", options["agent_addresses"])
    return options


def expected(arguments: dict[str, Any]) -> Options | None:
    """Take the platform's options out of the arguments of a task that looks; None when it names no deployment.

    The controller's environment alone names none: a look must not fail with the platform. Raises CUT-AGENT-36 when the
    deployment is named in part.
    """
    own = {name: arguments.pop(name) for name in platform_options() if name in arguments}
    if not own.get("deployment_id"):
        return None
    options = _validated(own)
    _require_all(_missing(options))
    return options


def _validated(own: dict[str, Any]) -> Options:
    checked = ArgumentSpecValidator(OPTIONS).validate(own)
    if checked.error_messages:
        raise AnsibleActionFail("; ".join(checked.error_messages))
    options: Options = checked.validated_parameters
    return options


def _missing(options: Options) -> list[str]:
    return [name for name in WHO if not options.get(name)]


def _require_all(missing: list[str]) -> None:
    if missing:
        raise _wrong(missing[0], f"{', '.join(missing)}: is needed together with deployment_id")


def _wrong(field: str, text: str) -> CutoverError:
    return CutoverError("CUT-AGENT-36", text, details={"field": field})


def find(client: PlatformClient, options: Options) -> dict[str, Any]:
    """The platform's own object of the deployment."""
    client.probe()
    return deployments.find(client, options["deployment_id"], options["organization_id"])


def looked_at(client: PlatformClient, options: Options) -> dict[str, Any]:
    """The deployment as `deployment_info` shows it, whatever is wrong with it."""
    return deployments.describe(client, find(client, options), options["agent_addresses"])


def described(client: PlatformClient, options: Options, *, check_mode: bool, tell: Tell) -> dict[str, Any]:
    """The deployment for a start: awake and with nothing against it, or the refusal with every reason.

    In check mode a paused one stays paused, and what only waking brings is not asked for.
    """
    found = find(client, options)
    wakes = bool(found.get("is_paused")) and options["resume_deployment"]
    if wakes and check_mode:
        keys.require_writable(client, "resuming a deployment")
    elif wakes:
        found = resuming.resume(client, found, Waiting(options["resume_timeout"], tell=tell))
    shown = deployments.describe(client, found, options["agent_addresses"])
    allowed = ASLEEP if wakes and check_mode else ()
    errors = [one for one in shown["problems"] if one["severity"] == "error" and one["code"] not in allowed]
    if errors:
        raise _platform.refusal(errors)
    return shown


def fields(client: PlatformClient, shown: dict[str, Any]) -> dict[str, Any]:
    """The options of a module that the deployment stands for; reading the password is an event on the platform."""
    authority, endpoint = shown["ca"], shown["endpoints"]["chosen"]
    if authority is None or not holds_certificate(authority["pem"]) or endpoint is None:
        raise _platform.refusal(one for one in shown["problems"] if one["severity"] == "error")
    login = deployments.credentials(client, shown["deployment"]["id"])
    return {
        "target_endpoints": [endpoint],
        "target_ca_pem": authority["pem"],
        "target_username": login["username"],
        "target_password": login["password"],
    }


def require_same(client: PlatformClient, options: Options, status: dict[str, Any]) -> None:
    """Raise CUT-PLATFORM-7 when the agent's migration goes elsewhere than to the deployment."""
    found = find(client, options)
    there = [str(text) for text in (status.get("target") or {}).get("endpoints") or []]
    if there and not deployments.hosts(found) & {urlsplit(text).hostname for text in there}:
        name = found.get("name") or found.get("id")
        text = f"the agent's migration goes to {', '.join(there)}, not to deployment {name}"
        raise CutoverError("CUT-PLATFORM-7", text)
