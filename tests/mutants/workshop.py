# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A copy of the repository in which one defect at a time is tried; the working tree is never touched."""

from __future__ import annotations

import os
import shutil
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.mutants.mutant import Mutant, NotFoundError
from tests.tools.nursery import Nursery

_COPIED = ("plugins", "tests", "pyproject.toml")
# Each trial is a pytest of its own, which has nothing of the project yet, and all that it needs besides.
_IMPORTED = ("pytest", "_pytest.junitxml", "pytest_timeout", "xdist.plugin", "_hypothesis_pytestplugin", "hypothesis")
_TEST_SECONDS = 120
_RUN_SECONDS = 240
# A defect that breaks the code instead of the rule proves nothing.
_CLUMSY = ("ImportError", "ModuleNotFoundError", "SyntaxError", "NameError", "UnboundLocalError", "AttributeError")
_PASSED = "passed"
_FAILED = "failed"


class Verdict(NamedTuple):
    """What became of a mutant: ``caught`` is the only good ``word``."""

    mutant: Mutant
    word: str
    text: str
    seconds: float


class Workshop:
    """One copy; used by one thread at a time."""

    def __init__(self, root: Path, directory: Path) -> None:
        directory.mkdir(parents=True)
        for name in _COPIED:
            source = root / name
            if source.is_dir():
                shutil.copytree(source, directory / name, ignore=shutil.ignore_patterns("__pycache__", "output"))
            else:
                shutil.copy2(source, directory / name)
        dropped = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTEST_ADDOPTS")
        environment = {name: value for name, value in os.environ.items() if name not in dropped}
        self._nursery = Nursery(*_IMPORTED, directory=directory, environment=environment)
        self._directory = directory
        self._serial = 0

    def close(self) -> None:
        """No trial is wanted any more."""
        self._nursery.close()

    def run(self, tests: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Outcome and message of each test id: ``passed``, ``failed``, or why nothing can be said."""
        report = self._directory / "report.xml"
        report.unlink(missing_ok=True)
        options = ["-q", "-p", "no:cacheprovider", "--hypothesis-profile=verdict"]
        options += ["--timeout", str(_TEST_SECONDS), f"--junitxml={report}"]
        with open(os.devnull, "r+b") as nothing:
            trial = self._nursery.fork([*options, *tests], [nothing.fileno()] * 3)
        ended = trial.wait(_RUN_SECONDS)
        trial.end(0.0)
        if not ended:
            return dict.fromkeys(tests, ("hung", f"no end within {_RUN_SECONDS} s"))
        cases = _cases(report) if report.exists() else []
        return {test: _outcome(test, cases) for test in tests}

    def judge(self, mutant: Mutant, sound: dict[str, tuple[str, str]]) -> Verdict:
        """Try a mutant; ``sound`` is how its tests end on the code as it is."""
        began = time.monotonic()
        word, text = self._judged(mutant, sound)
        return Verdict(mutant, word, text, time.monotonic() - began)

    def _judged(self, mutant: Mutant, sound: dict[str, tuple[str, str]]) -> tuple[str, str]:
        for test in mutant.tests:
            if sound[test][0] != _PASSED:
                return "unsound", f"{test} without the defect: {sound[test][0]} {sound[test][1]}"
        path = self._directory / mutant.path
        original = path.read_text(encoding="utf-8")
        times = (path.stat().st_atime, path.stat().st_mtime)
        try:
            broken = mutant.applied(original)
            compile(broken, str(path), "exec")
        except NotFoundError as error:
            return "lost", str(error)
        except SyntaxError as error:
            return "unsound", f"the defect is no Python: {error}"
        try:
            path.write_text(broken, encoding="utf-8")
            # Byte code is told apart by the whole second of its source: each defect gets one of its own.
            self._serial += 1
            os.utime(path, (times[0], times[1] + 86400 + self._serial))
            return _verdict(self.run(mutant.tests))
        finally:
            path.write_text(original, encoding="utf-8")
            os.utime(path, times)


def _verdict(outcomes: dict[str, tuple[str, str]]) -> tuple[str, str]:
    for test, (outcome, text) in outcomes.items():
        if outcome == _PASSED:
            return "SURVIVED", f"{test} passes"
        if outcome != _FAILED:
            return "unsound", f"{test}: {outcome} {text}"
    return "caught", "; ".join(text for outcome, text in outcomes.values())


def _cases(report: Path) -> list[tuple[str, str, str, str]]:
    """Class, name, outcome and message of everything in a JUnit report."""
    cases = []
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        outcome, text = _PASSED, ""
        for child in case:
            if child.tag == "failure":
                outcome, text = _failure(child.get("message", ""))
            elif child.tag in ("error", "skipped") and outcome == _PASSED:
                outcome, text = child.tag, child.get("message", "")
        cases.append((case.get("classname", ""), case.get("name", ""), outcome, text))
    return cases


def _failure(message: str) -> tuple[str, str]:
    first = message.strip().splitlines()[0] if message.strip() else ""
    if first.startswith("Failed: Timeout"):
        return "hung", first
    return ("clumsy", first) if first.startswith(_CLUMSY) else (_FAILED, first)


def _outcome(test: str, cases: Sequence[tuple[str, str, str, str]]) -> tuple[str, str]:
    """A test's outcome; a parametrized one has failed when one of its cases has."""
    path, *names = test.split("::")
    wanted = ".".join([path.removesuffix(".py").replace("/", "."), *names[:-1]])
    found = [
        (outcome, text)
        for classname, name, outcome, text in cases
        if classname == wanted and (name == names[-1] or name.split("[")[0] == names[-1])
    ]
    for sought in (_FAILED, "hung", "clumsy", "error", "skipped"):
        for outcome, text in found:
            if outcome == sought:
                return outcome, text
    return found[0] if found else ("missing", "pytest did not run it")
