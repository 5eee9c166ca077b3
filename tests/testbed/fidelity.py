# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The table of replayed exchanges in docs/testbed.md: `python -m tests.testbed.fidelity` writes it anew."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from tests.testbed.recorded import Report, replay
from tests.testbed.recorded_sources import VERSIONS

PAGE = Path(__file__).parents[2] / "docs" / "testbed.md"
BEGIN, END = "<!-- fidelity: begin (written by python -m tests.testbed.fidelity) -->", "<!-- fidelity: end -->"


def table(reports: Mapping[str, Report]) -> str:
    """Markdown: replayed exchanges by endpoint and version, then those left out by reason."""
    endpoints = sorted({name for report in reports.values() for name in report.endpoints})
    reasons = sorted({name for report in reports.values() for name in report.left_out})
    rows = [("replayed and equal", [report.replayed for report in reports.values()])]
    rows += [("**unequal**", [len(report.unequal) for report in reports.values()])]
    rows += [(f"`{name}`", [report.endpoints[name] for report in reports.values()]) for name in endpoints]
    left = [(f"left out: {name}", [report.left_out[name] for report in reports.values()]) for name in reasons]
    head = ["| exchanges | " + " | ".join([*reports, "all"]) + " |", "|---|" + "---:|" * (len(reports) + 1)]
    return "\n".join([*head, *(_row(name, counts) for name, counts in [*rows, *left])])


def _row(name: str, counts: list[int]) -> str:
    return f"| {name} | " + " | ".join(str(count) for count in [*counts, sum(counts)]) + " |"


def with_table(page: str, text: str) -> str:
    """The page with the table between its marks; ValueError when it has none."""
    before, mark, rest = page.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not mark or not end:
        raise ValueError(f"{PAGE.name} lacks the marks of the table")
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def main() -> int:
    """Write the table; 1 when something was unequal."""
    reports = {version: replay(version) for version in VERSIONS}
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), table(reports)), encoding="utf-8")
    return int(any(report.unequal for report in reports.values()))


if __name__ == "__main__":
    sys.exit(main())
