# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes docs/reference.md, modules and roles with their options: ``python -m tests.tools.reference_page``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.tree import make_tree

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference.md"
COLLECTION = "cutover.arangodb"
HEAD = """\
# Reference: modules and roles

<!-- Generated from what `ansible-doc` says by `make docs`; do not edit. -->

`ansible-doc cutover.arangodb.<module>` shows the same in a terminal, with examples and samples of results.
"""
# Semantic markup of Ansible's documentation; what stands before a comma is the name.
MARKUP = re.compile(r"\b[OVCMPERBI]\((?:[\w.]+#\w+:)?((?:[^()\\]|\\.|\([^()]*\))*)\)")


def _described(kind: str) -> dict[str, Any]:
    """What ansible-doc knows of all modules or roles."""
    command = [str(Path(sys.executable).parent / "ansible-doc"), "--json", "--type", kind]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(make_tree(ROOT))}
    listed = subprocess.run(
        [*command, "--list", COLLECTION], env=environment, check=True, capture_output=True, text=True
    )
    names = sorted(json.loads(listed.stdout))
    told = subprocess.run([*command, *names], env=environment, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def _text(words: Any) -> str:
    lines = [words] if isinstance(words, str) else list(words or ())
    return MARKUP.sub(lambda match: f"`{match.group(1)}`", " ".join(map(str, lines))).replace("|", "\\|")


def _rows(options: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, option in sorted(options.items()):
        kind = str(option.get("type", "str"))
        kind += f" of {option['elements']}" if "elements" in option else ""
        allowed = ", ".join(f"`{choice}`" for choice in option.get("choices") or ())
        default = f"`{json.dumps(option['default'])}`" if "default" in option else ""
        default = "required" if option.get("required") else default
        text = _text(option.get("description")) + (f" One of {allowed}." if allowed else "")
        yield f"| `{prefix}{name}` | {kind} | {default} | {text} |"
        yield from _rows(option.get("suboptions") or option.get("options") or {}, f"{prefix}{name}.")


def _table(options: Mapping[str, Any]) -> str:
    return "\n".join(["| option | type | default | meaning |", "|---|---|---|---|", *_rows(options)])


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for name, told in sorted(_described("module").items()):
        doc = told["doc"]
        lines = "\n\n".join(_text(line) for line in doc["description"])
        parts.append(f"## {name}\n\n{doc['short_description']}.\n\n{lines}\n\n{_table(doc.get('options') or {})}\n")
    for name, told in sorted(_described("role").items()):
        main = told["entry_points"]["main"]
        title, options = _text(main.get("short_description")), main.get("options") or {}
        parts.append(f"## Role {name}\n\n{title}.\n\n{_table(options)}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
