# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The body of the module `migration`: one plan for check mode and the real run."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping, Optional

from ansible.module_utils.basic import AnsibleModule

from .._core.agent_api import AgentApi
from .._core.clock import SYSTEM_CLOCK
from .._core.errors import CutoverError
from .._engine import spec, states
from .._engine.display import lookup, status_lines
from .._engine.load import Load
from .._engine.waiting import PAUSES, Wait, wait_for
from . import rescue
from .agent_client import connect_agent
from .argspec import start_request

GOALS = {
    "started": "in_sync",
    "rehearsed": "rehearsed",
    "stopped": "completed",
    "aborted": "aborted",
    "revoked": "revoked",
    "paused": "paused",
    "resumed": "resumed",
}
RELEASES = {"open": "completed", "way_back": "given_back"}


@dataclass(frozen=True)
class Plan:
    """What is to be done, and to which state it leads.

    The action is start, refresh, pause, resume, tune, rehearse, stop, join, release, abort, revoke or none.
    """

    action: str
    leads_to: str

    @property
    def changed(self) -> bool:
        """Taking over credentials and joining what already runs are no changes; a rehearsal always is one."""
        return self.action not in ("refresh", "join", "none")


def _refusal(state: str, wanted: str, why: str, remedy: str) -> CutoverError:
    message = f"state: {wanted} is not possible: the migration is {state}{why}"
    return CutoverError("CUT-AGENT-43", message, remedy=remedy, details={"state": state})


def plan(
    current: Mapping[str, Any],
    wanted: str,
    digest: Optional[str],
    replaces: Optional[str] = None,
    *,
    cleanup: bool = False,
    hold_opening: bool = False,
) -> Plan:
    """What `wanted` asks for, given the status document; raises CUT-AGENT-43 when it cannot be had.

    `replaces` is the id of the completed migration that may be replaced; `cleanup` is part of the state
    `aborted`, `hold_opening` of `stopped`.
    """
    state = str(current.get("state"))
    if wanted == "started":
        return _plan_start(current, state, digest, replaces)
    if wanted in ("rehearsed", "tuned"):
        return _plan_under_way(state, wanted)
    if wanted == "revoked":
        return _plan_revoke(current, state)
    if wanted in PAUSES:
        return _plan_pause(current, state, wanted)
    if wanted == "stopped":
        if state in (states.INACTIVE, states.ABORTED, states.FAILED):
            why = "; nothing is running that could be cut over"
            raise _refusal(state, wanted, why, "Start a migration and wait until all shards are in sync.")
        if state == states.STOPPING and hold_opening:
            # The agent says whether the cutover under way is one that waits.
            return Plan("join", states.COMPLETED)
        settled = state in (states.COMPLETED, states.STOPPING)
        return Plan("none" if settled else "stop", states.COMPLETED)
    if state == states.COMPLETED:
        why = f" since {current.get('since')}; the target is open and there is nothing to abort"
        raise _refusal(state, wanted, why, "To go back while nothing was written on the target, use the state revoked.")
    if cleanup and "cleanup" in (current.get("allowed_actions") or ()):
        return Plan("abort", states.ABORTED)
    settled = state in (states.INACTIVE, states.ABORTED, states.ABORTING)
    return Plan("none" if settled else "abort", state if state == states.INACTIVE else states.ABORTED)


def _plan_under_way(state: str, wanted: str) -> Plan:
    if wanted == "tuned":
        if state not in states.ACTIVE:
            why = "; only one that runs can be made faster or slower"
            raise _refusal(state, wanted, why, "Give the limits to the start.")
        return Plan("tune", state)
    if state not in (states.INITIAL_SYNC, states.RUNNING):
        why = "; only a migration that is in sync can be rehearsed"
        raise _refusal(state, wanted, why, "Start a migration and wait until all shards are in sync.")
    return Plan("rehearse", state)


def _plan_revoke(current: Mapping[str, Any], state: str) -> Plan:
    if state == states.ABORTED and lookup(current, "cutover.last_attempt.result") == "revoked":
        return Plan("none", states.ABORTED)
    if state not in (states.COMPLETED, states.STOPPING):
        why = "; its target was not opened"
        raise _refusal(state, "revoked", why, "Before the opening, use the state aborted.")
    return Plan("revoke", states.ABORTED)


def plan_release(state: str, release: str) -> Plan:
    """What a cutover that holds its opening is to do; raises CUT-AGENT-43 when there is none."""
    if state == states.STOPPING:
        return Plan("release", states.COMPLETED if release == "open" else states.RUNNING)
    done = (states.COMPLETED,) if release == "open" else (states.INITIAL_SYNC, states.RUNNING)
    if state not in done:
        why = "; no cutover is under way that could hold its opening"
        raise _refusal(state, "released", why, "Look at the status; it tells how the last cutover has ended.")
    return Plan("none", state)


def _plan_pause(current: Mapping[str, Any], state: str, wanted: str) -> Plan:
    """A pause of the agent itself is none of the operator's: it ends by itself."""
    if state not in states.PAUSABLE:
        why = "; only one that copies or follows can be paused and resumed"
        raise _refusal(state, wanted, why, "Look at the status; what is not running needs no pause.")
    paused = lookup(current, "pause.state") not in (None, "none") and lookup(current, "pause.by") == "operator"
    if wanted == "paused":
        return Plan("none" if paused else "pause", state)
    return Plan("resume" if paused else "none", state)


def _plan_start(current: Mapping[str, Any], state: str, digest: Optional[str], replaces: Optional[str]) -> Plan:
    if state == states.COMPLETED:
        known = lookup(current, "migration.id")
        if replaces is not None and replaces == known:
            return Plan("start", states.INITIALIZING)
        why = f" since {current.get('since')} (id {known}); starting again would destroy the target"
        pending = lookup(current, "late_indexes.pending") or 0
        left = f"Late indexes still to be built: {pending}. Let the agent run." if pending else "Nothing is left to do."
        remedy = (
            f"{left} For another migration, remove the agent with its state when it is done, deploy it again and name "
            "another target. To destroy the target on purpose, set overwrite_target: true and replace_completed to "
            "that id."
        )
        raise _refusal(state, "started", why, remedy)
    if state in (states.INACTIVE, states.ABORTED, states.FAILED):
        return Plan("start", states.INITIALIZING)
    if lookup(current, "migration.config_digest") != digest:
        why = " with another specification"
        raise _refusal(state, "started", why, "Give the same options as at its start, or abort it first.")
    return Plan("refresh", state)


def _named(findings: list[dict[str, Any]]) -> Optional[list[dict[str, Any]]]:
    """The accepted findings as they were given."""
    return [{name: value for name, value in item.items() if value is not None} for item in findings] or None


def _apply(
    api: AgentApi, chosen: Plan, params: Mapping[str, Any], current: dict[str, Any]
) -> tuple[bool, dict[str, Any]]:
    if chosen.action in ("start", "refresh"):
        return api.start(start_request(params))
    if chosen.action in ("stop", "join"):
        options = {
            "max_downtime": params["max_downtime"],
            "wait_timeout": params["gate_timeout"],
            "accept_findings": _named(params["accept_findings"]),
            "hold_opening": params["hold_opening"],
        }
        return api.stop({name: value for name, value in options.items() if value is not None})
    if chosen.action == "release":
        options = {"open": params["release"] == "open", "reason": params["reason"]}
        return api.release({name: value for name, value in options.items() if value is not None})
    if chosen.action == "rehearse":
        options = {"max_downtime": params["max_downtime"], "fence_seconds": params["fence_seconds"]}
        return api.rehearse({name: value for name, value in options.items() if value is not None})
    if chosen.action == "abort":
        return api.abort({"cleanup": True} if params["cleanup"] else {})
    if chosen.action == "revoke":
        return api.revoke({"name": params["revoke_opening"]})
    if chosen.action == "pause":
        return api.pause({} if params["reason"] is None else {"reason": params["reason"]})
    if chosen.action == "resume":
        return api.resume()
    if chosen.action == "tune":
        return api.limits(_limits(params))
    return False, current


def _limits(params: Mapping[str, Any]) -> dict[str, Any]:
    """The options of speed that were given; raises CUT-SPEC-1 for a value that the agent would refuse."""
    given = {name: params[name] for name in spec.TUNING if params[name] is not None}
    spec.parse_options(given, spec.LIMITS_OPTIONS)
    return given


def _diff(current: Mapping[str, Any], chosen: Plan, digest: Optional[str]) -> dict[str, dict[str, Any]]:
    known = lookup(current, "migration.config_digest")
    before = {"state": current.get("state"), "config_digest": known}
    if not chosen.changed:
        return {"before": before, "after": before}
    if chosen.action in ("pause", "resume"):
        pause = {"pause": PAUSES[f"{chosen.action}d"]}
        return {"before": {**before, "pause": lookup(current, "pause.state")}, "after": {**before, **pause}}
    return {"before": before, "after": {"state": chosen.leads_to, "config_digest": digest or known}}


def _retuned(current: Mapping[str, Any], wanted: Load, named: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The limits in force and the wanted ones, of those `named` that differ as far as the status shows them."""
    known = current.get("limits") or {}
    limits = wanted.shown(SYSTEM_CLOCK.wall())
    others = [name for name in named if name in known and known[name] != limits[name]]
    return {"before": {name: known[name] for name in others}, "after": {name: limits[name] for name in others}}


def _warn_of_blockers(module: AnsibleModule, status: Mapping[str, Any]) -> None:
    for blocker in lookup(status, "cutover.blockers") or []:
        module.warn(f"the cutover would be refused: {blocker.get('text')} ({blocker.get('code')})")


def run(module: AnsibleModule) -> dict[str, Any]:
    """Read, plan, and unless in check mode do it and wait; the module's result."""
    params = module.params
    wanted = params["state"]
    if wanted == "rescued":
        return rescue.run(module)
    asked = spec.parse(start_request(params)) if wanted == "started" else None
    digest = None if asked is None else asked.config_digest
    limits = _limits(params) if wanted == "tuned" else {}
    api = connect_agent(module)
    current = api.status()
    if wanted == "released":
        chosen = plan_release(str(current.get("state")), params["release"])
    else:
        chosen = plan(
            current, wanted, digest, params["replace_completed"],
            cleanup=params["cleanup"], hold_opening=bool(params["hold_opening"]),
        )  # fmt: skip
    result: dict[str, Any] = {"changed": chosen.changed, "migration": current}
    result["diff"] = _diff(current, chosen, digest)
    if chosen.action == "tune":
        result["diff"] = _retuned(current, Load(**spec.parse_options(limits, spec.LIMITS_OPTIONS)), limits)
    if module.check_mode:
        if chosen.action == "refresh" and asked is not None:
            result["changed"] = bool(_retuned(current, asked.tuning, spec.TUNING)["after"])
        if chosen.action == "tune":
            result["changed"] = bool(result["diff"]["after"])
        if chosen.action in ("rehearse", "stop"):
            _warn_of_blockers(module, current)
        return {**result, "lines": status_lines(current)}
    result["changed"], result["migration"] = _apply(api, chosen, params, current)
    at_once = wanted == "started" or params["hold_opening"]
    wait = params["wait"] if params["wait"] is not None else not at_once
    if wait and chosen.action != "tune":
        goal = RELEASES[params["release"]] if wanted == "released" else GOALS[wanted]
        limit = Wait(goal, params["wait_timeout"], params["wait_interval"])
        result["migration"] = wait_for(api.status, limit, before=current)
    return {**result, "lines": status_lines(result["migration"])}
