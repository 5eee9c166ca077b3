# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prechecks of the host that the agent runs on."""

from __future__ import annotations

import os
import resource
import socket
import sys

from .context import Context
from .outcome import Outcome, Row, bad, gibibytes, good, skipped

_PYTHON = (3, 9)
_SPOOL_LEAST = 2**30
_FILES = 1024


def _python(_context: Context) -> Outcome:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] < _PYTHON:
        return bad(f"Python {version} is too old", version=version)
    return good(f"Python {version}", version=version)


def _existing(path: str) -> str:
    """The path, or the nearest directory above it that exists."""
    path = os.path.abspath(path)
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return path


def _spool(context: Context) -> Outcome:
    directory = context.environment.state_directory
    if directory is None:
        return skipped("the state directory is known on the agent only")
    figures = os.statvfs(_existing(directory))
    free = figures.f_bavail * figures.f_frsize
    if free < _SPOOL_LEAST:
        return bad(f"{directory} has only {gibibytes(free)} free", free=free)
    return good(f"{directory} has {gibibytes(free)} free", free=free)


def _writable(context: Context) -> Outcome:
    directory = context.environment.state_directory
    if directory is None:
        return skipped("the state directory is known on the agent only")
    if not os.access(_existing(directory), os.W_OK | os.X_OK):
        return bad(f"{directory} cannot be written by this user", user_id=os.getuid())
    return good(f"{directory} can be written")


def _open_files(_context: Context) -> Outcome:
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _FILES:
        return bad(f"only {soft} open files are allowed", limit=soft)
    return good("enough open files are allowed", limit=soft)


def _port(context: Context) -> Outcome:
    host, port = context.environment.agent_host, context.environment.agent_port
    if host is None or port is None:
        return skipped("the agent's address is not part of this run")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family[0], socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(family[4])
    except OSError as error:
        return bad(f"the agent cannot listen on {host}:{port}: {error.strerror or error}", host=host, port=port)
    return good(f"{host}:{port} is free", host=host, port=port)


ROWS = (
    Row(
        "agent-python", "agent", "error", "Python is new enough", _python,
        "Install Python 3.9 or newer on the agent's host.", acceptable=False,
        why="The agent uses the standard library of Python 3.9 and newer.",
    ),
    Row(
        "agent-spool", "agent", "error", "There is room for spools", _spool,
        "Free disk space, or put state_directory on a larger file system.",
        why="Writes that arrive while a shard is copied wait on disk; at least 1 GiB must be free.",
    ),
    Row(
        "agent-state", "agent", "warning", "The state directory can be written", _writable,
        "Give the directory to the user that the agent runs as.",
        why="Spools, the re-check queue and the resume position are kept there.",
    ),
    Row(
        "agent-files", "agent", "warning", "Enough open files are allowed", _open_files,
        "Raise the limit (LimitNOFILE in the service).",
        why="Each shard that is being copied has files and connections; 1,024 is the least.",
    ),
    Row(
        "agent-port", "agent", "error", "The agent can listen on its address", _port,
        "Stop what listens there, or choose another port.",
        why="The agent's interface listens there.",
    ),
)  # fmt: skip
