# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of the prechecks as a file on the controller: JSON, a page for people, or JUnit for CI and AWX."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.display import forecast_rows, worst_first

Result = Mapping[str, Any]
_PARTS = ("passed", "summary", "checks", "capabilities", "forecast")
_STYLE = """
:root { color-scheme: light dark; } body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 70rem;
  padding: 1rem; } table { border-collapse: collapse; width: 100%; } th, td { border-bottom: 1px solid #8886;
  padding: .3rem .5rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
.failed, .unknown { color: #b3261e; font-weight: 600; } .warning, .accepted { font-weight: 600; }
@media (prefers-color-scheme: dark) { .failed, .unknown { color: #ff8a80; } }
@media print { body { max-width: none; } tr { break-inside: avoid; } }
"""


def writer_for(path: str) -> Callable[[Result], None]:
    """What writes a result to a path, by its ending; raises CUT-SPEC-1 for another ending or a missing directory."""
    target = Path(path)
    made = _FORMS.get(target.suffix)
    if made is None:
        raise _wrong(f"report_path: must end with {', '.join(_FORMS)}, not {target.suffix or 'nothing'}")
    if not target.parent.is_dir():
        raise _wrong(f"report_path: there is no directory {target.parent} on the controller")

    def write(result: Result) -> None:
        unfinished = target.with_name(f".{target.name}.new")
        try:
            unfinished.write_text(made(result), encoding="utf-8")
            os.replace(unfinished, target)
        except OSError as error:
            raise CutoverError("CUT-DISK-1", f"report_path: writing {target}: {error.strerror}") from error

    return write


def _wrong(text: str) -> CutoverError:
    return CutoverError("CUT-SPEC-1", text, details={"field": "report_path"})


def as_json(result: Result) -> str:
    """The whole result."""
    return json.dumps({name: result[name] for name in _PARTS if name in result}, indent=2) + "\n"


def as_junit(result: Result) -> str:
    """A suite for each group; what stands in the way is a failure, what could not be measured an error."""
    root = ElementTree.Element("testsuites", name="prechecks")
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for check in result["checks"]:
        groups.setdefault(str(check["group"]), []).append(check)
    for group, checks in groups.items():
        counts = {
            name: str(sum(check["status"] == status for check in checks))
            for name, status in (("failures", "failed"), ("errors", "unknown"), ("skipped", "skipped"))
        }
        suite = ElementTree.SubElement(root, "testsuite", {"name": group, "tests": str(len(checks)), **counts})
        for check in checks:
            _case(suite, check)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _case(suite: ElementTree.Element, check: Mapping[str, Any]) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname=f"precheck.{check['group']}", name=str(check["id"]))
    kind = {"failed": "failure", "unknown": "error", "skipped": "skipped"}.get(str(check["status"]))
    text = _plain(f"{check['message']}\nRemedy: {check['remedy']}" if check["remedy"] else str(check["message"]))
    if kind is None:
        ElementTree.SubElement(case, "system-out").text = f"{check['status']}: {text}"
    else:
        ElementTree.SubElement(case, kind, message=_plain(str(check["message"]))).text = text


def _plain(text: str) -> str:
    """The text without what XML cannot hold."""
    return "".join(letter if letter >= " " or letter in "\n\t" else " " for letter in text)


def as_page(result: Result) -> str:
    """One page that needs nothing from outside, the worst on top."""
    verdict = "Passed" if result["passed"] else "Not passed"
    counts = ", ".join(f"{count} {status}" for status, count in result["summary"].items() if count)
    checks = _table(
        ("Status", "Check", "Found", "Remedy"),
        [[check[name] for name in ("status", "id", "message", "remedy")] for check in worst_first(result["checks"])],
    )
    capabilities = _table(
        ("Status", "Capability", "Found", "Mode"),
        [[one[name] for name in ("status", "id", "found", "mode")] for one in result.get("capabilities") or ()],
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Prechecks</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f"<h1>Prechecks: {verdict}</h1><p>{escape(counts)}</p>{checks}"
        f"{_forecast(result.get('forecast'))}<h2>Capabilities</h2>{capabilities}</body></html>\n"
    )


def _forecast(forecast: Mapping[str, Any] | None) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'
        for name, value in (forecast_rows(forecast) if forecast else ())
    )
    return f"<h2>Forecast</h2><table><tbody>{rows}</tbody></table>" if rows else ""


def _table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table whose first column is a status."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join(
        f'<tr><td class="{escape(str(row[0]))}">'
        + "</td><td>".join(escape(str(value)) for value in row)
        + "</td></tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


_FORMS: Mapping[str, Callable[[Result], str]] = {".json": as_json, ".html": as_page, ".xml": as_junit}
