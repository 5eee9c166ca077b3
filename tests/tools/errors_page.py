# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes docs/errors.md from the catalogue of error codes: ``python -m tests.tools.errors_page``."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

from tests.tools.blocks import CODE, anchor
from tests.tree import import_paths

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [path for path in import_paths(ROOT) if path not in sys.path]

from ansible_collections.cutover.arangodb.plugins.module_utils._core.catalogue import ENTRIES  # noqa: E402

PAGE = ROOT / "docs" / "errors.md"
RUNBOOK = ROOT / "docs" / "runbook.md"
KINDS = {
    "transient": "passes by itself, the agent goes on trying",
    "operator": "somebody has to change something",
    "fatal": "this request can never succeed as it is",
}
# What each area is about, and where to look first.
AREAS = {
    "AGENT":
        "The agent's process, configuration and API, and whoever calls it. Look at `systemctl status "
        "cutover-agent`, `journalctl -u cutover-agent`, and at endpoint, CA and token of the caller.",
    "ARANGO":
        "What a server of the source or the target has answered. Look at the server that the message names: "
        "its log, its server mode, its license, the user's grants.",
    "CERT":
        "Certificates and keyfiles, made or given. Look at the file that the message names (`openssl x509 -in "
        "FILE -noout -text`).",
    "CHANGES":
        "The list of what was written on the target since its opening. Look at the state in `status`.",
    "CLEANUP":
        "What an aborted migration leaves on the target. Look at the databases that the message names: "
        "somebody else may have made something there.",
    "CONTROLLER":
        "AWX or the automation controller, and its API. Look at the object that the message names, and at "
        "the permissions of the token.",
    "CUTOVER":
        "A cutover that ended otherwise than with an open target. Look at `last cutover` in `status` and at "
        "its steps: the one that took long or failed names the cause. The source is writable unless the "
        "message says otherwise.",
    "DATA":
        "Copying and following. Look at database, collection and key in the message, at the same document on "
        "both sides, and at `findings` of `migration_info`.",
    "DECISION":
        "The record on the target by which open or way back is decided once. Look whether another agent, the "
        "guard or a rescue was at work.",
    "DISK":
        "The agent's state directory. Look at `df -h` and `ls -la` of `agent_state_directory`.",
    "ENGINE":
        "Something that nobody has foreseen. Look at the agent's log, keep it, and report it.",
    "FENCE":
        "Making the source read-only, or giving it back. Look at `server_mode` of each server (`GET "
        "/_admin/server/mode`) and at long queries and transactions of the source.",
    "FINDING":
        "More findings than are listed. Look at their common cause first.",
    "GATE":
        "Why no cutover begins now. Look at `blocked` in `status`: each line has its own remedy, and most "
        "pass by themselves.",
    "GUARD":
        "The process that gives a fenced source back when the agent cannot. Look at `systemctl status "
        "cutover-guard`.",
    "FLEET":
        "Agents that share one migration. Look at the status of each: `joined` says for which host it copies, and "
        "`workers` of the agent that leads, who copies for it.",
    "HTTP":
        "Connections and answers. Look at the way between agent and server: name, port, certificate, proxy, "
        "load balancer.",
    "JOURNAL":
        "The migration's journal, the collection `_cutover` on the target. Look at the target: does it "
        "answer, can its user write `_system`?",
    "KEYS":
        "Keys that the target makes for new documents. Look at the collections that the message names: "
        "whoever writes there without `_key` is concerned.",
    "LEASE":
        "Which agent owns the migration. Look at `workers` in the status: host and end of the lease.",
    "LOAD":
        "Disks and logs of the source's servers. Look at the free disk of the server that the message names, "
        "and how long the copy still takes.",
    "PLATFORM":
        "The managed platform and its API. Look at the deployment in its console, at the API key's "
        "permissions, and at the platform's own notifications.",
    "PRECHECK":
        "The prechecks. Look at [Prechecks](prechecks.md): each check has a section.",
    "PROOF":
        "Source and target were compared after the fence. Look at the collections that the message names, "
        "with the playbook `verify`.",
    "RESCUE":
        "Giving a fenced source back from another host. Look at the target: if its opening is decided, "
        "applications belong there.",
    "REVOKE":
        "Closing an opened target again. Look at `cutover-agent changes`: what was written there since.",
    "SCHEMA":
        "Databases, collections, indexes, views, analyzers and graphs. Look at the definition of that name on "
        "both sides.",
    "SECRET":
        "The source's JWT secret file. Look at the file on the agent's host: a few dozen bytes of text, mode "
        "0600.",
    "SELECT":
        "What `include`, `exclude`, `number_of_shards` and `rev_policy` ask for. Look at the patterns.",
    "SPEC":
        "Options of the start. Look at the option that the message names.",
    "STATE":
        "What can be asked for in which state. Look at `state` and `allowed_actions` in the status, and at "
        "[the states](concepts.md#states).",
    "TLS":
        "A CA file. Look at the file that the message names (`openssl x509 -in FILE -noout -text`).",
    "TOPO":
        "Servers of the source and how they are reached. Look at `/_admin/cluster/health` of a coordinator, "
        "at `allowed_servers` and at `endpoint_map`.",
    "USER":
        "Users and their grants. Look at the user on both sides (`/_api/user/NAME/database`).",
    "VERIFY":
        "The comparison of both sides while the migration runs. Look at `verification` in the status: round, "
        "age, pending, confirmed, repaired.",
}
HEAD = """\
# Errors and findings

<!-- Generated from plugins/module_utils/_core/catalogue_*.py by `make docs`; do not edit. -->

Every error and every finding has a code, which stands at the end of its message, in `failure.code` of the modules'
results, in `error.code` of the agent's answers, and in the status document. A finding of severity `error` blocks the
cutover until its cause is gone or it was accepted by name (`accept_findings`). For every code: what it means, and what
to do. For every area: where to look first. The [runbook](runbook.md) begins with what you see instead.

| kind | meaning |
|---|---|
"""


def _order(code: str) -> tuple[str, int]:
    area, _, number = code.rpartition("-")
    return area, int(number)


def runbook_sections() -> dict[str, str]:
    """Anchors of the runbook by code: of the section that is about it, else of the first one that lists it."""
    listed: dict[str, str] = {}
    about: dict[str, str] = {}
    here = ""
    for line in RUNBOOK.read_text(encoding="utf-8").splitlines():
        here = anchor(line[3:]) if line.startswith("## ") else here
        for code in CODE.findall(line):
            (listed if line.startswith("|") else about).setdefault(code, here)
    return {**listed, **about}


def page() -> str:
    """The whole page."""
    sections = runbook_sections()
    parts = [HEAD + "\n".join(f"| {kind} | {meaning} |" for kind, meaning in KINDS.items()) + "\n"]
    for area, codes in groupby(sorted(ENTRIES, key=_order), key=lambda code: code.rpartition("-")[0]):
        parts.append(f"## {area}\n\n{AREAS[area.removeprefix('CUT-')]}\n")
        for code in codes:
            entry = ENTRIES[code]
            more = f" More in the [runbook](runbook.md#{sections[code]})." if code in sections else ""
            parts.append(f"### {code}\n\n{entry.title}. ({entry.severity}, {entry.kind})\n\n{entry.remedy}{more}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
