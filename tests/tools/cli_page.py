# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes the list of commands and flags in docs/cli.md from the parser: ``python -m tests.tools.cli_page``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.tree import import_paths

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [path for path in import_paths(ROOT) if path not in sys.path]

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.cli import build_parser  # noqa: E402

PAGE = ROOT / "docs" / "cli.md"
BEGIN = "<!-- Commands: written by `python -m tests.tools.cli_page`; do not edit below. -->\n"


def commands_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parsers of all commands by name."""
    found = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return dict(found.choices)


def _row(action: argparse.Action) -> str:
    flags = ", ".join(f"`{flag}`" for flag in action.option_strings)
    value = ""
    if action.choices:
        value = f" {'&#124;'.join(str(choice) for choice in action.choices)}"
    elif action.nargs != 0:
        value = f" {(action.metavar or 'VALUE') if isinstance(action.metavar, (str, type(None))) else 'VALUE'}"
    text = action.help or ""
    if action.required:
        text += " (required)"
    elif action.default not in (None, False, argparse.SUPPRESS):
        text += f" (default: {action.default})"
    return f"| {flags}{value} | {text} |"


def commands() -> str:
    """Every command with every flag, in the parser's order."""
    parts = []
    for name, parser in commands_of(build_parser()).items():
        parts.append(f"### {name}\n\n{(parser.description or '').capitalize()}.\n\n| flag | meaning |\n|---|---|")
        rows = [_row(action) for group in parser._action_groups for action in group._group_actions]
        parts.append("\n".join(row for row in rows if "`--help`" not in row) + "\n")
    return "\n".join(parts)


def page() -> str:
    """The whole page: what people wrote, then the commands."""
    return PAGE.read_text(encoding="utf-8").partition(BEGIN)[0] + BEGIN + "\n" + commands()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
