# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`python -m tests.hosts`: makes the bases and the network, then runs `inside` in the controller's namespace.

With --quick only those marked `quick`. Other arguments are pytest's.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.hosts import machines


def main(arguments: list[str]) -> int:
    """The tests' own status; 0 with a plain word where hosts cannot be had."""
    why = machines.missing() or _without_bases()
    if why is not None:
        print(f"hosts-test: SKIPPED: {why}")
        return 0
    machines.make_network()
    try:
        # Not `ip netns exec`: it would hide the cgroups from the tests.
        inside = ["nsenter", f"--net=/run/netns/{machines.NAMESPACE}", sys.executable, "-m", "tests.hosts.inside"]
        with subprocess.Popen([*inside, *arguments]) as child:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: child.terminate())  # it ends its hosts, then the network goes
            return child.wait()
    finally:
        machines.remove_network()


def _without_bases() -> str | None:
    """Make them, two at a time; why there is none, None when there is one. One that cannot be made is named."""
    with ThreadPoolExecutor(2) as pool:
        problems = [problem for problem in pool.map(_problem_with, machines.SUITES) if problem is not None]
    for problem in problems:
        print(f"hosts-test: {problem}", flush=True)
    return None if any(map(machines.ready, machines.SUITES)) else problems[-1]


def _problem_with(suite: str) -> str | None:
    """Why there is no base of this suite, None when it is there."""
    try:
        machines.base(suite)
    except (machines.Unavailable, OSError) as error:
        return f"the base of Debian {suite} cannot be made: {error}"
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
