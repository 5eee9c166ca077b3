# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lanes of ``make test``: nothing is left out, nothing that failed passes for fine, clocks are not disturbed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.tools import parts

# A part that waits for another one's file ends only if both run at once; the lock says that two never do.
MAKEFILE = """
fine bad last: ; @echo "$@ was here"; [ $@ != bad ]
first: ; @touch first; for i in $$(seq 600); do [ -e beside ] && exit 0; sleep 0.1; done; exit 1
beside: ; @touch beside; for i in $$(seq 600); do [ -e first ] && exit 0; sleep 0.1; done; exit 1
clock-%: ; @mkdir lock; sleep 0.5; rmdir lock; echo $* >>clocks
nice-%: ; @echo $* $$(nice) >>clocks
long: ; @for i in $$(seq 600); do [ "$$(wc -l <clocks)" = 3 ] && exit 0; sleep 0.1; done; exit 1
"""


@pytest.fixture(autouse=True)
def makefile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory with parts of its own, made by nobody else's flags."""
    (tmp_path / "Makefile").write_text(MAKEFILE)
    (tmp_path / "clocks").touch()
    monkeypatch.chdir(tmp_path)
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
        monkeypatch.delenv(name, raising=False)


def test_a_part_that_fails_fails_the_whole_and_keeps_none_from_running(capsys: pytest.CaptureFixture[str]) -> None:
    assert parts.main(["--patient", "last other", "bad", "fine", "last"]) == 1
    told = capsys.readouterr().out
    assert all(f"{part} was here" in told for part in ("bad", "fine", "last"))
    assert told.splitlines()[-1].startswith("make test: FAILED: bad (")


def test_a_part_that_cannot_be_started_is_not_fine(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_arguments: object) -> None:
        raise OSError("no process")

    monkeypatch.setattr(parts.Lanes, "_part", refused)
    monkeypatch.setattr("threading.excepthook", lambda _arguments: None)
    assert parts.main(["fine", "last"]) == 1
    assert "make test: FAILED: fine last (" in capsys.readouterr().out


def test_both_lanes_run_at_once() -> None:
    assert parts.main(["--patient", "beside", "first", "beside"]) == 0


def test_a_lane_without_parts_helps_the_other() -> None:
    assert parts.main(["first", "beside"]) == 0
    for name in ("first", "beside"):
        os.unlink(name)
    assert parts.main(["--patient", "first beside", "first", "beside"]) == 0


def test_parts_that_watch_a_clock_run_one_after_the_other() -> None:
    assert parts.main(["--patient", "long", "clock-1", "long", "clock-2", "clock-3"]) == 0
    assert Path("clocks").read_text().split() == ["1", "2", "3"]


def test_who_watches_a_clock_goes_before_who_is_patient_and_who_is_idle() -> None:
    patient = "nice-patient nice-idle"
    assert parts.main(["--patient", patient, "--idle", "nice-idle", "nice-clock", *patient.split()]) == 0
    nice = dict(line.split() for line in Path("clocks").read_text().splitlines())
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert int(nice["clock"]) == own
    assert own < int(nice["patient"]) < int(nice["idle"])


def test_all_that_has_a_lane_is_a_part() -> None:
    """A word that is misspelled in the Makefile would take a part out of its lane."""
    lines = (Path(parts.__file__).parents[2] / "Makefile").read_text().splitlines()
    lanes = [next(line for line in lines if line.startswith(f"{name} :=")).split()[2:] for name in ("PATIENT", "IDLE")]
    targets = {line.partition(":")[0] for line in lines if line and line[0].isalpha() and " := " not in line}
    for named in lanes:
        assert named
        assert set(named) <= targets
