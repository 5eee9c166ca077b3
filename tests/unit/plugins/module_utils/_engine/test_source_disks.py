# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The source's disks: free share, log kept for us, runway, and what is told of them (design §4.10, I8)."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import TransportError
from ansible_collections.cutover.arangodb.plugins.module_utils._core.http import Response
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.findings import Findings
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.source_disks import (
    LONGEST_SECONDS,
    SourceDisks,
)

GB = 1e9


class Server:
    """A DB-Server with a disk of 100 GB."""

    def __init__(self) -> None:
        self.free, self.log, self.away, self.text = 60 * GB, 1 * GB, False, ""

    def request(self, method: str, path: str, **options: Any) -> Response:
        assert (method, path) == ("GET", "/_admin/metrics")
        if self.away:
            raise TransportError("CUT-HTTP-1", "refused", outcome_unknown=False)
        text = self.text or (
            f"rocksdb_free_disk_space {self.free}\nrocksdb_total_disk_space {100 * GB}\n"
            f"rocksdb_archived_wal_files_size {self.log}\n"
        )
        return Response(200, {}, text.encode())


class Case:
    def __init__(self) -> None:
        self.now = 1000.0
        self.servers = {"a": Server(), "b": Server()}
        self.findings = Findings()
        self.left: Optional[float] = None
        self.disks = SourceDisks(
            lambda: self.servers, self.findings.report, self.findings.resolve, lambda: self.left,  # type: ignore[arg-type]
            clock=self,
        )  # fmt: skip

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now

    def look(self, after: float = 0.0) -> None:
        self.now += after
        self.disks.look()

    def told(self) -> dict[str, str]:
        return {item["code"]: item["text"] for item in self.findings.problems()}


@pytest.fixture
def case() -> Case:
    return Case()


def test_nothing_is_known_before_the_first_look(case: Case) -> None:
    assert (case.disks.free_share, case.disks.kept_share, case.disks.runway) == (None, None, None)


def test_the_worst_server_counts(case: Case) -> None:
    case.servers["b"].free = 30 * GB
    case.look()
    assert case.disks.free_share == pytest.approx(0.3)
    assert case.disks.runway is None
    case.servers["a"].log = 6 * GB
    case.look(590.0)
    assert case.disks.kept_share == pytest.approx(0.05)
    assert case.disks.runway == pytest.approx(60 * GB / (5 * GB / 590.0))
    assert case.told() == {}


def test_the_runway_is_the_free_disk_at_the_present_growth(case: Case) -> None:
    case.look()
    case.servers["a"].log += 1 * GB
    case.servers["a"].free = 10 * GB
    case.look(100.0)
    assert case.disks.runway == pytest.approx(1000.0)
    assert "a for 17 minutes" in case.told()["CUT-LOAD-2"]
    case.look(700.0)
    case.look(10.0)
    assert case.disks.runway == LONGEST_SECONDS
    assert "CUT-LOAD-2" not in case.told()


def test_the_runway_is_held_against_the_rest_of_the_copy(case: Case) -> None:
    case.look()
    case.servers["a"].log += 1 * GB
    case.servers["a"].free = 72 * GB
    case.look(100.0)
    assert case.disks.runway == pytest.approx(7200.0)
    assert case.told() == {}
    case.left = 10_800.0
    case.look()
    assert case.told()["CUT-LOAD-2"].endswith("a for 120 minutes, and the rest of the copy takes 180")
    case.left = 0.0
    case.look()
    assert case.told() == {}


def test_figures_of_a_silent_server_are_not_trusted_for_long(case: Case) -> None:
    case.servers["b"].free = 4 * GB
    case.look()
    assert case.disks.servers()["b"] == {
        "disk_free_share": 0.04, "log_growth_share": 0.0, "retention_runway_seconds": None,
    }
    case.servers["b"].away = True
    case.look(60.0)
    assert case.disks.free_share == pytest.approx(0.04)
    case.look(60.0)
    assert case.disks.free_share == pytest.approx(0.6)
    assert set(case.disks.servers()) == {"a"}
    assert set(case.told()) == {"CUT-LOAD-3"}
    assert set(case.disks.least) == {"a", "b"}


def test_what_was_told_ends_with_the_margin_of_the_pause(case: Case) -> None:
    case.servers["a"].free = 9 * GB
    case.servers["b"].log = 0.0
    case.look()
    case.servers["b"].log = 26 * GB
    case.look(300.0)
    assert {"CUT-LOAD-1", "CUT-LOAD-4"} <= set(case.told())
    case.servers["a"].free, case.servers["b"].log = 12 * GB, 21 * GB
    case.look(300.0)
    assert {"CUT-LOAD-1", "CUT-LOAD-4"} <= set(case.told())
    case.servers["a"].free, case.servers["b"].log = 13 * GB, 19 * GB
    case.look(300.0)
    assert not {"CUT-LOAD-1", "CUT-LOAD-4"} & set(case.told())


def test_a_log_that_was_there_before_is_not_ours(case: Case) -> None:
    case.servers["a"].log = 40 * GB
    case.look()
    assert case.disks.kept_share == 0.0
    case.servers["a"].log = 10 * GB
    case.look(10.0)
    case.servers["a"].log = 40 * GB
    case.look(10.0)
    assert case.disks.kept_share == pytest.approx(0.3)
    assert "a: 30% of its disk" in case.told()["CUT-LOAD-4"]
    case.servers["a"].log = 12 * GB
    case.look(10.0)
    assert "CUT-LOAD-4" not in case.told()


def test_a_full_disk_is_told_until_it_has_room(case: Case) -> None:
    case.servers["b"].free = 4 * GB
    case.look()
    assert "b has 4% free" in case.told()["CUT-LOAD-1"]
    case.servers["b"].free = 40 * GB
    case.look(10.0)
    assert case.told() == {}


@pytest.mark.parametrize("text", ["<html>", "rocksdb_free_disk_space 1\n"])
def test_i9_what_is_not_known_is_said(case: Case, text: str) -> None:
    case.servers["a"].away = True
    case.servers["b"].text = text
    case.look()
    assert case.told()["CUT-LOAD-3"].endswith(": a, b")
    case.servers["a"].away, case.servers["b"].text = False, ""
    case.look(10.0)
    assert case.told() == {}


def test_i8_a_server_that_has_gone_is_forgotten_and_looks_are_bounded(case: Case) -> None:
    case.servers["b"].free = 2 * GB
    for _look in range(300):
        case.look(1.0)
    assert len(case.disks._histories["a"].looks) == 64
    del case.servers["b"]
    case.look(1.0)
    assert case.disks.free_share == pytest.approx(0.6)
    assert case.told() == {}


def test_the_thread_looks_and_ends(case: Case) -> None:
    case.disks.start({})
    case.disks.close(10.0)
    assert case.disks._thread is not None
    assert not case.disks._thread.is_alive()
    assert case.disks.free_share == pytest.approx(0.6)


def test_a_log_that_was_kept_for_us_before_a_restart_is_no_log_of_before(case: Case) -> None:
    """What it was when it was smallest is known to the next life, also of a server that does not answer now."""
    case.look()
    case.servers["a"].log = 31 * GB
    case.look(after=10.0)
    least = case.disks.least
    assert least == {"a": 1 * GB, "b": 1 * GB}
    later = Case()
    later.servers = case.servers
    later.servers["b"].away = True
    later.disks.start(least)
    later.disks.close(5.0)
    assert later.disks.kept_share == pytest.approx(0.3)
    assert later.disks.least == least
