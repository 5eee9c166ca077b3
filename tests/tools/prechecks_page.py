# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes docs/prechecks.md from the table of prechecks: ``python -m tests.tools.prechecks_page``."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.tree import import_paths

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [path for path in import_paths(ROOT) if path not in sys.path]

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.capabilities import (  # noqa: E402
    CAPABILITIES,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.capability import (  # noqa: E402
    Capability,
)
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
write nothing, unless `probe_target` allows a [throw-away database](#capabilities). The module
`cutover.arangodb.precheck` and the playbook of that name run them alone; starting a migration runs them first and
refuses to start while one fails.

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

Besides, the result has a [forecast](sizing.md) of sizes and times.
"""


CAPABILITIES_HEAD = """\
## Capabilities

What no documentation promises of every version, edition and provider is found out before it is relied on. The result
lists under `capabilities` what was seen, `found`, `missing`, `unknown` or `not-probed`, and the mode that follows; a
start keeps this in the journal on the target. Nothing here fails by itself: where a mode cannot do, a check above does.

With `probe_target: true` (`--probe-target`) a database `cutover_probe_…` is made on the target, what is marked below is
tried in it, and it is removed, also after a failure; a name that is taken is refused. If the process is killed in
between, the database is left, and the check `target-empty` names it: remove it by hand. In check mode, and while a
migration into this target is under way, nothing is tried. Besides the database, one id of the target is used up on each
coordinator, and an empty list of users is restored.

| capability | what is asked | if so | otherwise | how it is found out |
|---|---|---|---|---|
"""


def capability(one: Capability) -> str:
    """A line of the table of capabilities."""
    how = "`probe_target`" if one.tried else one.later or "reading"
    return f"| `{one.id}` | {one.title} | {one.works} | {one.otherwise} | {how} |"


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
    parts.append(CAPABILITIES_HEAD + "\n".join(map(capability, CAPABILITIES)) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
