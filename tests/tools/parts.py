# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The parts of ``make test`` in two lanes: ``python -m tests.tools.parts [--patient PARTS] [--idle PARTS] PART ...``.

Those that watch a clock run one after the other; beside them, and yielding to them, those that only need CPU, of which
idle ones take only what nobody else wants. A lane that has nothing left takes the other's last part. Every part runs as
``make PART``; what it printed is shown as soon as it has ended, and its time and CPU once more at the end.
Exits with 1 unless every part is fine.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

_NICE = 5
_IDLE = 19
_MAKE = ("make", "--no-print-directory")


class Ended(NamedTuple):
    """How a part ended; seconds of the clock, and of the CPU with all its children."""

    part: str
    code: int
    seconds: float
    cpu: float

    def __str__(self) -> str:
        how = "fine" if self.code == 0 else f"FAILED ({self.code})"
        minutes, seconds = divmod(round(self.seconds), 60)
        return f"{self.part:14} {minutes:3} min {seconds:2} s  CPU {self.cpu:5.0f} s  {how}"


class Lanes:
    """Two threads that run what is waiting; ``make`` is the command that makes a part."""

    def __init__(
        self, parts: Sequence[str], patient: Sequence[str], idle: Sequence[str] = (), make: Sequence[str] = _MAKE
    ) -> None:
        self._prompt = deque(part for part in parts if part not in patient)
        self._patient = deque(part for part in parts if part in patient)
        self._idle = idle
        self._make = make
        self._lock = threading.Lock()
        self._running: list[int] = []
        self.ended: list[Ended] = []

    def run(self) -> None:
        """Until every part has ended; those that run are ended first when this is interrupted."""
        lanes = (self._prompt, self._patient), (self._patient, self._prompt)
        threads = [threading.Thread(target=self._lane, args=lane, daemon=True) for lane in lanes]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        except BaseException:
            self._end()
            for thread in threads:
                thread.join()
            raise

    def _lane(self, own: deque[str], other: deque[str]) -> None:
        while True:
            with self._lock:
                if not own and not other:
                    return
                patient = (own if own else other) is self._patient
                part = own.popleft() if own else other.pop()
                print(f"== {part} begins", flush=True)
            self._part(part, (_IDLE if part in self._idle else _NICE) if patient else 0)

    def _part(self, part: str, nice: int) -> None:
        began = time.monotonic()
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            command = ["nice", "-n", str(nice), *self._make, part]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
            self._running.append(process.pid)
            _pid, status, usage = os.wait4(process.pid, 0)
            self._running.remove(process.pid)
            process.returncode = os.waitstatus_to_exitcode(status)
            seconds, cpu = time.monotonic() - began, usage.ru_utime + usage.ru_stime
            output.seek(0)
            with self._lock:
                sys.stdout.writelines(output)
                self.ended.append(Ended(part, process.returncode, seconds, cpu))
                print(f"== {self.ended[-1]}", flush=True)

    def _end(self) -> None:
        with self._lock:
            for parts in (self._prompt, self._patient):
                parts.clear()
        for make in list(self._running):
            os.kill(make, signal.SIGTERM)


def main(arguments: Sequence[str]) -> int:
    """See the module's text."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.parts", description="The parts of make test.")
    parser.add_argument("--patient", default="", help="those that only need CPU, of all that there are")
    parser.add_argument("--idle", default="", help="those of them that take only what nobody else wants")
    parser.add_argument("parts", nargs="+")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    lanes = Lanes(options.parts, options.patient.split(), options.idle.split())
    lanes.run()
    print("\n".join(f"== {one}" for one in lanes.ended))
    fine = {one.part for one in lanes.ended if one.code == 0}
    failed = [part for part in options.parts if part not in fine]
    print(f"make test: {'FAILED: ' + ' '.join(failed) if failed else 'fine'} ({time.monotonic() - began:.0f} s)")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
