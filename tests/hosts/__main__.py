# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`python -m tests.hosts`: makes the network and the bases, then runs the tests inside the controller's namespace."""

from __future__ import annotations

import subprocess
import sys

from tests.hosts import machines


def main() -> int:
    """The tests' own status; 0 with a plain word where hosts cannot be had."""
    why = machines.missing()
    if why is not None:
        print(f"hosts-test: SKIPPED: {why}")
        return 0
    for suite in machines.SUITES:
        machines.base(suite)
    machines.make_network()
    try:
        # Not `ip netns exec`: it would hide the cgroups from the tests.
        inside = ["nsenter", f"--net=/run/netns/{machines.NAMESPACE}", sys.executable, "-m", "pytest", "-q"]
        return subprocess.run([*inside, "tests/hosts", *sys.argv[1:]], check=False).returncode
    finally:
        machines.remove_network()


if __name__ == "__main__":
    sys.exit(main())
