# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two locks in the state directory that end with their process: who is the agent, and whether a guard lives."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time
from pathlib import Path
from typing import Optional

from .._core.clock import Deadline
from .._core.errors import CutoverError

ENGINE_LOCK = "engine.lock"
GUARD_LOCK = "guard.lock"
# A guard that is stopped holds its lock, too: it also has to show a sign of life, in seconds.
_SIGN_SECONDS = 60.0
_POLL_SECONDS = 0.05


def take(path: Path) -> Optional[int]:
    """An open descriptor that holds the lock, with this process's id in the file; None while another holds it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode("ascii"), 0)
    return descriptor


def holder(path: Path) -> Optional[int]:
    """The process id that the lock's holder wrote; None where there is none."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def guard_lives(directory: Path) -> bool:
    """Whether a guard of this state directory holds its lock and has shown a sign of life lately."""
    path = directory / GUARD_LOCK
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if abs(time.time() - os.fstat(descriptor).st_mtime) > _SIGN_SECONDS:
            return False
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def sign_of_life(descriptor: int) -> None:
    """The guard's, at each of its rounds."""
    os.utime(descriptor)


def end_agent(directory: Path, deadline: Deadline, stop: threading.Event) -> int:
    """End the agent's process and keep another one from starting; gives the lock's descriptor, to be closed.

    Raises CUT-GUARD-3 when the agent cannot be ended.
    """
    path = directory / ENGINE_LOCK
    while True:
        descriptor = take(path)
        if descriptor is not None:
            return descriptor
        pid = holder(path)
        problem = "its lock names no process"
        if pid is not None and pid != os.getpid():
            try:
                os.kill(pid, signal.SIGKILL)
                problem = f"process {pid} does not end"
            except OSError as error:
                problem = f"process {pid}: {error.strerror}"
        if deadline.expired or stop.wait(_POLL_SECONDS):
            raise CutoverError("CUT-GUARD-3", f"the agent that uses {directory} cannot be ended: {problem}")
