# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes docs/errors.md from the catalogue of error codes: ``python -m tests.tools.errors_page``."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

from tests.tree import import_paths

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [path for path in import_paths(ROOT) if path not in sys.path]

from ansible_collections.cutover.arangodb.plugins.module_utils._core.catalogue import ENTRIES  # noqa: E402

PAGE = ROOT / "docs" / "errors.md"
KINDS = {
    "transient": "passes by itself, the agent goes on trying",
    "operator": "somebody has to change something",
    "fatal": "this request can never succeed as it is",
}
HEAD = """\
# Errors and findings

<!-- Generated from plugins/module_utils/_core/catalogue_*.py by `make docs`; do not edit. -->

Every error and every finding has a code, which stands at the end of its message, in `failure.code` of the modules'
results, in `error.code` of the agent's answers, and in the status document. A finding of severity `error` blocks the
cutover until its cause is gone or it was accepted by name (`accept_findings`).

| kind | meaning |
|---|---|
"""


def _order(code: str) -> tuple[str, int]:
    area, _, number = code.rpartition("-")
    return area, int(number)


def page() -> str:
    """The whole page."""
    parts = [HEAD + "\n".join(f"| {kind} | {meaning} |" for kind, meaning in KINDS.items()) + "\n"]
    for area, codes in groupby(sorted(ENTRIES, key=_order), key=lambda code: code.rpartition("-")[0]):
        parts.append(f"## {area}\n")
        for code in codes:
            entry = ENTRIES[code]
            parts.append(f"### {code}\n\n{entry.title}. ({entry.severity}, {entry.kind})\n\n{entry.remedy}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
