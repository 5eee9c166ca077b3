# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The part of `python -m tests.hosts` that reaches the hosts: boots one with nothing on it, then runs the tests."""

from __future__ import annotations

import signal
import sys
import tempfile
from pathlib import Path

import pytest

from tests.hosts import machines


def main(arguments: list[str]) -> int:
    """The tests' own status; 0 with a plain word where hosts cannot be booted. SIGTERM ends it as Ctrl-C does."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    why = _without_boot()
    if why is not None:
        print(f"hosts-test: SKIPPED: {why}")
        return 0
    options = [part for item in arguments for part in (("-m", "quick") if item == "--quick" else (item,))]
    return int(pytest.main(["-q", "-rs", "tests/hosts", *options]))


def _without_boot() -> str | None:
    """Why a host with nothing of ours on it does not come up here, None when it does."""
    suite = next(filter(machines.ready, machines.SUITES))
    with tempfile.TemporaryDirectory() as directory, machines.small_disk(Path(directory)) as disk:
        machine = machines.Machine(9, suite, disk / "h9", "")
        try:
            machine.create()
        except (machines.Unavailable, RuntimeError, OSError) as error:
            return f"a host cannot be booted here: {error}"
        finally:
            machine.remove()
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
