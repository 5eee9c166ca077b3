# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prechecks of a managed deployment, from what the controller was told by the platform (platform facts §11).

The platform's key never leaves the controller: these rules read what `deployment_info` returned there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._core.platform_rules import ASLEEP, PAUSED, moment
from .context import Context
from .outcome import Outcome, Row, bad, good, listed, skipped, unknown

_DAY = 86400.0
_SOON = 30 * _DAY  # what ends sooner may end during a migration
_ROTATION = 91 * _DAY  # the platform changes a password every three months (platform facts §9)
_STATE = (*ASLEEP, "CUT-PLATFORM-13", "CUT-PLATFORM-15")
_SKEW = 60.0
Facts = Mapping[str, Any]


class _SelfHostedError(Exception):
    """The target is no deployment of the managed platform, or nobody asked the platform."""


def _facts(context: Context) -> Facts:
    found = context.environment.deployment
    if found is None:
        raise _SelfHostedError
    return found


def _days(seconds: float) -> str:
    return f"{seconds / _DAY:.0f} days"


def _left(context: Context, text: Any) -> float | None:
    """Seconds until a timestamp of the platform, None when there is none."""
    ends = moment(text)
    return None if ends is None else ends.timestamp() - context.clock.wall()


def _ends(context: Context, what: str, text: Any) -> Outcome:
    left = _left(context, text)
    if left is None:
        return good(f"{what} does not end")
    if left < _SOON:
        return bad(f"{what} ends at {text}, in {_days(left)}" if left > 0 else f"{what} has ended at {text}", ends=text)
    return good(f"{what} ends in {_days(left)}", ends=text)


def _wishes(facts: Facts) -> list[str]:
    """What is wanted of the platform that only a key that writes can have."""
    wishes = facts.get("wishes") or {}
    return [word for word in ("backup", "resume") if wishes.get(word)]


def _state(context: Context) -> Outcome:
    facts = _facts(context)
    found = [one for one in facts["problems"] if one["code"] in _STATE]
    if "resume" in _wishes(facts) and any(one["code"] == PAUSED for one in found):
        found = [one for one in found if one["code"] not in ASLEEP]
        if not found:
            return good("the deployment is paused and is going to be resumed", codes=[])
    if found:
        texts = "; ".join(one["text"] for one in found)
        return bad(texts, remedy=found[0]["remedy"], codes=[one["code"] for one in found])
    return good("a migration can go into the deployment", codes=[])


def _quiet(context: Context) -> Outcome:
    deployment = _facts(context)["deployment"]
    if not deployment["up_to_date"]:
        return bad("changes of the deployment are pending, or it is being upgraded", up_to_date=False)
    return good("the platform changes nothing on the deployment", up_to_date=True)


def _readonly(context: Context) -> Outcome:
    if _facts(context)["deployment"]["read_only"]:
        return bad("the platform says that the deployment is read-only")
    return good("the deployment can be written")


def _permissions(context: Context) -> Outcome:
    facts = _facts(context)
    missing = facts["permissions"]["missing"]
    names = [name for need in ("migration", *_wishes(facts)) for name in missing[need]]
    if names:
        return bad(f"the API key lacks {listed(names)}", missing=names)
    return good("the API key holds every permission that is needed")


def _key_writes(context: Context) -> Outcome:
    facts = _facts(context)
    wishes = _wishes(facts)
    if not wishes:
        return skipped("neither a backup nor resuming is wanted")
    if facts["key"]["read_only"]:
        return bad(f"the API key is read-only, which is not enough for: {listed(wishes)}")
    return good("the API key may write")


def _key_end(context: Context) -> Outcome:
    return _ends(context, "the API key", _facts(context)["key"]["expires_at"])


def _allowlist(context: Context) -> Outcome:
    allowlist = _facts(context)["allowlist"]
    verdicts: Mapping[str, str] = allowlist["verdicts"]
    blocked = [address for address, verdict in verdicts.items() if verdict == "blocked"]
    if blocked:
        return bad(f"the allowlist does not hold {listed(blocked)}", blocked=blocked, ranges=allowlist["ranges"])
    unclear = [address for address, verdict in verdicts.items() if verdict == "unknown"]
    if unclear:
        return unknown(f"the allowlist cannot be read, or not what it says about {listed(unclear)}")
    if allowlist["ranges"] is not None and not verdicts:
        return skipped("agent_addresses are not given, so nobody knows whether the allowlist holds them")
    return good("the allowlist lets the agent in" if verdicts else "there is no allowlist")


def _certificate(context: Context) -> Outcome:
    authority = _facts(context)["ca"]
    if authority is None:
        return unknown("the CA certificate may not be read with this API key")
    left = _left(context, authority["expires_at"])
    if authority["expired"] or (left is not None and left <= 0):
        return bad("the CA certificate has expired", ends=authority["expires_at"])
    return good("the CA certificate is valid", ends=authority["expires_at"])


def _certificate_rotation(context: Context) -> Outcome:
    authority = _facts(context)["ca"]
    if authority is None:
        return skipped("the CA certificate is not known")
    if authority["rotation_needed"]:
        return bad("the platform says that the CA certificate has to be rotated", ends=authority["expires_at"])
    return _ends(context, "the CA certificate", authority["expires_at"])


def _expiry(context: Context) -> Outcome:
    return _ends(context, "the deployment", _facts(context)["deployment"]["expires_at"])


def _version_end(context: Context) -> Outcome:
    deployment = _facts(context)["deployment"]
    if not deployment["end_of_life"]:
        return good(f"version {deployment['version']} is maintained")
    when = f", and is upgraded by itself at {deployment['upgraded_at']}" if deployment["upgraded_at"] else ""
    return bad(f"version {deployment['version']} is at its end of life{when}", upgraded_at=deployment["upgraded_at"])


def _notifications(context: Context) -> Outcome:
    told = [one for one in _facts(context)["notifications"] if one["severity"] != "info"]
    if told:
        return bad(f"the platform warns: {listed([one['text'] for one in told], 3)}", notifications=told[:20])
    return good("the platform warns of nothing")


def _disk_locked(context: Context) -> Outcome:
    seconds = _facts(context)["deployment"]["disk_locked_seconds"]
    if seconds > 0:
        return bad(f"the size of the deployment's disks cannot be changed for {seconds:.0f} s", seconds=seconds)
    return good("the size of the deployment's disks can be changed")


def _backup(context: Context) -> Outcome:
    facts = _facts(context)
    if "backup" not in _wishes(facts):
        return skipped("no backup is wanted")
    possible, wants_upload = facts["backup"], (facts.get("wishes") or {}).get("upload")
    if possible["possible"] is None:
        return unknown("whether backups are possible may not be read with this API key")
    if not possible["possible"]:
        return bad("the deployment cannot have backups")
    if wants_upload and not possible["upload"]:
        return bad("backups of the deployment cannot be uploaded")
    return good("a backup can be made before the start")


def _password(context: Context) -> Outcome:
    deployment = _facts(context)["deployment"]
    if not deployment["root_password_rotates"]:
        return good("the password of root is not changed by the platform")
    rotated_at = deployment["root_password_rotated_at"]
    past = _left(context, rotated_at)
    left = None if past is None else past + _ROTATION
    if left is None or left < _SOON:
        when = "at a time that is not known" if left is None else f"in {_days(max(left, 0.0))}"
        return bad(f"the platform changes the password of root {when}", rotated_at=rotated_at)
    return good(f"the password of root is changed in {_days(left)}")


def _clock(context: Context) -> Outcome:
    skew = _facts(context)["clock_skew_seconds"]
    if skew is None:
        return unknown("the platform tells no time")
    if abs(skew) > _SKEW:
        ahead = "ahead of" if skew > 0 else "behind"
        return bad(f"the controller's clock is {abs(skew):.0f} s {ahead} the platform's", seconds=skew)
    return good("the controller's clock and the platform's agree", seconds=skew)


def _model(context: Context) -> Outcome:
    model = _facts(context)["deployment"]["model"]
    factors = context.spec.replication_factor
    wide, single = [], []
    for one in context.collections():
        if one.name.startswith("_") or not context.spec.selection.collection(one.database, one.name):
            continue
        if int(one.parameters.get("numberOfShards") or 1) > 1:
            wide.append(one.label)
        if one.parameters.get("replicationFactor") == 1 and not factors.as_dict():
            single.append(one.label)
    if model == "oneshard" and wide:
        return bad(f"the model oneshard has one shard for each collection; more have {listed(wide)}", names=wide[:100])
    if model in ("oneshard", "sharded") and single:
        return bad(f"the model {model} has two copies at least; one has {listed(single)}", names=single[:100])
    return good(f"the model {model or 'of the deployment'} fits the collections")


def _guarded(rule: Any) -> Any:
    """The rule where the target is a deployment; left out elsewhere."""

    def asked(context: Context) -> Outcome:
        try:
            return rule(context)  # type: ignore[no-any-return]
        except _SelfHostedError:
            return skipped("the target is not given as a deployment of the managed platform")

    return asked


def _row(
    name: str, severity: str, title: str, rule: Any, remedy: str, why: str, *, acceptable: bool = True
) -> Row:
    return Row(
        f"platform-{name}", "platform", severity, title, _guarded(rule), remedy, acceptable=acceptable, why=why
    )


ROWS: Sequence[Row] = (
    _row(
        "state", "error", "A migration can go into the deployment", _state,
        "Do what the message asks for on the platform; a paused deployment is woken by resume_deployment.",
        "A deployment that is paused, deleted, unfinished or a single server cannot be written.", acceptable=False,
    ),
    _row(
        "quiet", "warning", "Nothing is being changed on the deployment", _quiet,
        "Wait until the platform shows the deployment as up to date.",
        "Servers are restarted one by one while changes are made, which slows the copy down.",
    ),
    _row(
        "writable", "error", "The platform does not hold the deployment read-only", _readonly,
        "Ask the platform's support why it is read-only.",
        "The platform has a read-only state of its own, which the server's mode does not undo.",
    ),
    _row(
        "permissions", "error", "The API key holds every permission", _permissions,
        "Bind roles to the key's owner: deployment-content-admin, cacertificate-viewer, ipwhitelist-viewer, and "
        "backup-admin for backups.",
        "Without them CA, password or allowlist of the deployment cannot be read, or no backup can be made.",
    ),
    _row(
        "key-writes", "error", "The API key may write where that is wanted", _key_writes,
        "Use an API key that is not read-only, or leave out backup_target and resume_deployment.",
        "A read-only key reads everything but can neither make a backup nor resume a deployment.",
    ),
    _row(
        "key-end", "warning", "The API key does not expire soon", _key_end,
        "Make a new API key that is valid for longer than the migration takes.",
        "New credentials are fetched with it when the password is changed during the migration.",
    ),
    _row(
        "allowlist", "error", "The deployment's allowlist lets the agent in", _allowlist,
        "Add the address of the agent's host to the IP allowlist on the platform, and name it in agent_addresses.",
        "All data comes from the agent's host. Nobody can ask the platform under which address it sees a host.",
    ),
    _row(
        "certificate", "error", "The deployment's CA certificate is valid", _certificate,
        "Rotate the CA certificate on the platform and wait until the deployment is ready.",
        "The deployment's own CA is what connections to it are verified with.",
    ),
    _row(
        "certificate-rotation", "warning", "The deployment's CA certificate is not rotated soon", _certificate_rotation,
        "Rotate it before the migration; or run the same start again when it is rotated, which takes the new one over.",
        "The platform replaces a CA before it expires; the agent then waits until it is given the new one.",
    ),
    _row(
        "expiry", "warning", "The deployment does not expire soon", _expiry,
        "Have the deployment's expiry moved, or choose another deployment.",
        "A trial deployment is deleted when its time is over.",
    ),
    _row(
        "version-end", "warning", "The deployment's version is maintained", _version_end,
        "Upgrade the deployment before the migration.",
        "A version at its end of life is upgraded by the platform by itself, perhaps during the migration.",
    ),
    _row(
        "notifications", "warning", "The platform warns of nothing", _notifications,
        "Look at the deployment's notifications on the platform.",
        "The platform tells there of full disks, of too little memory and of what it is going to do.",
    ),
    _row(
        "disk-locked", "warning", "The size of the disks can be changed", _disk_locked,
        "Wait until it can be changed again, or make sure that the disks are large enough.",
        "After a change the provider allows no other one for hours: a disk that turns out too small stays so.",
    ),
    _row(
        "backup", "error", "The backup that is wanted can be made", _backup,
        "Leave out backup_target or backup_upload; models and tiers differ in what they can have.",
        "The start makes the backup before it overwrites anything, and ends where it cannot.",
    ),
    _row(
        "password", "warning", "The password of root is not changed soon", _password,
        "Nothing has to be done: when the agent waits for the target's credentials, run the same start again.",
        "With rotation the platform changes it every three months; the agent then waits for the new one.",
    ),
    _row(
        "clock", "warning", "The controller's clock and the platform's agree", _clock,
        "Set the controller's clock, by NTP for example.",
        "The ends of keys and certificates, and of backups, are judged by it.",
    ),
    _row(
        "model", "warning", "The deployment's model fits the collections", _model,
        "Choose the model sharded or flexible; or give replication_factor for what has one copy.",
        "The model oneshard fixes one shard for each collection, and both fix two copies or more.",
    ),
)  # fmt: skip
