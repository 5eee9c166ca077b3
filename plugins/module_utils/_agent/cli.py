# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The command line: `serve` is the agent, `guard` its dead man's guard, everything else talks to an agent.

Exit codes: 0 fine, 2 usage, 3 not ready or blocked, 4 differences, 5 failed, 6 unreachable.
"""
from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any, Callable, Mapping, Optional, Sequence

from .._core.agent_api import AgentApi, AgentUnreachableError
from .._core.errors import CutoverError, TransportError
from .._engine import report_page
from .._engine.display import (
    change_lines,
    expectation_lines,
    precheck_lines,
    status_lines,
    verification_lines,
)
from .._engine.spec import PRECHECK_OPTIONS, TUNING
from .._engine.spec_values import VERIFICATION_MODES
from .._engine.waiting import Wait, wait_for
from .flags import (
    SOURCE_FIELDS,
    accepted_findings,
    add_agent_flags,
    add_spec_flags,
    agent_endpoint,
    agent_token,
    given,
    specification,
)
from .guard_command import add_guard, run_guard
from .own_agent import add_own_agent_flags, add_secret_flags, ensure_own_agent, set_mode_directly
from .platform_flags import add_platform_flags, require_target, target_fields
from .progress import Progress
from .references import Parser
from .rescue_command import add_rescue, run_rescue, write_ticket
from .serve_command import add_serve, run_serve, runner
from .version import build_info

FINE, USAGE, BLOCKED, DIFFERENT, FAILED, UNREACHABLE = 0, 2, 3, 4, 5, 6
USAGE_AREAS = ("CUT-SPEC", "CUT-SECRET", "CUT-TLS")
USAGE_CODES = ("CUT-AGENT-1", "CUT-AGENT-2", "CUT-AGENT-30", "CUT-AGENT-31", "CUT-AGENT-35", "CUT-AGENT-36",
               "CUT-PLATFORM-1", "CUT-PLATFORM-2", "CUT-PLATFORM-3", "CUT-PLATFORM-4", "CUT-PLATFORM-6",
               "CUT-PLATFORM-7")  # fmt: skip
BLOCKED_AREAS = ("CUT-GATE", "CUT-STATE", "CUT-PRECHECK", "CUT-REVOKE", "CUT-CHANGES", "CUT-RESCUE")
BLOCKED_CODES = ("CUT-GUARD-4", "CUT-PLATFORM-12", "CUT-PLATFORM-13", "CUT-PLATFORM-14", "CUT-PLATFORM-15",
                 "CUT-PLATFORM-16", "CUT-PLATFORM-18", "CUT-AGENT-21", "CUT-AGENT-40", "CUT-AGENT-42",
                 "CUT-AGENT-43")  # fmt: skip
WATCH_FOREVER = 10.0 * 365 * 86400
EXITS = "exit codes: 0 fine, 2 usage, 3 not ready or blocked, 4 differences, 5 failed, 6 unreachable"


def exit_code(error: CutoverError) -> int:
    """The documented exit code for an error."""
    area = error.code.rpartition("-")[0]
    if isinstance(error, (AgentUnreachableError, TransportError)):
        return UNREACHABLE
    if area in BLOCKED_AREAS or error.code in BLOCKED_CODES:
        return BLOCKED
    if area in USAGE_AREAS or error.code in USAGE_CODES:
        return USAGE
    return FAILED


def _write(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _show(arguments: argparse.Namespace, status: Mapping[str, Any]) -> None:
    _write(json.dumps(status, indent=2) if arguments.output == "json" else "\n".join(status_lines(status)))


def _connect(arguments: argparse.Namespace) -> AgentApi:
    return AgentApi.connect(
        agent_endpoint(arguments),
        ca_path=given(arguments, "agent_ca_path"),
        token=agent_token(arguments),
        client_keyfile=given(arguments, "agent_client_keyfile"),
    )


def _wait(
    arguments: argparse.Namespace, api: AgentApi, wait: Wait, before: Optional[Mapping[str, Any]] = None
) -> dict[str, Any]:
    with Progress(arguments.output, sys.stdout) as progress:
        return wait_for(api.status, wait, before=before, on_status=progress)


def _status(arguments: argparse.Namespace) -> int:
    api = _connect(arguments)
    status = api.status()
    require_target(arguments, status)
    if arguments.watch:
        _wait(arguments, api, Wait("completed", WATCH_FOREVER, arguments.interval))
    else:
        _show(arguments, status)
    return FINE


def _request(arguments: argparse.Namespace) -> dict[str, Any]:
    request = specification(arguments)
    return {**request, **target_fields(arguments, request)}


def _start(arguments: argparse.Namespace) -> int:
    if arguments.check_only:
        ensure_own_agent(arguments, runner)
        return _precheck(arguments)
    for name in PRECHECK_OPTIONS:
        if getattr(arguments, name) is not None:
            raise CutoverError("CUT-AGENT-36", f"--{name.replace('_', '-')} needs --check-only")
    request = _request(arguments)
    ensure_own_agent(arguments, runner)
    api = _connect(arguments)
    status = api.start(request)[1]
    if arguments.watch:
        status = _wait(arguments, api, Wait("in_sync", WATCH_FOREVER, arguments.interval))
    _show(arguments, status)
    return FINE


def _stop(arguments: argparse.Namespace) -> int:
    api = _connect(arguments)
    before = api.status()
    require_target(arguments, before)
    if arguments.cleanup and not arguments.abort:
        raise CutoverError("CUT-AGENT-36", "--cleanup needs --abort")
    if arguments.abort:
        api.abort({"cleanup": True} if arguments.cleanup else {})
        wait = Wait("aborted", arguments.wait_timeout)
    else:
        options = {
            "max_downtime": arguments.max_downtime,
            "accept_findings": accepted_findings(arguments),
            "hold_opening": arguments.hold_opening,
        }
        given = {name: value for name, value in options.items() if value is not None}
        if arguments.rescue_file is not None:
            write_ticket(arguments.rescue_file, api.rescue_ticket())
        api.stop(given)
        wait = Wait("fenced" if arguments.hold_opening else "completed", arguments.wait_timeout)
    _show(arguments, _wait(arguments, api, wait, before))
    return FINE


def _release(arguments: argparse.Namespace) -> int:
    api = _connect(arguments)
    before = api.status()
    require_target(arguments, before)
    opens = arguments.to == "open"
    api.release({"open": opens, **({} if arguments.reason is None else {"reason": arguments.reason})})
    wait = Wait("completed" if opens else "given_back", arguments.wait_timeout)
    _show(arguments, _wait(arguments, api, wait, before))
    return FINE


def _rehearse(arguments: argparse.Namespace) -> int:
    api = _connect(arguments)
    before = api.status()
    options = {"fence_seconds": arguments.fence_seconds, "max_downtime": arguments.max_downtime}
    api.rehearse({name: value for name, value in options.items() if value is not None})
    wait = Wait("rehearsed", arguments.wait_timeout)
    status = _wait(arguments, api, wait, before)
    _show(arguments, status)
    if arguments.output != "json":
        _write("\n".join(expectation_lines(status)))
    return FINE


def _revoke(arguments: argparse.Namespace) -> int:
    api = _connect(arguments)
    before = api.status()
    options = {"name": arguments.name, "timeout": arguments.timeout}
    api.revoke({name: value for name, value in options.items() if value is not None})
    wait = Wait("revoked", arguments.wait_timeout)
    _show(arguments, _wait(arguments, api, wait, before))
    return FINE


def _changes(arguments: argparse.Namespace) -> int:
    api = _connect(arguments)
    run = api.begin_changes({} if arguments.timeout is None else {"timeout": arguments.timeout})
    found = _result_of(run, api.changes)
    if arguments.output == "json":
        _write(json.dumps(found, indent=2))
    else:
        _write("\n".join(change_lines(found)))
    return DIFFERENT if found["collections"] or found["definitions"] else FINE


def _verify(arguments: argparse.Namespace) -> int:
    options = {"mode": arguments.mode, "repair": arguments.repair, "timeout": arguments.timeout}
    api = _connect(arguments)
    run = api.begin_verification({name: value for name, value in options.items() if value is not None})
    found = _result_of(run, api.verification)
    _write(json.dumps(found, indent=2) if arguments.output == "json" else "\n".join(verification_lines(found)))
    return FINE if found["equal"] else DIFFERENT


def _result_of(run: dict[str, Any], read: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """Wait for what runs in the agent's background; raises what it ended with."""
    while run["state"] == "running":
        time.sleep(0.3)
        run = read(run["id"])
    if run["state"] == "failed":
        error = run["error"]
        raise CutoverError(error["code"], error["message"], remedy=error["remedy"], details=error["details"])
    return dict(run["result"])


def _report(arguments: argparse.Namespace) -> int:
    report = _connect(arguments).report()
    if report is None:
        raise CutoverError("CUT-AGENT-21", "there is no report: no cutover was made or rehearsed yet")
    _write(report_page.render(report) if arguments.html else json.dumps(report, indent=2))
    return FINE


def _set_server_mode(arguments: argparse.Namespace) -> int:
    answer = set_mode_directly(arguments) or _connect(arguments).set_server_mode(arguments.server_mode)
    if arguments.output == "json":
        _write(json.dumps(answer, indent=2))
    else:
        _write(f"the source is {answer.get('mode')}{'' if answer.get('changed') else ' (it was so before)'}")
    return FINE


def _precheck(arguments: argparse.Namespace) -> int:
    api = _connect(arguments)
    wanted = {name: getattr(arguments, name) for name in PRECHECK_OPTIONS}
    request = {**_request(arguments), **{name: value for name, value in wanted.items() if value is not None}}
    result = _result_of(api.begin_precheck(request), api.precheck)
    if arguments.output == "json":
        _write(json.dumps(result, indent=2))
    else:
        _write("\n".join(precheck_lines(result)))
        _write("passed" if result["passed"] else "not passed")
    return FINE if result["passed"] else BLOCKED


def _limits(arguments: argparse.Namespace) -> int:
    options = {name: value for name, value in specification(arguments).items() if name in TUNING}
    api = _connect(arguments)
    _show(arguments, api.limits(options)[1] if options else api.status())
    return FINE


def build_parser() -> argparse.ArgumentParser:
    """All commands with their flags."""
    about = (__doc__ or "").split("\n", 1)[0]
    parser = Parser(prog="cutover-agent", description=about, epilog=EXITS, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=str(build_info()["version"]))
    commands = parser.add_subparsers(dest="command", required=True)
    add_serve(commands).set_defaults(run=run_serve)
    add_guard(commands).set_defaults(run=run_guard)
    add_rescue(commands).set_defaults(run=run_rescue)
    start = _command(commands, "start", "start a migration", _start)
    add_spec_flags(start)
    add_platform_flags(start, saves_ca=True)
    add_secret_flags(start)
    add_own_agent_flags(start)
    start.add_argument("--check-only", action="store_true", help="run the prechecks and nothing else")
    _precheck_flags(start)
    _watch_flags(start)
    precheck = _command(commands, "precheck", "run the prechecks", _precheck)
    _precheck_flags(precheck)
    add_spec_flags(precheck)
    add_platform_flags(precheck, saves_ca=True)
    status = _command(commands, "status", "show the migration", _status)
    add_platform_flags(status)
    _watch_flags(status)
    stop = _command(commands, "stop", "cut over: fence the source, prove, open the target", _stop)
    add_platform_flags(stop)
    stop.add_argument("--abort", action="store_true", help="end without opening the target")
    stop.add_argument("--cleanup", action="store_true", help="with --abort: remove what was made on the target")
    stop.add_argument("--wait-timeout", type=float, default=3600.0, help="seconds to wait for the end")
    stop.add_argument(
        "--accept-finding", action="append", dest="accept_findings", help="CODE|WHERE|KEY=REASON; may be repeated"
    )
    stop.add_argument("--max-downtime", type=float, help="longest write downtime in seconds")
    stop.add_argument(
        "--hold-opening", action="store_const", const=True,
        help="keep the source fenced and the target closed until the command release; returns when it is fenced",
    )  # fmt: skip
    stop.add_argument("--rescue-file", type=Path, help="keep here what the command rescue needs, mode 0600")
    add_spec_flags(_command(commands, "limits", "change how fast the migration goes", _limits), TUNING)
    _release_command(commands)
    _after_attempt_commands(commands)
    mode = _command(commands, "set-server-mode", "switch the source between readonly and default", _set_server_mode)
    add_spec_flags(mode, SOURCE_FIELDS)
    add_secret_flags(mode)
    mode.add_argument(
        "--source.server-mode", dest="server_mode", required=True, choices=("readonly", "default"), help="the mode"
    )
    return parser


def _precheck_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sample-seconds", type=float, help="seconds of reading the source for the forecast, to 60")
    parser.add_argument(
        "--probe-target", action="store_const", const=True, help="try things in a throw-away database of the target"
    )


def _release_command(commands: Any) -> None:
    release = _command(commands, "release", "let a cutover that holds its opening go on, or have it undone", _release)
    add_platform_flags(release)
    release.add_argument("--to", required=True, choices=("open", "way-back"), help="what the cutover is to do")
    release.add_argument("--reason", help="why, for status and report")
    release.add_argument("--wait-timeout", type=float, default=3600.0, help="seconds to wait for the end")


def _after_attempt_commands(commands: Any) -> None:
    """Rehearsing, and everything about an attempt that was made."""
    rehearse = _command(commands, "rehearse", "do every step of a cutover but the opening, and time it", _rehearse)
    rehearse.add_argument("--fence-seconds", type=float, help="also close the source for writes, at most so long")
    rehearse.add_argument("--max-downtime", type=float, help="longest write downtime in seconds")
    rehearse.add_argument("--wait-timeout", type=float, default=3600.0, help="seconds to wait for the end")
    revoke = _command(commands, "revoke-opening", "close an unwritten target again, give the source back", _revoke)
    revoke.add_argument("--name", required=True, help="name of the migration whose opening is revoked")
    revoke.add_argument("--timeout", type=float, help="seconds for comparing both sides")
    revoke.add_argument("--wait-timeout", type=float, default=3600.0, help="seconds to wait for the end")
    verify = _command(commands, "verify", "compare source and target now", _verify)
    verify.add_argument("--mode", choices=VERIFICATION_MODES, default="keys", help="what is compared")
    verify.add_argument("--repair", action="store_true", help="put right on the target what differs")
    verify.add_argument("--timeout", type=float, help="seconds for reading both sides")
    changes = _command(commands, "changes", "show what was written on the target since its opening", _changes)
    changes.add_argument("--timeout", type=float, help="seconds for reading the target")
    report = _command(commands, "report", "print the report of the last attempt", _report)
    report.add_argument("--html", action="store_true", help="as one page for people, complete in itself")


def _command(commands: Any, name: str, text: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text, epilog=EXITS, allow_abbrev=False
    )
    parser.set_defaults(run=run)
    add_agent_flags(parser)
    return parser


def _watch_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--watch", action="store_true", help="print a line at each change until the end")
    parser.add_argument("--interval", type=float, default=1.0, help="seconds between two looks")


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run one command and return its exit code; errors go to standard error with their remedy."""
    parsed = build_parser().parse_args(arguments)
    try:
        return int(parsed.run(parsed))
    except CutoverError as error:
        sys.stderr.write(f"{error}\n")
        for blocker in error.details.get("blockers") or []:
            sys.stderr.write(f"  blocked: {blocker.get('text')} ({blocker.get('code')}); {blocker.get('remedy')}\n")
        return exit_code(error)
    except KeyboardInterrupt:
        return FINE
