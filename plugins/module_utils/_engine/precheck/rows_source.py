# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prechecks of the way to the source and of its servers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Optional

from ..._core.errors import ArangoError, CutoverError
from .context import Context
from .outcome import BlockedError, Outcome, Row, bad, good, listed, unknown

# Codes that say where a try to reach a server ended; the rows before the one that reports it have then passed.
UNREACHABLE = frozenset({"CUT-HTTP-1", "CUT-HTTP-3", "CUT-HTTP-4", "CUT-HTTP-5", "CUT-HTTP-9", "CUT-HTTP-10"})
CERTIFICATE = frozenset({"CUT-HTTP-2"})
NOT_ALLOWED = frozenset({"CUT-TOPO-1", "CUT-TOPO-2", "CUT-TOPO-3"})


def errors_by_code(tries: Iterable[tuple[str, Optional[CutoverError]]], codes: frozenset[str]) -> dict[str, str]:
    """Messages of those tries that ended with one of the codes, by name."""
    return {name: error.message for name, error in tries if error is not None and error.code in codes}


def refused_credentials(error: Optional[CutoverError]) -> bool:
    """Whether a server answered that it does not take the credentials."""
    return isinstance(error, ArangoError) and error.status == 401


def _seeds(context: Context) -> list[tuple[str, Optional[CutoverError]]]:
    return [(seed.endpoint.url, seed.error) for seed in context.source.seeds()]


def _reachable(context: Context) -> Outcome:
    failed = errors_by_code(_seeds(context), UNREACHABLE)
    if failed:
        return bad(f"source_endpoints: {listed(list(failed.values()))}", unreachable=failed)
    return good("every named source endpoint can be reached", endpoints=[name for name, _error in _seeds(context)])


def _certificate(context: Context) -> Outcome:
    failed = errors_by_code(_seeds(context), CERTIFICATE)
    if failed:
        return bad(f"source_ca_path: {listed(list(failed.values()))}", endpoints=failed)
    return good("the certificates of the named source endpoints verify")


def _jwt(context: Context) -> Outcome:
    seeds = context.source.seeds()
    refused = [seed for seed in seeds if refused_credentials(seed.error)]
    if not refused:
        if all(seed.error is not None and seed.error.code in UNREACHABLE | CERTIFICATE for seed in seeds):
            raise BlockedError("no source endpoint answers")
        return good("the source accepts tokens made with the JWT secret")
    urls = [seed.endpoint.url for seed in refused]
    if context.source.long_token_accepted(refused[0].endpoint):
        return bad(
            f"{listed(urls)} accepts the JWT secret but not short-lived tokens: the clocks differ too much",
            remedy="Set the clocks of this host and of the source's servers (NTP).",
            endpoints=urls,
        )
    return bad(f"source_jwt_secret_path: {listed(urls)} refuses tokens made with this JWT secret", endpoints=urls)


def _cluster(context: Context) -> Outcome:
    seeds = context.source.seeds()
    single = [seed.endpoint.url for seed in seeds if seed.error is not None and seed.error.code == "CUT-TOPO-4"]
    if single:
        return bad(
            f"source_endpoints: {listed(single)} is a single server or an active failover pair, not a cluster",
            endpoints=single,
        )
    wrong = {seed.endpoint.url: seed.error.message for seed in seeds if seed.error and seed.error.code == "CUT-TOPO-6"}
    if wrong:
        return bad(listed(list(wrong.values())), remedy="Name coordinators in source_endpoints.", endpoints=wrong)
    others = {
        seed.endpoint.url: seed.error
        for seed in seeds
        if seed.error is not None
        and seed.error.code not in UNREACHABLE | CERTIFICATE
        and not refused_credentials(seed.error)
    }
    if others:
        messages = {url: error.message for url, error in others.items()}
        remedy = next(iter(others.values())).remedy
        return bad(f"source_endpoints: {listed(list(messages.values()))}", remedy=remedy, endpoints=messages)
    context.source.coordinators()
    return good("the named source endpoints are coordinators of a cluster")


def _all_good(context: Context) -> Outcome:
    members = context.source.health()[0]
    wrong = {one.id: one.status for one in members if one.role in ("coordinator", "dbserver") and one.status != "GOOD"}
    if wrong:
        return bad(f"not GOOD: {listed([f'{name} is {status}' for name, status in wrong.items()])}", servers=wrong)
    counts = {role: len(context.source.members(role)) for role in ("coordinator", "dbserver", "agent")}
    if not counts["dbserver"]:
        return bad("the health document names no DB-Server", servers=counts)
    return good("every coordinator and DB-Server of the source is GOOD", **counts)


def _tries(context: Context) -> list[tuple[str, Optional[CutoverError]]]:
    return [(name, reached.error) for name, reached in context.source.servers().items()]


def _servers_allowed(context: Context) -> Outcome:
    failed = errors_by_code(_tries(context), NOT_ALLOWED)
    if failed:
        return bad(listed(list(failed.values())), servers=failed)
    return good("tokens may be sent to every server of the source", servers=sorted(context.source.servers()))


def _servers_reachable(context: Context) -> Outcome:
    failed = errors_by_code(_tries(context), UNREACHABLE | CERTIFICATE)
    if context.resuming:
        # One that the cluster itself has given up is no question of the way to it.
        given_up = {member.id for member in context.source.health()[0] if member.status != "GOOD"}
        failed = {name: message for name, message in failed.items() if name not in given_up}
    if failed:
        return bad(f"not every server can be reached from here: {listed(list(failed.values()))}", servers=failed)
    return good("every coordinator and DB-Server of the source can be reached from here")


def _servers_identity(context: Context) -> Outcome:
    known = UNREACHABLE | CERTIFICATE | NOT_ALLOWED
    tries = _tries(context)
    failed = {
        name: error.message
        for name, error in tries
        if error is not None and error.code not in known and not refused_credentials(error)
    }
    if failed:
        return bad(listed(list(failed.values())), servers=failed)
    return good("every server is the one that the health document says")


def _servers_jwt(context: Context) -> Outcome:
    refused = [name for name, error in _tries(context) if refused_credentials(error)]
    if refused:
        return bad(f"{listed(refused)} refuses tokens made with the JWT secret", servers=refused)
    return good("every server of the source accepts tokens made with the JWT secret")


def _mode(context: Context) -> Outcome:
    answers = context.source.modes()
    failed = [name for name, result in answers.items() if result.error is not None]
    if failed:
        return unknown(f"no server mode from {listed(failed)}", servers=failed)
    modes = {name: str(result.get()["mode"]) for name, result in answers.items()}
    readonly = sorted(name for name, mode in modes.items() if mode == "readonly")
    if not readonly:
        return good("the source takes writes", modes=modes)
    if len(readonly) == len(modes):
        return good("the source is read-only already; it is kept as found, also after a way back", modes=modes)
    return bad(f"servers differ: read-only are only {listed(readonly)}", modes=modes)


def _in_sync(context: Context) -> Outcome:
    return _collections_with(context, "allInSync", "not all replicas are in sync", "all shards are in sync")


def _leaders(context: Context) -> Outcome:
    return _collections_with(context, "isReady", "a leader is not ready", "every shard's leader is ready")


def _collections_with(context: Context, flag: str, wrong: str, right: str) -> Outcome:
    from_inventory = context.collections()
    failed = [one.label for one in from_inventory if one.entry.get(flag) is not True]
    if failed:
        return bad(f"{wrong}: {listed(failed)}", collections=failed[:100])
    return good(right, collections=len(from_inventory))


def _log_readable(context: Context) -> Outcome:
    servers = context.source.dbservers()
    ranges = context.source.ask(servers, "/_api/wal/range", "wal-range")
    ticks = context.source.ask(servers, "/_api/wal/lastTick", "wal-last-tick")
    failed: dict[str, str] = {}
    measured: dict[str, Any] = {}
    for name in servers:
        error = ranges[name].error or ticks[name].error
        if error is not None:
            failed[name] = error.message
            continue
        found, last = ranges[name].get(), ticks[name].get()
        measured[name] = {"from": found["tickMin"], "to": last["tick"], "server_id": found["server"]["serverId"]}
    if failed:
        return bad(f"the write-ahead log cannot be read: {listed(list(failed.values()))}", servers=failed)
    return good("the write-ahead log of every DB-Server can be read", servers=measured)


def _parallel_dump(context: Context) -> Outcome:
    name, answer = context.source.parallel_dump()
    old = "the old dump within a snapshot (a lost answer repeats a shard)"
    how = "the retry-safe parallel dump" if answer.there else old
    return good(f"snapshots are read by {how}", server=name, parallel_dump=answer.there, http_status=answer.status)


def _clock(context: Context) -> Outcome:
    offset = context.source.clock_offset()
    if abs(offset) > 15:
        return bad(f"the source's clock differs from this host's by {offset:+.1f} s", seconds=round(offset, 3))
    return good(f"the source's clock differs by {offset:+.1f} s", seconds=round(offset, 3))


def _license(context: Context) -> Outcome:
    document = context.source.get("/_admin/license")
    status = str(document.get("status") or (document.get("diskUsage") or {}).get("status") or "none")
    if status in ("read-only", "expired"):
        return bad(f"the source's license is {status}", status=status)
    return good("the source's license does not hinder", status=status)


def _tasks(context: Context) -> Outcome:
    if context.source.version() >= (4, 0, 0):
        return good("this version has no tasks")
    tasks = sorted(str(task.get("name") or task.get("id")) for task in context.source.get("/_api/tasks"))
    if tasks:
        return bad(f"scheduled tasks live only in memory and are not migrated: {listed(tasks)}", tasks=tasks[:100])
    return good("there are no scheduled tasks")


ROWS = (
    Row(
        "source-reachable", "source", "error", "Every named source endpoint can be reached", _reachable,
        "Check host, port and firewalls, and that the coordinator runs.", acceptable=False,
        why="The named coordinators are the way into the source; each of them is tried.",
    ),
    Row(
        "source-certificate", "source", "error", "The source's certificates verify", _certificate,
        "Give the CA that signed them as source_ca_path, and use host names that are in the certificates.",
        acceptable=False,
        why="A certificate that does not verify may belong to someone else.",
    ),
    Row(
        "source-jwt", "source", "error", "The source accepts the JWT secret", _jwt,
        "Give the secret file of this very cluster; a copy may be outdated.", acceptable=False,
        why="Snapshots and logs are read from DB-Servers, which know no users, only superuser tokens.",
    ),
    Row(
        "source-cluster", "source", "error", "The source is a cluster", _cluster,
        "Only clusters can be migrated live. For a single server or active failover use arangodump and arangorestore.",
        acceptable=False,
        why="Single servers and active failover pairs have no shards, plan ids and leaders, on which the "
        "whole procedure rests.",
    ),
    Row(
        "source-servers-good", "source", "error", "Every server of the source is GOOD", _all_good,
        "Bring the server back, or remove it from the cluster, before starting.", passing=True,
        why="The log of every DB-Server is read from the first second to the last; one that is away cannot "
        "be read.",
    ),
    Row(
        "source-servers-allowed", "source", "error", "Every server of the source may be contacted", _servers_allowed,
        "Add the host to allowed_servers, or translate its inner address by endpoint_map.", acceptable=False,
        why="Superuser tokens are sent only to hosts of source_endpoints, endpoint_map or allowed_servers.",
    ),
    Row(
        "source-servers-reachable", "source", "error", "Every server of the source can be reached from here",
        _servers_reachable,
        "Open the firewall from this host to every coordinator and DB-Server, or translate inner addresses by "
        "endpoint_map.", acceptable=False,
        why="The health document names inner addresses; each coordinator and DB-Server is tried from this "
        "host.",
    ),
    Row(
        "source-servers-identity", "source", "error", "Every server of the source is the one it should be",
        _servers_identity, "Correct endpoint_map: two servers are mixed up.", acceptable=False,
        why="Reading the log of another server than believed would lose writes silently.",
    ),
    Row(
        "source-servers-jwt", "source", "error", "Every server of the source accepts the JWT secret", _servers_jwt,
        "Load the same JWT secret on every server (POST /_admin/server/jwt) or restart the one that differs.",
        acceptable=False,
        why="A server with another secret could neither be read nor be set read-only.",
    ),
    Row(
        "source-mode", "source", "warning", "Every server of the source shows the same mode", _mode,
        "Wait until the last change of the mode has reached all servers, or set it again.",
        why="A source that was read-only before stays so, also after a way back; servers that differ are in "
        "the middle of a change.",
    ),
    Row(
        "source-in-sync", "source", "error", "All shards of the source are in sync", _in_sync,
        "Wait until followers have caught up; see the shard distribution in the web interface.", passing=True,
        why="A fail-over to a follower that lags would lose acknowledged writes on the source itself.",
    ),
    Row(
        "source-leaders", "source", "error", "Every shard of the source has a leader that is ready", _leaders,
        "Wait until the fail-over has ended; bring back the server that held the leader.", passing=True,
        why="Only the leader's log counts; a shard without a ready leader cannot be followed.",
    ),
    Row(
        "source-log", "source", "error", "The write-ahead log of every DB-Server can be read", _log_readable,
        "Allow /_api/wal/* on the DB-Servers (no proxy between that blocks it).", acceptable=False,
        why="Everything written after a shard's snapshot comes from the write-ahead log.",
    ),
    Row(
        "source-dump", "source", "info", "How snapshots will be read", _parallel_dump,
        "Nothing has to be done.",
        why="The parallel dump can repeat a lost answer; with the old one a lost answer costs the shard's "
        "copy.",
    ),
    Row(
        "source-clock", "source", "error", "The clocks of this host and of the source agree", _clock,
        "Set the clocks (NTP): tokens live for minutes only.",
        why="Tokens live for minutes: clocks that differ by more make them invalid in the middle of the "
        "migration.",
    ),
    Row(
        "source-license", "source", "warning", "The source's license does not make it read-only", _license,
        "Renew the license, or finish the migration before the source shuts down.",
        why="An expired license makes servers read-only and later stops them.",
    ),
    Row(
        "source-tasks", "source", "warning", "No scheduled tasks are left behind", _tasks,
        "Register the tasks again on the target after the cutover.",
        why="Tasks are not stored by ArangoDB, so nothing can copy them.",
    ),
)  # fmt: skip
