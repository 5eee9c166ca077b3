# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A background agent without a service manager: a locked pid file, and a start that waits until it serves.

The lock is the truth about whether an agent runs; the file's content says which process and which build it is.
"""
from __future__ import annotations

import fcntl
import hashlib
import json
import os
import select
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any, Callable, Optional

from .._core.errors import CutoverError
from .config import AgentConfig

START_TIMEOUT = 90.0
END_TIMEOUT = 30.0
POLL = 0.05


def fingerprint(archive: Path, config_path: Path, config: AgentConfig) -> str:
    """Digest of all that a restart would read anew: archive, configuration, certificates, the webhook's secret."""
    digest = hashlib.sha256()
    webhook = () if config.webhook is None else (config.webhook.secret_path, config.webhook.ca)
    for path in (archive, config_path, config.tls_keyfile, config.client_ca, *webhook):
        if path is None or not path.is_file():
            digest.update(b"\0absent")
            continue
        digest.update(b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _open_locked(pid_file: Path) -> tuple[int, bool]:
    """The open pid file and whether we hold its lock now."""
    try:
        handle = os.open(pid_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CutoverError("CUT-AGENT-7", f"pid file {pid_file}: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return handle, False
    return handle, True


def _content(handle: int) -> dict[str, Any]:
    try:
        document = json.loads(os.pread(handle, 4096, 0))
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def shut_down(pid_file: Path) -> bool:
    """End the agent that holds the pid file and wait for it; False when none runs. Raises CUT-AGENT-8."""
    if not pid_file.exists():
        return False
    handle, free = _open_locked(pid_file)
    try:
        if free:
            return False
        pid = _content(handle).get("pid")
        if not isinstance(pid, int):
            raise CutoverError("CUT-AGENT-8", f"pid file {pid_file} is in use but names no process")
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + END_TIMEOUT
        while time.monotonic() < deadline:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                time.sleep(POLL)
        raise CutoverError("CUT-AGENT-8", f"process {pid} did not end within {END_TIMEOUT:g} s of SIGTERM")
    except ProcessLookupError:
        return True
    finally:
        os.close(handle)


def ensure_running(pid_file: Path, log_file: Path, wanted: str, run: Callable[[Callable[[], None]], None]) -> str:
    """`running` (nothing done), `started` or `restarted` once the agent serves; raises CUT-AGENT-7 with its reason.

    `run(on_ready)` is the agent; it is called in the background process.
    """
    handle, free = _open_locked(pid_file)
    outcome = "started"
    if not free:
        same = _content(handle).get("fingerprint") == wanted
        os.close(handle)
        if same:
            return "running"
        shut_down(pid_file)
        outcome = "restarted"
        handle, free = _open_locked(pid_file)
        if not free:
            raise CutoverError("CUT-AGENT-7", f"pid file {pid_file}: another agent was started meanwhile")
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receive)
        _become_daemon(handle, _Word(send), log_file, wanted, run)
    os.close(send)
    os.close(handle)
    os.waitpid(child, 0)
    _await_ready(receive, log_file)
    return outcome


def _await_ready(receive: int, log_file: Path) -> None:
    """Read the background process's word: `ready`, or an error as JSON, or nothing when it died."""
    deadline = time.monotonic() + START_TIMEOUT
    word = b""
    with os.fdopen(receive, "rb", buffering=0) as channel:
        while time.monotonic() < deadline:
            readable = select.select([channel], [], [], max(0.0, deadline - time.monotonic()))[0]
            part = channel.read(65536) if readable else b""
            if not part:
                break
            word += part
            if word == b"ready":
                return
    if word:
        error = json.loads(word)
        raise CutoverError(error["code"], error["message"], remedy=error["remedy"], details=error["details"])
    raise CutoverError("CUT-AGENT-7", f"the agent was not ready within {START_TIMEOUT:g} s; see {log_file}")


class _Word:
    """Tells the waiting starter one thing, once: afterwards its descriptor may belong to something else."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: Optional[int] = descriptor

    def say(self, word: bytes) -> None:
        """Send `word` if nothing was sent yet."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        try:
            os.write(descriptor, word)
        except BrokenPipeError:
            sys.stderr.write("nobody waits for the start any more\n")
        os.close(descriptor)


def _become_daemon(
    handle: int, word: _Word, log_file: Path, wanted: str, run: Callable[[Callable[[], None]], None]
) -> None:
    """Leave session and terminal, then be the agent; never returns."""
    status = 1
    try:
        os.setsid()
        if os.fork() > 0:
            os._exit(0)
        os.umask(0o077)
        os.chdir("/")
        _redirect(log_file)
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps({"pid": os.getpid(), "fingerprint": wanted}).encode(), 0)
        run(lambda: word.say(b"ready"))
        os.ftruncate(handle, 0)
        status = 0
    except CutoverError as error:
        sys.stderr.write(f"{error}\n")
        word.say(json.dumps(error.as_dict()).encode())
    finally:
        if sys.exc_info()[0] is not None:
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(status)


def _redirect(log_file: Path) -> None:
    """Standard input from nowhere, output and errors to the log file."""
    source = os.open(os.devnull, os.O_RDONLY)
    sink = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    for number, descriptor in ((0, source), (1, sink), (2, sink)):
        os.dup2(descriptor, number)
