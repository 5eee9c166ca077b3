# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Many runs: ``python -m tests.soak --runs 25 --seed 0 --jobs 2``; run number n has the seed plus n."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.build_agent import build
from tests.e2e.variants import table
from tests.soak.draw import Scenario, draw_scenario
from tests.soak.kinds import KINDS
from tests.soak.log import IMPOSSIBLE

ROOT = Path(__file__).resolve().parents[2]
DIRECTORY = ROOT / "build" / "soak"
LONGEST = 900.0  # seconds: whoever takes longer hangs


@dataclass(frozen=True)
class Result:
    """One run: what was wrong, how long (s) it took, and how many of its faults were not possible there."""

    scenario: Scenario
    wrong: list[str]
    seconds: float
    peak_rss: int
    impossible: int


def main() -> int:
    """Run them, print a line each and a table; 0 when all were good."""
    options = arguments()
    if options.kinds:
        print(switches())
        return 0
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    DIRECTORY.mkdir(parents=True)
    archive = build(DIRECTORY / "cutover-agent.pyz")
    seeds = range(options.seed, options.seed + options.runs)
    with ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda seed: one_run(seed, archive, options), seeds))
    print(summary(results))
    failed = [result for result in results if result.wrong]
    for result in failed:
        again = replay(result.scenario.seed, options.only, options.agents)
        print(f"FAILED: {again}   logs: build/soak/{result.scenario.seed}/")
        print(wrongs(result))
    return 1 if failed else 0


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--runs", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", default="", help="names of fault classes, joined by commas: nothing else is drawn")
    parser.add_argument("--agents", type=int, default=1, help="how many share each migration (1)")
    parser.add_argument("--keep", action="store_true", help="keep what good runs leave, too")
    parser.add_argument("--kinds", action="store_true", help="print the fault classes and whether they are switched on")
    options = parser.parse_args()
    unknown = [name for name in filter(None, options.only.split(",")) if name not in KINDS]
    if unknown:
        parser.error(f"--only {','.join(unknown)}: expecting some of {', '.join(KINDS)}")
    return options


def replay(seed: int, only: str, agents: int = 1) -> str:
    """The command that does a run again."""
    named = {"AGENTS": str(agents) if agents > 1 else "", "ONLY": only}
    return " ".join([f"make soak RUNS=1 SEED={seed}", *(f"{name}={value}" for name, value in named.items() if value)])


def one_run(seed: int, archive: Path, options: argparse.Namespace) -> Result:
    """One run in a session of its own, of which nothing may be left afterwards."""
    only = tuple(filter(None, options.only.split(",")))
    scenario = draw_scenario(seed, only, options.agents)
    home = DIRECTORY / str(seed)
    home.mkdir()
    begun = time.monotonic()
    command = [sys.executable, "-m", "tests.soak.run", str(seed), str(home), str(archive), str(options.agents)]
    command += filter(None, [options.only])
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT, start_new_session=True)
        try:
            process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    wrong = verdict(home, process.returncode)
    left = of_session(process.pid)
    for pid in left:
        wrong.append(f"process left: {command_line(pid)}")
        os.kill(pid, signal.SIGKILL)
    impossible = (home / "log").read_text(encoding="utf-8", errors="replace").count(IMPOSSIBLE)
    result = Result(scenario, wrong, time.monotonic() - begun, peak_rss(home), impossible)
    tell(result)
    if not wrong and not options.keep:
        shutil.rmtree(home)
    return result


def verdict(home: Path, status: int) -> list[str]:
    """What the run itself says; one that says nothing has failed."""
    try:
        wrong: list[str] = json.loads((home / "verdict.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return [f"no verdict, exit status {status}"]
    return wrong if wrong or status == 0 else [f"exit status {status}"]


def peak_rss(home: Path) -> int:
    """The largest memory (bytes) of its agents; 0 when the run did not get so far."""
    try:
        return int(json.loads((home / "evidence.json").read_text(encoding="utf-8"))["peak_rss"])
    except (OSError, ValueError, KeyError):
        return 0


def of_session(session: int) -> list[int]:
    """Processes of a session that are still there."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


def command_line(pid: int) -> str:
    """How a process was started."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        return "gone by now"


def tell(result: Result) -> None:
    """One line, and what was wrong."""
    how = "WRONG" if result.wrong else "fine"
    print(f"seed {result.scenario.seed}: {how} in {result.seconds:.0f} s: {result.scenario}", flush=True)
    if result.wrong:
        print(wrongs(result), flush=True)


def wrongs(result: Result) -> str:
    """What was wrong; once more after the summary, too: long output is often kept by its end alone."""
    return "\n".join("    " + text.strip().replace("\n", "\n    ")[:4000] for text in result.wrong)


def summary(results: list[Result]) -> str:
    """How often what was met, and what it cost."""
    met = Counter(name for result in results for name in {fault.kind for fault in result.scenario.faults})
    failed = Counter(
        name for result in results if result.wrong for name in {fault.kind for fault in result.scenario.faults}
    )
    endings = Counter(result.scenario.ending for result in results)
    lines = ["", "fault classes, in how many runs each was met (and how many of those failed):"]
    for name, kind in KINDS.items():
        off = f"  off: {kind.off}" if kind.off else ""
        lines.append(f"  {name:<28} {met[name]:>4} ({failed[name]}){off}")
    lines.append(table(result.scenario.variants for result in results))
    seconds = [result.seconds for result in results]
    lines.append(
        f"{sum(result.impossible for result in results)} of {sum(len(result.scenario.faults) for result in results)} "
        "faults were not possible where they were drawn"
    )
    lines.append(
        f"{len(results)} runs: {sum(not result.wrong for result in results)} good; {dict(endings)}; "
        f"{sum(seconds) / max(1, len(seconds)):.0f} s on average, {max(seconds, default=0):.0f} s at most; "
        f"agents had {max((result.peak_rss for result in results), default=0) / 1e6:.0f} MB at most"
    )
    return "\n".join(lines)


def switches() -> str:
    """The switch table."""
    return "\n".join(f"{name:<28} {'off: ' + kind.off if kind.off else 'on'}" for name, kind in KINDS.items())


if __name__ == "__main__":
    sys.exit(main())
