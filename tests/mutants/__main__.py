# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Break each rule of the engine on purpose, in a copy, and see its tests fail (``make mutants``).

``python -m tests.mutants [--jobs N] [--list] [WORD ...]``; words choose mutants whose id or rule holds one of them.
Prints a line per mutant and exits with 1 unless every one is caught.
"""

from __future__ import annotations

import argparse
import contextlib
import queue
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from tests.mutants.mutant import PAIR, Mutant
from tests.mutants.mutants import ALL
from tests.mutants.workshop import Verdict, Workshop

_ROOT = Path(__file__).resolve().parent.parent.parent
_WIDTH = 110
Result = TypeVar("Result")
Outcomes = dict[str, tuple[str, str]]


class Crew:
    """A few workshops and as many threads."""

    def __init__(self, count: int, directory: Path) -> None:
        self._workshops = [Workshop(_ROOT, directory / str(number)) for number in range(count)]
        self._free: queue.Queue[Workshop] = queue.Queue()
        for workshop in self._workshops:
            self._free.put(workshop)
        self._pool = ThreadPoolExecutor(count)
        self.count = count

    def each(self, jobs: Sequence[Callable[[Workshop], Result]], show: Callable[[Result], None]) -> list[Result]:
        """Every job with a workshop of its own for its time; results are shown as they come."""

        def work(job: Callable[[Workshop], Result]) -> Result:
            workshop = self._free.get()
            try:
                result = job(workshop)
            finally:
                self._free.put(workshop)
            show(result)
            return result

        return list(self._pool.map(work, jobs))

    def close(self) -> None:
        """Nothing is to be done any more."""
        for workshop in self._workshops:
            workshop.close()


def baseline(crew: Crew, chosen: Sequence[Mutant]) -> Outcomes:
    """How all their tests end without any defect, slow tests spread evenly."""
    tests = sorted({test for mutant in chosen for test in mutant.tests}, key=lambda test: (PAIR not in test, test))
    shares = [tests[number :: crew.count * 2] for number in range(crew.count * 2)]
    results = crew.each([partial(Workshop.run, tests=share) for share in shares if share], lambda result: None)
    return {test: outcome for result in results for test, outcome in result.items()}


def show(verdict: Verdict) -> None:
    """One line; what is wrong in full."""
    text = verdict.text if verdict.word != "caught" else f"{verdict.mutant.rule} ({verdict.mutant.where})"
    line = f"{verdict.word:9} {verdict.seconds:5.1f} s  {verdict.mutant.id:34} {text}"
    print(line if verdict.word != "caught" else line[: _WIDTH + 40], flush=True)


def main(arguments: Sequence[str]) -> int:
    """See the module's text."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="Deliberate defects and their tests.")
    parser.add_argument("--jobs", type=int, default=3, help="how many at a time (default 3: some only wait)")
    parser.add_argument("--list", action="store_true", help="print the table and try nothing")
    parser.add_argument("words", nargs="*", help="only mutants whose id or rule holds one of these")
    options = parser.parse_args(arguments)
    chosen = [
        mutant for mutant in ALL if not options.words or any(word in mutant.id + mutant.rule for word in options.words)
    ]
    if options.list:
        for mutant in chosen:
            print(f"{mutant.id:34} {mutant.where:28} {mutant.rule}")
        return 0
    scratch = _ROOT / "build" / "mutants"
    scratch.mkdir(parents=True, exist_ok=True)
    count = max(1, min(options.jobs, len(chosen)))
    with (
        tempfile.TemporaryDirectory(prefix="run-", dir=scratch) as directory,
        contextlib.closing(Crew(count, Path(directory))) as crew,
    ):
        return _try_all(crew, chosen)


def _try_all(crew: Crew, chosen: Sequence[Mutant]) -> int:
    began = time.monotonic()
    sound = baseline(crew, chosen)
    print(f"{len(sound)} tests of {len(chosen)} mutants tried without a defect ({time.monotonic() - began:.0f} s)")
    verdicts = crew.each([partial(Workshop.judge, mutant=one, sound=sound) for one in _slow_first(chosen)], show)
    caught = sum(verdict.word == "caught" for verdict in verdicts)
    print(f"{caught} of {len(verdicts)} mutants are caught ({time.monotonic() - began:.0f} s)")
    return 0 if caught == len(verdicts) else 1


def _slow_first(chosen: Sequence[Mutant]) -> list[Mutant]:
    return sorted(chosen, key=lambda mutant: not any(PAIR in test for test in mutant.tests))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
