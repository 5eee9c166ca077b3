# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""docs/cli.md names every command, flag and variable there is."""

from __future__ import annotations

from ansible_collections.cutover.arangodb.plugins.module_utils._agent import flags, platform_flags
from ansible_collections.cutover.arangodb.plugins.module_utils._agent.cli import EXITS
from tests.tools.cli_page import PAGE, page


def test_the_page_is_what_the_parser_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.tools.cli_page"


def test_every_variable_and_exit_code_is_explained() -> None:
    text = PAGE.read_text(encoding="utf-8")
    names = {*flags.VARIABLES.values(), *(name for both in platform_flags.VARIABLES.values() for name in both)}
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []
    codes = [part.strip().split()[0] for part in EXITS.partition(":")[2].split(",")]
    assert [code for code in codes if f"\n| {code} | " not in text] == []
