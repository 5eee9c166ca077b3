# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prechecks of the way to the target, of its servers and of what is on it already."""

from __future__ import annotations

from typing import Any, Optional

from ..._core.errors import ArangoError, CutoverError
from ..decision import KEY as DECISION
from ..decision import OPENING
from ..packing import ALWAYS
from ..states import COMPLETED
from .context import Context
from .outcome import BlockedError, Outcome, Row, bad, good, listed
from .rows_source import CERTIFICATE, UNREACHABLE, errors_by_code, refused_credentials

_SUPPORTED_FROM = (3, 10)
_COMPRESSED_SINCE = (3, 12, 0)
_BY_DOCUMENTATION = (4, 0)


def _tries(context: Context) -> list[tuple[str, Optional[CutoverError]]]:
    return [(answer.endpoint.url, answer.error) for answer in context.target.answers()]


def _reachable(context: Context) -> Outcome:
    failed = errors_by_code(_tries(context), UNREACHABLE)
    if failed:
        return bad(f"target_endpoints: {listed(list(failed.values()))}", unreachable=failed)
    return good("every named target endpoint can be reached", endpoints=[name for name, _error in _tries(context)])


def _certificate(context: Context) -> Outcome:
    failed = errors_by_code(_tries(context), CERTIFICATE)
    if failed:
        return bad(f"target_ca_path: {listed(list(failed.values()))}", endpoints=failed)
    return good("the certificates of the named target endpoints verify")


def _credentials(context: Context) -> Outcome:
    tries = _tries(context)
    refused = [name for name, error in tries if refused_credentials(error)]
    if refused:
        user = context.spec.target_username
        return bad(f"{listed(refused)} refuses target_username {user} with this target_password", endpoints=refused)
    known = UNREACHABLE | CERTIFICATE
    others = {name: error.message for name, error in tries if error is not None and error.code not in known}
    if others:
        return bad(listed(list(others.values())), endpoints=others, remedy="Correct target_endpoints.")
    if all(error is not None for _name, error in tries):
        raise BlockedError("no target endpoint answers")
    return good("the target accepts user and password", user=context.spec.target_username)


def refused_path(error: ArangoError) -> bool:
    """Whether a front-end or a setting keeps this path from us (facts §9: a provider may block paths)."""
    return error.status in (401, 403, 404, 405, 501)


def _cluster(context: Context) -> Outcome:
    role = context.target.role()
    if role.get("role") != "COORDINATOR" or role.get("mode", "default") != "default":
        name = str(role.get("role", "unknown")).lower()
        return bad(f"target_endpoints: the target is a server of role {name}, not a cluster's coordinator", role=role)
    return good("the target is a cluster")


def _other_cluster(context: Context) -> Outcome:
    source = context.source.health()[1]
    try:
        target = str(context.target.health().get("ClusterId", ""))
    except ArangoError as error:
        if not refused_path(error):
            raise
        # The source shows its id to everyone: what hides its own is another one (a provider's front-end).
        return good("the target does not show its cluster id, the source does", source=source)
    if source and source == target:
        return bad("source and target are the same cluster", cluster_id=source)
    return good("source and target are different clusters", source=source, target=target)


def _good(context: Context) -> Outcome:
    wrong: dict[str, str] = {}
    for role in ("coordinator", "dbserver"):
        for name, entry in context.target.members(role).items():
            if str(entry.get("Status")).upper() != "GOOD":
                wrong[name] = str(entry.get("Status"))
    if wrong:
        return bad(f"not GOOD: {listed([f'{name} is {status}' for name, status in wrong.items()])}", servers=wrong)
    return good("every coordinator and DB-Server of the target is GOOD")


def _level(context: Context) -> Outcome:
    level = context.target.level()
    user = context.spec.target_username
    if level != "rw":
        return bad(f"target_username: {user} has the level {level} on _system, rw is needed", level=level)
    return good(f"{user} may write on _system", level=level)


def _mode(context: Context) -> Outcome:
    mode = context.target.mode()
    if mode != "default":
        return bad(f"the target's server mode is {mode}", mode=mode)
    return good("the target takes writes", mode=mode)


def _license(context: Context) -> Outcome:
    document = context.target.license()
    status = str(document.get("status") or (document.get("diskUsage") or {}).get("status") or "none")
    if status in ("read-only", "expired") or (document.get("diskUsage") or {}).get("limitReached"):
        return bad(f"the target's license is {status}: it refuses writes, or soon will", license=document)
    return good("the target's license does not hinder", status=status)


def _versions(context: Context) -> Outcome:
    source, target = context.source.version(), context.target.version()
    measured = {"source": str(source), "target": str(target)}
    lines = sorted({member.version for member in context.source.health()[0] if member.version})
    if len(lines) > 1:
        return bad(f"the source's servers run different versions: {listed(lines)}", versions=lines, **measured)
    for side, version in (("source", source), ("target", target)):
        if version.line < _SUPPORTED_FROM:
            return bad(f"the {side} runs {version}; 3.10 is the oldest that can be migrated", **measured)
    if target.line < source.line:
        return bad(f"the target runs {target}, which is older than the source's {source}", **measured)
    return good(f"{source} can be migrated to {target}", **measured)


def _by_documentation(context: Context) -> Outcome:
    new = {
        side: str(version)
        for side, version in (("source", context.source.version()), ("target", context.target.version()))
        if version.line >= _BY_DOCUMENTATION
    }
    if new:
        return bad(f"support of 4.x rests on its documentation: {new}", versions=new)
    return good("both versions are known from recorded answers")


def _compress(context: Context) -> Outcome:
    version, policy = context.target.version(), context.spec.compress
    if policy == ALWAYS and tuple(version) < _COMPRESSED_SINCE:
        return bad(f"compress: {version} does not take compressed data", version=str(version))
    return good(f"compress: {policy} is possible", version=str(version))


def _journal(context: Context) -> Outcome:
    record = context.target.journal(DECISION)
    state = str((record or {}).get("state", "none"))
    migration = context.target.journal("migration") or {}
    if COMPLETED in (state, migration.get("state")):
        at = (record or {}).get("completed_at") or migration.get("since") or "an unknown date"
        name = migration.get("id")
        if name is not None and context.spec.replace_completed == name:
            return good(f"replace_completed: the migration {name}, completed at {at}, will be replaced", id=name)
        return bad(f"a migration into this target was completed at {at} (id {name})", completed_at=at, id=name)
    if state == OPENING:
        return bad("a migration into this target has begun to open it and must be finished first", decision=state)
    found = migration.get("state")
    return good(f"an earlier migration is known there: {found}" if found else "no earlier migration", state=found)


def _empty(context: Context) -> Outcome:
    contents = context.target.contents()
    measured: dict[str, Any] = {
        name: {"collections": one.collections, "documents": one.documents} for name, one in contents.items()
    }
    if not contents:
        own = sorted(context.target.own().databases)
        text = f"holds only an unfinished copy of this tool, in {listed(own)}" if own else "is empty"
        return good(f"the target {text}", own=own)
    texts = [
        f"{name} ({one.collections} collections, {'uncounted' if one.documents is None else one.documents} documents)"
        for name, one in contents.items()
    ]
    if context.spec.overwrite_target:
        return good(f"overwrite_target: will be destroyed: {listed(texts, 50)}", databases=measured)
    return bad(f"the target has data and overwrite_target is false: {listed(texts, 50)}", databases=measured)


def _users(context: Context) -> Outcome:
    known = context.source.users() | {"root", context.spec.target_username}
    only = sorted(context.target.foreign_users() - known)
    if not only:
        return good("no user exists only on the target")
    if context.spec.overwrite_target:
        return good(f"overwrite_target: users that will be removed: {listed(only)}", users=only)
    return bad(f"users exist only on the target and could write there before the cutover: {listed(only)}", users=only)


def _own_user(context: Context) -> Outcome:
    user = context.spec.target_username
    if user != "root" and context.spec.users != "skip" and user in context.source.users():
        return bad(f"target_username: {user} exists on the source too and would be replaced while in use", user=user)
    return good("the migrating user is not among those that are copied")


def _clock(context: Context) -> Outcome:
    offset = context.target.clock_offset()
    if abs(offset) > 5:
        return bad(f"the target's clock differs from this host's by {offset:+.1f} s", seconds=round(offset, 3))
    return good(f"the target's clock differs by {offset:+.1f} s", seconds=round(offset, 3))


ROWS = (
    Row(
        "target-reachable", "target", "error", "Every named target endpoint can be reached", _reachable,
        "Check host, port, firewalls and the allowlist of a managed deployment.", acceptable=False,
        why="All data goes through these endpoints; each of them is tried.",
    ),
    Row(
        "target-certificate", "target", "error", "The target's certificates verify", _certificate,
        "Give the CA of the deployment as target_ca_path, and use the host name of its endpoint.", acceptable=False,
        why="A certificate that does not verify may belong to someone else, who would then get all data.",
    ),
    Row(
        "target-credentials", "target", "error", "The target accepts user and password", _credentials,
        "Correct target_username and target_password; a managed root password may have been rotated.",
        acceptable=False,
        why="All writing on the target is done by this user.",
    ),
    Row(
        "target-cluster", "target", "error", "The target is a cluster", _cluster,
        "Give the coordinators of a cluster as target_endpoints.", acceptable=False,
        why="The target must have the same shards as the source.",
    ),
    Row(
        "target-other-cluster", "target", "error", "Source and target are different clusters", _other_cluster,
        "Correct source_endpoints or target_endpoints.", acceptable=False,
        why="A cluster cannot be migrated into itself.",
    ),
    Row(
        "target-good", "target", "error", "Every server of the target is GOOD", _good,
        "Wait until the deployment is healthy (an upgrade or a rotation may be running).",
        why="A target in the middle of an upgrade or a fail-over refuses writes at random.",
    ),
    Row(
        "target-level", "target", "error", "The user may do everything on the target", _level,
        "Use root, or give the user the level rw on _system.", acceptable=False,
        why="Restoring definitions, documents with their revisions, and users needs administrative rights.",
    ),
    Row(
        "target-mode", "target", "error", "The target takes writes", _mode,
        "Set the target's server mode to default: it is written to while migrating.",
        why="The migrating user is refused like any other while the target is read-only.",
    ),
    Row(
        "target-license", "target", "error", "The target's license does not make it read-only", _license,
        "Renew the license or choose a larger deployment.",
        why="A target that becomes read-only in the middle stops the migration.",
    ),
    Row(
        "target-version", "target", "error", "The versions can be migrated", _versions,
        "Upgrade the target at least to the source's version, and all servers of a cluster to one version.",
        why="An older target may not know what the source's version has written.",
    ),
    Row(
        "target-version-new", "target", "warning", "Both versions are known well", _by_documentation,
        "Rehearse with a copy first.",
        why="Behaviour of 4.x was read in its documentation, not seen in recorded answers.",
    ),
    Row(
        "target-compress", "target", "error", "The target takes data in the wanted form", _compress,
        "Set compress to auto or never, or choose a target of 3.12 or newer.", acceptable=False,
        why="Before 3.12 a server takes a compressed request for a broken one.",
    ),
    Row(
        "target-journal", "target", "error", "No migration into this target was completed before", _journal,
        "Nothing has to be migrated. To do it again on purpose, use another target, or set overwrite_target: true and "
        "replace_completed to the id that the message names: everything on the target is destroyed then.",
        acceptable=False,
        why="What was completed is known for ever: starting again would overwrite what applications have "
        "written since.",
    ),
    Row(
        "target-empty", "target", "error", "The target is empty, or may be overwritten", _empty,
        "Use an empty target, or set overwrite_target: true to destroy what the message lists.", acceptable=False,
        why="What is on the target would be mixed with the copy or lost; nothing is destroyed without "
        "overwrite_target.",
    ),
    Row(
        "target-users", "target", "error", "No user exists only on the target", _users,
        "Remove those users or make them read-only, or accept target-users with a reason.",
        why="The target stays closed until the proof has passed; a user who is not copied would still have "
        "his rights there.",
    ),
    Row(
        "target-own-user", "target", "error", "The migrating user is not one that is copied", _own_user,
        "Use root, or a user that exists only on the target.", acceptable=False,
        why="Copied users are inactive until the opening: the migrating user would lock himself out.",
    ),
    Row(
        "target-clock", "target", "warning", "The clocks of this host and of the target agree", _clock,
        "Set the clocks (NTP): new revisions on the target should be newer than the migrated ones.",
        why="A target whose clock is behind would give new documents older revisions than the migrated ones.",
    ),
)  # fmt: skip
