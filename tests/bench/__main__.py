# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`python -m tests.bench`: what the agent costs beside its peers; prints a table and writes build/bench/<name>.json."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator

from tests.bench import apply, cutover, fleet, lag, memory, playbook, precheck, relay, scale, verify
from tests.bench.figures import Figure

BENCHES: dict[str, Callable[[], Iterator[Figure]]] = {
    "relay": lambda: relay.figures(1_000),
    "apply": lambda: apply.figures(1_000_000),
    "verify": lambda: verify.figures(1_000_000),
    "lag": lambda: lag.figures(60),
    "cutover": lambda: cutover.figures(200, 20_000),
    "fleet": lambda: fleet.figures(240),
    "scale": lambda: scale.figures(30),
    "memory": lambda: memory.figures(1_000, 500),
    "playbook": playbook.figures,
    "precheck": lambda: precheck.figures(1_000),
}


def main() -> int:
    """Measure what was asked for; 1 when something could not be measured. A goal that is missed is only told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which of {', '.join(BENCHES)} (default: all)")
    names = parser.parse_args().names or list(BENCHES)
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; allowed: {', '.join(BENCHES)}")
    found: list[Figure] = []
    fine = True
    for name in names:
        begun = time.monotonic()
        print(f"== {name}", flush=True)
        try:
            for figure in BENCHES[name]():
                figure.write()
                found.append(figure)
                print(figure.line(), flush=True)
                print(f"  {figure.conditions}", flush=True)
        except Exception as error:  # noqa: BLE001  (one that fails must not hide the others)
            print(f"{name} could not be measured: {type(error).__name__}: {error}", flush=True)
            fine = False
        print(f"  ({time.monotonic() - begun:.0f} s)", flush=True)
    print("\n".join(["", *(figure.line() for figure in found)]))
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
