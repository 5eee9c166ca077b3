# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every command and option of the former tool is here under its name (data/former_tool.json lists them)."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.cli import build_parser
from ansible_collections.cutover.arangodb.plugins.module_utils._agent.platform_flags import VARIABLES
from tests.tools.cli_page import ROOT, commands_of

FORMER: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "former_tool.json").read_text())
MANUAL = ROOT.parent / "shared" / "reference" / "cloud-migration-tool.md"


def _flags(parser: argparse.ArgumentParser) -> set[str]:
    return {flag for action in parser._actions for flag in action.option_strings}


@pytest.mark.parametrize("command", FORMER["commands"])
def test_command_and_options_are_here(command: str) -> None:
    parsers = commands_of(build_parser())
    assert command in parsers
    assert set(FORMER["commands"][command]) <= _flags(parsers[command])


def test_modes_and_variables_are_here() -> None:
    parser = commands_of(build_parser())["set-server-mode"]
    mode = next(action for action in parser._actions if "--source.server-mode" in action.option_strings)
    assert set(mode.choices or ()) == set(FORMER["modes"])
    assert {name for names in VARIABLES.values() for name in names} == set(FORMER["variables"])


def test_flags_are_not_abbreviated() -> None:
    """A prefix of a flag may become the prefix of two: it is refused from the beginning."""
    for parser in (build_parser(), *commands_of(build_parser()).values()):
        assert parser.allow_abbrev is False


def test_the_list_is_what_the_manual_names() -> None:
    if not MANUAL.exists():
        pytest.skip(f"the former tool's manual is not at {MANUAL}: the committed list stands for it")
    text = MANUAL.read_text(encoding="utf-8")
    listed = {flag for flags in FORMER["commands"].values() for flag in flags}
    older = {flag for flag in listed if not flag.startswith(FORMER["later_name"])}
    assert set(re.findall(r"--[a-z]+(?:[.-][a-zA-Z]+)*", text)) == older
    calls = set(re.findall(r"arangosync-migration ([a-z-]+)(?=[\s`])", text))
    quoted = {name for name in re.findall(r"`([a-z-]+)(?: --[a-z]+)?`", text) if name in FORMER["commands"]}
    assert {name for name in calls if name in FORMER["commands"]} | quoted == set(FORMER["commands"])
    named = set(re.findall(r"\$([A-Z][A-Z_]+)", text))
    assert named <= {*FORMER["variables"], *FORMER["shell_variables"]}
