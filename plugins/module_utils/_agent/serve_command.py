# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`serve`: the agent in the foreground (for a service manager) or in the background (with a pid file)."""
from __future__ import annotations

import argparse
import os
import pwd
import sys
from pathlib import Path
from typing import Any, Callable

from .._core.errors import CutoverError
from .config import AgentConfig, load_config
from .daemon import ensure_running, fingerprint, shut_down
from .logging_setup import set_up_logging
from .service import serve

OVERRIDES = ("listen_host", "port", "tls_keyfile", "client_ca")


def add_serve(commands: Any) -> argparse.ArgumentParser:
    """The command and its flags."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "serve", help="run the agent", description="run the agent", allow_abbrev=False
    )
    parser.add_argument("--config", type=Path, help="the agent's configuration file (JSON)")
    parser.add_argument("--agent.listen-host", dest="listen_host", help="address to listen on")
    parser.add_argument("--agent.master-port", dest="port", type=int, help="port to listen on")
    parser.add_argument("--agent.keyfile", dest="tls_keyfile", help="certificate and key in one PEM file")
    parser.add_argument("--agent.client-auth-cacert", dest="client_ca", help="CA of accepted client certificates")
    parser.add_argument("--pid-file", type=Path, help="with --background or --shutdown: the agent's pid file")
    parser.add_argument("--log-file", type=Path, help="with --background: where the log goes")
    parser.add_argument("--user", help="when begun as root: the user to run as")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--background", action="store_true", help="make sure that it runs, return once it serves")
    how.add_argument("--shutdown", action="store_true", help="end the agent that holds the pid file")
    return parser


def _needed(arguments: argparse.Namespace, name: str) -> Any:
    value = getattr(arguments, name)
    if value is None:
        raise CutoverError("CUT-AGENT-36", f"--{name.replace('_', '-')} is needed here")
    return value


def _become(name: str) -> None:
    """Give up root for the user `name` and its groups; nothing to do for anybody else."""
    if os.geteuid() != 0:
        return
    try:
        entry = pwd.getpwnam(name)
    except KeyError as error:
        raise CutoverError("CUT-AGENT-36", f"--user: there is no user {name} on this host") from error
    os.initgroups(name, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def runner(config: AgentConfig) -> Callable[[Callable[[], None]], None]:
    """What runs an agent of this configuration until it is told to end."""

    def run(on_ready: Callable[[], None]) -> None:
        set_up_logging(config.log_format)
        serve(config, on_ready)

    return run


def run_serve(arguments: argparse.Namespace) -> int:
    """Run, or see to it that one runs or ends; prints `running`, `started`, `restarted`, `ended` or `not running`."""
    if arguments.shutdown:
        ended = shut_down(_needed(arguments, "pid_file"))
        sys.stdout.write("ended\n" if ended else "not running\n")
        return 0
    if arguments.user is not None:
        _become(arguments.user)
    config_path = _needed(arguments, "config").absolute()
    overrides = {name: getattr(arguments, name) for name in OVERRIDES if getattr(arguments, name) is not None}
    config = load_config(config_path, overrides)
    if not arguments.background:
        runner(config)(lambda: None)
        return 0
    pid_file = _needed(arguments, "pid_file").absolute()
    log_file = _needed(arguments, "log_file").absolute()
    wanted = fingerprint(Path(sys.argv[0]).absolute(), config_path, config)
    sys.stdout.write(ensure_running(pid_file, log_file, wanted, runner(config)) + "\n")
    return 0
