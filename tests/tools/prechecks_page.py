# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes docs/prechecks.md from the table of prechecks: ``python -m tests.tools.prechecks_page``."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.tree import import_paths

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [path for path in import_paths(ROOT) if path not in sys.path]

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.outcome import (  # noqa: E402
    GROUPS,
    Row,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.registry import ROWS  # noqa: E402

PAGE = ROOT / "docs" / "prechecks.md"
TITLES = {
    "input": "What was given",
    "source": "The source",
    "target": "The target",
    "capacity": "Sizes and limits",
    "features": "Definitions and features",
    "agent": "The agent's host",
    "platform": "The managed platform",
}
HEAD = """\
# Prechecks

<!-- Generated from plugins/module_utils/_engine/precheck by `python -m tests.tools.prechecks_page`; do not edit. -->

Prechecks look for everything that is known to make a migration fail, before it starts. They read both clusters and
write nothing. The module `cutover.arangodb.precheck` and the playbook of that name run them alone; starting a
migration runs them first and refuses to start while one fails.

Each check has a status:

| status | meaning |
|---|---|
| `passed` | nothing to object |
| `failed` | the migration would fail or lose something; the remedy says what to do |
| `unknown` | it could not be measured, which counts like `failed` |
| `warning` | worth knowing, does not hinder |
| `accepted` | failed or unknown, but accepted by the operator |
| `skipped` | does not apply here, or could not be made because of what another check reports |

The option `accept` takes a list of `id` and `reason`: such a check no longer hinders, and the reason stays in the
report.
Checks without which nothing can work cannot be accepted. The option `ignore_metrics` turns everything that could not be
measured, and those checks below that are marked as metrics, into warnings.
"""


def section(row: Row) -> str:
    """The part of the page on one row."""
    traits = [f"severity {row.severity}"]
    if row.metric:
        traits.append("a metric (`ignore_metrics` makes it a warning)")
    if not row.acceptable:
        traits.append("cannot be accepted")
    return f"### {row.id}\n\n{row.title}. ({'; '.join(traits)})\n\n{row.why}\n\n**Remedy:** {row.remedy}\n"


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for group in GROUPS:
        rows = [row for row in ROWS if row.group == group]
        table = "\n".join(f"| [`{row.id}`](#{row.id}) | {row.severity} | {row.title} |" for row in rows)
        parts.append(f"## {TITLES[group]}\n\n| check | severity | what must hold |\n|---|---|---|\n{table}\n")
        parts.extend(section(row) for row in rows)
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
