# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One run in a process of its own: ``python -m tests.soak.run SEED DIRECTORY ARCHIVE AGENTS [KIND,…]``; 0 after a good
one.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from tests.e2e.agent import Refused, Status
from tests.soak.draw import Planned, Scenario, draw_scenario
from tests.soak.faults import FAULTS
from tests.soak.judge import Evidence, as_dict, gather, judge
from tests.soak.kinds import COPY, CUTOVER, RUNNING
from tests.soak.log import IMPOSSIBLE, say
from tests.soak.world import World, brief, threads

__all__ = ["Course", "main"]

ATTEMPTS = 4
ON_TARGET_FOR = 0.7
ASK_AGAIN = 15.0  # seconds


class Phase(threading.Thread):
    """The faults of one phase, each at its time and taken back at its end.

    One that waits for something, as a take-over does, does not keep the others from ending.
    """

    def __init__(self, world: World, faults: list[Planned]) -> None:
        super().__init__(name="faults", daemon=True)
        self._world = world
        self._steps: list[tuple[float, int, Callable[[], None]]] = []
        self._undo: dict[int, Callable[[], object]] = {}
        self._faults = faults
        self._begun = 0.0
        self.errors: list[str] = []
        for number, fault in enumerate(faults):
            self._steps.append((fault.at, number, lambda number=number, fault=fault: self._begin(number, fault)))
            self._steps.append((fault.at + fault.lasts, number, lambda number=number: self._end(number)))

    def run(self) -> None:
        """Do everything in order; what cannot be done here is said and left out."""
        self._begun = time.monotonic()
        self._world.meanwhile = self._end_what_is_due
        for at, _number, step in sorted(self._steps, key=lambda one: one[:2]):
            time.sleep(max(0.0, self._begun + at - time.monotonic()))
            try:
                step()
            except RuntimeError as error:
                if "the agent is not ready" in str(error):
                    self.errors.append(str(error))
                say(f"{IMPOSSIBLE}: {str(error)[:300]}")
            except Exception as error:  # noqa: BLE001  (the run fails by it)
                self.errors.append(f"{type(error).__name__}: {error}")
                say(f"a fault could not be made: {self.errors[-1]}")

    def _begin(self, number: int, fault: Planned) -> None:
        say(f"fault {fault}")
        undo = FAULTS[fault.kind](self._world, dict(fault.fields))
        if undo is not None:
            self._undo[number] = undo

    def _end_what_is_due(self) -> None:
        for number in list(self._undo):
            fault = self._faults[number]
            if self._begun + fault.at + fault.lasts <= time.monotonic():
                self._end(number)

    def _end(self, number: int) -> None:
        undo = self._undo.pop(number, None)
        if undo is not None:
            say(f"fault {number} ends")
            undo()

    def finish(self) -> None:
        """Wait for the last one."""
        self.join()
        if self.errors:
            raise AssertionError(f"faults: {self.errors}")


def in_sync(status: Status) -> bool:
    """Whether every shard is in sync."""
    shards = status["shards"]
    return bool(status["state"] == "running" and 0 < shards["total"] == shards["in_sync"])


class Course:
    """A run from its start to the end that was drawn."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._scenario = world.scenario

    def phase(self, name: str) -> Phase:
        """Begin the faults of a phase."""
        phase = Phase(self._world, [fault for fault in self._scenario.faults if fault.phase == name])
        phase.start()
        return phase

    def go(self) -> Evidence:
        """Everything; returns what is to be judged."""
        world = self._world
        world.prepare()
        say("the clusters are filled, users write")
        world.start_migration()
        copying = self.phase(COPY)
        if self._scenario.ending == "abort" and self._scenario.abort_in == "copying":
            copying.finish()
            return self._abort()
        copying.finish()
        world.workload.truncate()
        world.wait("every shard in sync", in_sync)
        say("in sync")
        running = self.phase(RUNNING)
        world.workload.truncate()
        running.finish()
        if self._scenario.ending == "abort":
            return self._abort()
        self._cut_over()
        return self._after_opening()

    def _abort(self) -> Evidence:
        world = self._world
        say("abort")
        self._ask("abort", "aborted")
        state = str(world.wait("aborted", lambda status: status["state"] == "aborted")["state"])
        accepted = world.workload.record.writes["source"]
        deadline = time.monotonic() + 30
        while world.workload.record.writes["source"] == accepted and time.monotonic() < deadline:
            time.sleep(0.1)
        stuck = world.workload.record.writes["source"] == accepted
        evidence = self._end(state)
        if stuck:
            evidence.users_refused_by_source = "the source takes no writes after an abort"
        return evidence

    def _ask(self, action: str, done: str, **fields: object) -> None:
        """Give an order until it is taken, or needless."""
        world = self._world
        deadline = time.monotonic() + 90
        while True:
            try:
                world.agent.call("POST", f"/v1/migration/{action}", fields or None)
                return
            except (Refused, OSError, ValueError) as error:
                status = world.status()
                if status is not None and status["state"] == done:
                    return
                if time.monotonic() > deadline:
                    raise AssertionError(f"{action} is not taken: {error}; {brief(status)}") from error
                say(f"{action} refused for now: {str(error)[:300]}")
            time.sleep(0.5)

    def _cut_over(self) -> None:
        """Until it succeeds: a cutover that takes the way back has to leave a source that takes writes."""
        world = self._world
        for attempt in range(1, ATTEMPTS + 1):
            world.wait("ready for the cutover", lambda status: bool(status["cutover"]["ready"]))
            before = world.status()
            say(f"cutover, attempt {attempt}")
            faults = self.phase(CUTOVER) if attempt == 1 else None
            self._ask("stop", "completed", wait_timeout=60)
            status = self._outcome(before)
            if faults is not None:
                faults.finish()
                status = world.wait("an answer", lambda _status: True)
            if status["state"] in ("stopping", "completed") or self._outcome(before)["state"] == "completed":
                status = world.wait("the end of the cutover", lambda one: one["state"] in ("completed", "running"))
            if status["state"] == "completed":
                say("completed")
                return
            say(f"the way back was taken: {status['cutover']['last_attempt']}")
            self._expect_modes("default")
        raise AssertionError(f"no cutover in {ATTEMPTS} attempts: {brief(world.status())}")

    def _outcome(self, before: Status | None) -> Status:
        """The status when an attempt has ended, one way or the other; who died before it began is asked again."""
        known = before["cutover"]["last_attempt"] if before else None
        asked = time.monotonic()

        def ended(status: Status) -> bool:
            nonlocal asked
            if status["state"] == "completed":
                return True
            last = status["cutover"]["last_attempt"]
            if status["state"] == "running" and last is not None and last != known:
                return True
            if status["state"] == "running" and time.monotonic() - asked > ASK_AGAIN:
                self._ask("stop", "completed", wait_timeout=60)
                asked = time.monotonic()
            return False

        return self._world.wait("the end of a cutover", ended)

    def _expect_modes(self, mode: str) -> None:
        deadline = time.monotonic() + 30
        while True:
            servers = self._world.control("source").get("/state/overview")["servers"].values()
            modes = {one["name"]: "readonly" if one["readonly"] else "default" for one in servers if one["running"]}
            if set(modes.values()) == {mode}:
                return
            if time.monotonic() > deadline:
                raise AssertionError(f"the source has to be {mode} after the way back: {modes}")
            time.sleep(0.1)

    def _after_opening(self) -> Evidence:
        world = self._world
        deadline = time.monotonic() + 60
        while world.workload.record.writes["target"] < 20 and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(ON_TARGET_FOR)
        status = world.wait(
            "late indexes", lambda one: one["state"] == "completed" and not one["late_indexes"]["pending"]
        )
        return self._end(str(status["state"]))

    def _end(self, state: str) -> Evidence:
        world = self._world
        world.stop_writing()
        for side in ("source", "target"):
            world.control(side).clear()
        time.sleep(0.5)  # what is carried out late is done
        deadline = time.monotonic() + 20
        while threads(world.agent.pid or 0) > world.idle_threads + 2 and time.monotonic() < deadline:
            time.sleep(0.2)
        evidence = gather(world, state, "default")
        for name, agents in (("agent", world.agents), ("joined agent", world.joined)):
            for number, agent in enumerate(agents, 1):
                evidence.exit_status[f"{name} {number}"] = agent.stop()
        return evidence


def run(scenario: Scenario, home: Path, archive: Path) -> list[str]:
    """Everything that was wrong in a run."""
    say(f"seed {scenario.seed}: {scenario}")
    say(f"readings {scenario.variants.option()}")
    world: World | None = None
    try:
        with World(home, archive, scenario) as world:
            try:
                evidence = Course(world).go()
            finally:
                if world.workload is not None:
                    world.stop_writing()
                    world.workload.record.save(home / "record")
    except AssertionError as error:
        return [str(error)]
    (home / "evidence.json").write_text(json.dumps(as_dict(evidence), indent=1), encoding="utf-8")
    return judge(evidence)


def main() -> int:
    """Run by seed; the last line says how it went."""
    seed, home, archive, agents = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
    scenario = draw_scenario(seed, sys.argv[5].split(",") if len(sys.argv) > 5 else (), agents)
    (home / "scenario.json").write_text(scenario.as_json(), encoding="utf-8")
    try:
        wrong = run(scenario, home, archive)
    except Exception:  # noqa: BLE001  (whatever it is, the run has failed)
        wrong = [traceback.format_exc()]
    for text in wrong:
        say(f"WRONG {text}")
    (home / "verdict.json").write_text(json.dumps(wrong), encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
