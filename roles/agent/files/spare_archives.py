# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Archives of the agent that nothing on this host needs any more: the path of one in each line.

The role asks once the agent runs. What stays: the archive in use, the newest of the others to go back to, and whatever
a unit or a process of another instance names. Arguments: directory of the archives, name of the one in use, directory
of the units.
"""
from __future__ import annotations

import contextlib
import glob
import os
import sys


def named(units: str) -> bytes:
    """What units and processes say; those that end meanwhile say nothing."""
    said = []
    for path in (*glob.glob(os.path.join(glob.escape(units), "cutover-*.service")), *glob.glob("/proc/[0-9]*/cmdline")):
        with contextlib.suppress(OSError), open(path, "rb") as stream:
            said.append(stream.read())
    return b"\n".join(said)


def main(directory: str, current: str, units: str) -> None:
    """Write what may go."""
    archives = glob.glob(os.path.join(glob.escape(directory), "cutover-agent-*.pyz"))
    others = sorted((path for path in archives if os.path.basename(path) != current), key=os.path.getmtime)
    said = named(units) if len(others) > 1 else b""
    spare = [path for path in others[:-1] if os.path.basename(path).encode() not in said]
    sys.stdout.write("\n".join(spare))


if __name__ == "__main__":
    main(*sys.argv[1:])
