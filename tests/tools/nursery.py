# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Processes that need not import anything: a nursery does it once, and forks for each of them.

``python -m tests.tools.nursery MODULE [MODULE ...]`` is the nursery: it imports the modules, of which the first has a
``main``. Its standard input is a socket. Each message there is the arguments of a process to be, with the descriptors
of its three standard streams; the answer is its id. It ends when the socket does.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Optional

__all__ = ["Forked", "Nursery"]

_LONGEST = 1 << 18


class Forked:
    """A process that a nursery has forked: a child of that, not of ours."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle = os.pidfd_open(pid)

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within that time."""
        ended = select.poll()
        ended.register(self._handle, select.POLLIN)
        return bool(ended.poll(seconds * 1000))

    def end(self, seconds: float) -> None:
        """SIGTERM, and SIGKILL if that is not obeyed in time; nothing but this can be asked of it afterwards."""
        if self._handle < 0:
            return
        self._send(signal.SIGTERM)
        if not self.wait(seconds):
            self._send(signal.SIGKILL)
            self.wait(seconds)
        os.close(self._handle)
        self._handle = -1

    def _send(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, number)


class Nursery:
    """A nursery as a process below ``directory``; it ends with us."""

    def __init__(
        self, *modules: str, directory: Path, environment: Mapping[str, str], python: str = sys.executable
    ) -> None:
        command = [python, "-m", "tests.tools.nursery", *modules]
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, cwd=directory, env=dict(environment)
            )
        self._lock = threading.Lock()

    def fork(self, arguments: Sequence[str], streams: Sequence[int]) -> Forked:
        """A new process with these standard streams."""
        with self._lock:
            socket.send_fds(self._socket, [json.dumps(list(arguments)).encode()], streams)
            answer = self._socket.recv(64)
            if not answer:
                raise RuntimeError(f"{self._process.args!r} has ended with {self._process.wait()}")
            return Forked(int(answer))

    def close(self) -> None:
        """End the nursery; whoever it has forked should have ended before."""
        self._socket.close()
        self._process.wait()


def _born(asked: socket.socket) -> Optional[list[str]]:
    """Fork for each message: its arguments in the new process, None in the nursery when there are no more."""
    while True:
        message, streams, _flags, _address = socket.recv_fds(asked, _LONGEST, 3)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not message:
            return None
        pid = os.fork()
        if not pid:
            asked.close()
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
        for stream in streams:
            os.close(stream)
        if not pid:
            return list(json.loads(message))
        asked.send(str(pid).encode())


def main(modules: Sequence[str]) -> None:
    """See the module's text."""
    first, *_rest = [importlib.import_module(module) for module in modules]
    gc.freeze()
    try:
        arguments = _born(socket.socket(fileno=os.dup(sys.stdin.fileno())))
    except KeyboardInterrupt:
        return
    if arguments is not None:
        sys.argv = [modules[0], *arguments]
        sys.exit(first.main())


if __name__ == "__main__":
    main(sys.argv[1:])
