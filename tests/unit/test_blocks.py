# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every fenced block of every page is executed by a test, or named here with the reason and what is checked instead."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.display import status_line
from tests.bench.__main__ import BENCHES
from tests.browser.states import COPYING
from tests.demo.report import Figures, table
from tests.roles.way import FILES, WAY
from tests.tools.blocks import ROOT, Block, commands, every_block, numberless, plain, shown_below

BLOCKS = list(every_block())
QUICKSTART = "docs/quickstart.md"  # as a whole by tests/roles/test_quickstart.py
# Commands that the way does not type: why, and which file tests them.
NOT_TYPED = {
    "make": ("runs everything else, this test among it", "Makefile"),
    "ansible-rulebook": ("needs Java and packages of its own: `make eda` runs it", "tests/eda/test_rulebooks.py"),
    "python -m tests.bench": ("takes minutes on an idle machine", "tests/bench/__main__.py"),
    "ssh": ("needs another host; what is behind the tunnel is opened directly", "tests/roles/test_pages.py"),
    "perf": ("needs rights in the kernel that containers lack; no command of ours", "docs/performance.md"),
    "py-spy": ("needs to attach to other processes; no command of ours", "docs/performance.md"),
}
# Blocks that are no commands and become no file of the way: what looks at them.
LOOKED_AT = {
    ("CONTRIBUTING.md", "# changelogs/fragments/lag.yml"): "test_the_fragment_is_one",
    ("README.md", "documents 0"): "test_the_figures_of_the_demo_are_its_rows",
    ("docs/concepts.md", "stateDiagram-v2"): "test_concepts_draw_the_states_and_steps_of_the_engine",
    ("docs/testbed.md", "# two processes, ended with the blocks"): "test_the_example_of_a_platform_runs",
    ("docs/tuning.md", "# inventory.yml"): "test_a_group_of_agents_shares_a_migration",
}
KINDS = {"console", "yaml", "text", "python", "mermaid", ""}


def name_of(block: Block) -> tuple[str, str]:
    """What names it here: not by the figures of a text, which change."""
    return (block.page, " ".join(numberless(block.head).split())) if block.kind == "text" else block.name


def test_every_command_is_typed_or_named_here() -> None:
    typed = {plain(step.command) for step in WAY if not step.own}
    there = {plain(line) for block in BLOCKS if block.page != QUICKSTART for line in commands(block.text)}
    assert typed - there == set(), "no page has these any more"
    left = there - typed
    assert [line for line in left if not line.startswith(tuple(f"{name} " for name in NOT_TYPED))] == []
    assert [name for name in NOT_TYPED if not any(line.startswith(f"{name} ") for line in left)] == []
    assert all(reason and (ROOT / path).exists() for reason, path in NOT_TYPED.values())


def test_every_other_block_is_a_file_of_the_way_or_named_here() -> None:
    assert {block.kind for block in BLOCKS} <= KINDS
    others = [block for block in BLOCKS if block.page != QUICKSTART and block.kind not in ("console", "")]
    names = {name_of(block) for block in others}
    assert names == FILES.keys() | LOOKED_AT.keys()
    assert len(names) == len(others), "two blocks with the same first line"
    tests = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/test_*.py"))
    assert [name for name in LOOKED_AT.values() if f"def {name}(" not in tests] == []


def test_blocks_without_a_kind_are_drawings() -> None:
    """What could be run says what it is."""
    drawings = [block for block in BLOCKS if not block.kind]
    assert [block.name for block in drawings if not re.search("[─━▶]", block.text)] == []


def test_the_fragment_is_one() -> None:
    (fragment,) = [block for block in BLOCKS if block.page == "CONTRIBUTING.md" and block.kind == "yaml"]
    config = yaml.safe_load((ROOT / "changelogs/config.yaml").read_text())
    assert yaml.safe_load(fragment.text).keys() <= {name for name, _title in config["sections"]}


def test_the_figures_of_the_demo_are_its_rows() -> None:
    """Each line of the README's table, but for its numbers, is one that the demo prints."""
    figures = Figures(1, 1, 1.0, 1.0, 1, 1, 1.0, 1.0, 1.0, 1.0, 1.0, 1, 0, 0)
    rows = {" ".join(numberless(line).split()) for line in table(figures).splitlines()}
    (shown,) = [block.text for block in BLOCKS if block.page == "README.md" and block.kind == "text"]
    assert [line for line in shown.splitlines() if " ".join(numberless(line).split()) not in rows] == []


def test_the_lines_of_a_watch_have_the_form_of_the_present_ones() -> None:
    shown = shown_below("README.md")["ansible-playbook cutover.arangodb.migrate"]
    copied = {"percent": 37.4, "bytes_copied": 25_000_000, "bytes_per_second": 2_500_000, "eta_seconds": 49.3}
    document = {**COPYING, "progress": copied, "problems": [{}]}
    form = numberless(f"[agent-host] {status_line(document)}")
    assert {numberless(line) for line in shown} == {form, "…"}


def test_the_benches_that_are_named_exist() -> None:
    (line,) = [line for block in BLOCKS for line in commands(block.text) if "tests.bench" in line]
    assert set(line.split()[3:]) <= set(BENCHES)


def test_the_rulebook_that_is_named_exists() -> None:
    (line,) = [line for block in BLOCKS for line in commands(block.text) if line.startswith("ansible-rulebook ")]
    named = line.partition("--rulebook cutover.arangodb.")[2].partition(" ")[0]
    assert (ROOT / f"extensions/eda/rulebooks/{named}.yml").exists()


def test_pages_are_found() -> None:
    pages = {block.page for block in BLOCKS}
    assert {"README.md", QUICKSTART, "docs/runbook.md", "docs/monitoring/README.md"} <= pages
    assert not [page for page in pages if not Path(ROOT / page).exists()]
