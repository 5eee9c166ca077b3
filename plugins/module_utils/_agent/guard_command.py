# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`guard`: the dead man's guard, a process of its own beside the agent (design §5).

Exit codes: 0 fine, 2 usage, 3 another guard runs, 5 when it ends while the source may be fenced.
"""
from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from .._core.errors import CutoverError
from .._core.jwt import load_secret
from .._engine.guard import Guard, LiveReach, Outcome
from .._engine.guard_lock import GUARD_LOCK, sign_of_life, take
from .config import AgentConfig, load_config
from .logging_setup import set_up_logging
from .notify import Notifier

LOG = logging.getLogger(__name__)
FINE, FAILED = 0, 5
ROUND_SECONDS = 2.0
_LEAST_ROUND = 0.2
_LOCK_TRIES = 20


def add_guard(commands: Any) -> argparse.ArgumentParser:
    """The command and its flags."""
    text = "give a fenced source back when the agent cannot"
    parser: argparse.ArgumentParser = commands.add_parser("guard", help=text, description=text, allow_abbrev=False)
    parser.add_argument("--config", type=Path, required=True, help="the agent's configuration file (JSON)")
    parser.add_argument("--once", action="store_true", help="look once, act if it is time, and end")
    return parser


def run_guard(arguments: argparse.Namespace) -> int:
    """Watch until SIGTERM or SIGINT; with --once print what one look came to."""
    config = load_config(arguments.config.absolute())
    os.umask(0o077)
    set_up_logging(config.log_format)
    load_secret(str(config.source_jwt_secret_path))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_signal: stop.set())
    descriptor = _lock(config, stop)
    try:
        guard = Guard(
            config.state_directory,
            LiveReach(config.state_directory, config.source_jwt_secret_path, stop),
            config.time_scale,
        )
        if arguments.once:
            sys.stdout.write(f"{guard.round().value}\n")
        else:
            _watch(guard, descriptor, max(_LEAST_ROUND, ROUND_SECONDS * config.time_scale), stop)
    finally:
        os.close(descriptor)
    return FINE if guard.alarm is None else FAILED


def _lock(config: AgentConfig, stop: threading.Event) -> int:
    """The guard's lock; an agent that looks whether a guard lives holds it for a moment."""
    for _try in range(_LOCK_TRIES):
        descriptor = take(config.state_directory / GUARD_LOCK)
        if descriptor is not None:
            return descriptor
        if stop.wait(0.05):
            break
    raise CutoverError("CUT-GUARD-4", f"another guard uses the state directory {config.state_directory}")


def _watch(guard: Guard, descriptor: int, pause: float, stop: threading.Event) -> None:
    notifier = Notifier()
    notifier.send(READY="1", STATUS="watching")
    LOG.info("the guard watches")
    last = Outcome.NO_FENCE
    while not stop.is_set():
        sign_of_life(descriptor)
        outcome = guard.round()
        if outcome is not last:
            LOG.info("%s", outcome.value)
            last = outcome
        notifier.send(WATCHDOG="1", STATUS=outcome.value)
        stop.wait(pause)
    notifier.send(STOPPING="1")
