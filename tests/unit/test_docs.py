# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The pages that people write: what they name exists in the code, and every link leads somewhere."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.cli import build_parser
from ansible_collections.cutover.arangodb.plugins.module_utils._core.catalogue import ENTRIES
from ansible_collections.cutover.arangodb.plugins.module_utils._core.platform_rules import PERMISSIONS
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.cutover import Cutover
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.load import PRESETS
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.states import INACTIVE, TRANSITIONS
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.throttle import RULES
from tests.tools.blocks import CODE, FENCE, anchor, blocks, typed
from tests.tools.cli_page import commands_of

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
README_LINES = 200
FORMER = ROOT / "tests/unit/plugins/module_utils/_agent/data/former_tool.json"

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def commands(page: Path) -> Iterator[list[str]]:
    """What stands after a prompt, as words; without the file that the output goes to."""
    for line in typed(page.read_text(encoding="utf-8")):
        if "…" not in line:
            yield list(takewhile(lambda word: word != ">", shlex.split(line, comments=True)))


def anchors(page: Path) -> set[str]:
    """Where links into a page may lead, as GitHub makes them."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    return {anchor(heading) for heading in re.findall(r"^#+ (.+)$", text, re.M)}


def variables_of(playbook: str) -> str:
    """The header of a playbook, and the role's variables where it has the role's."""
    header = (ROOT / f"playbooks/{playbook}.yml").read_text(encoding="utf-8").split("\n- name:")[0]
    return header + (ROOT / "roles/agent/meta/argument_specs.yml").read_text(encoding="utf-8")


def given(words: list[str]) -> Iterator[str]:
    """The names of the variables that are given with -e."""
    for option, value in zip(words, words[1:]):
        if option in ("-e", "--extra-vars") and not value.startswith("@"):
            yield from json.loads(value) if value.startswith("{") else [value.partition("=")[0]]


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", page.read_text(encoding="utf-8"))):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


@each_page
def test_playbooks_and_variables_of_examples_exist(page: Path) -> None:
    for words in commands(page):
        if words[0] != "ansible-playbook":
            continue
        name = next(word for word in words if word.startswith("cutover.arangodb.")).rpartition(".")[2]
        header = variables_of(name)
        assert [one for one in given(words) if not re.search(rf"\b{one}\b", header)
                and not (page.name == "automation.md" and one.startswith("proxy_"))] == [], words  # fmt: skip


@each_page
def test_commands_and_flags_of_examples_exist(page: Path) -> None:
    parsers = commands_of(build_parser())
    for words in commands(page):
        if words[0] == "cutover-agent":
            flags = {flag for action in parsers[words[1]]._actions for flag in action.option_strings}
            assert {word.partition("=")[0] for word in words[2:] if word.startswith("--")} <= flags, words
            assert build_parser().parse_args(words[1:]), words


@each_page
def test_codes_and_make_targets_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert set(CODE.findall(text)) <= set(ENTRIES)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for words in commands(page):
        if words[0] == "make":
            assert re.search(rf"^{words[1]}:", makefile, re.M), words


def known_variables() -> str:
    """The headers of all playbooks, and the variables of all roles."""
    specs = [path.read_text(encoding="utf-8") for path in ROOT.glob("roles/*/meta/argument_specs.yml")]
    playbooks = (path.read_text(encoding="utf-8") for path in (ROOT / "playbooks").glob("*.yml"))
    return "".join([*specs, *(text.split("\n- name:")[0] for text in playbooks)])


def named_in(block: Any) -> Iterator[str]:
    """The variables that an example in YAML sets: an inventory's, or those of a file of variables."""
    if isinstance(block, dict) and "cutover_agents" in block:
        yield from block["cutover_agents"].get("vars", {})
    elif isinstance(block, dict) and "scrape_configs" not in block:  # Prometheus has words of its own
        yield from block


@each_page
def test_variables_of_examples_in_yaml_exist(page: Path) -> None:
    known = known_variables()
    for block in blocks(page.read_text(encoding="utf-8"), "yaml"):
        names = [name for name in named_in(yaml.safe_load(block.replace("…", "x"))) if not name.startswith("ansible_")]
        assert [name for name in names if not re.search(rf"\b{name}\b", known)] == []


@each_page
def test_options_of_tasks_in_examples_exist(page: Path) -> None:
    reference = (ROOT / "docs/reference.md").read_text(encoding="utf-8")
    for block in blocks(page.read_text(encoding="utf-8"), "yaml"):
        tasks = yaml.safe_load(block)
        for task in tasks if isinstance(tasks, list) else []:
            (module,) = [key for key in task if key.startswith("cutover.arangodb.")]
            section = reference.partition(f"## {module}\n")[2].partition("\n## ")[0]
            assert [name for name in task[module] if f"| `{name}` |" not in section] == []


def test_concepts_draw_the_states_and_steps_of_the_engine() -> None:
    text = (ROOT / "docs/concepts.md").read_text(encoding="utf-8")
    drawn = set(re.findall(r"^ +(\S+) --> (\S+)$", text, re.M))
    known = {(a, b) for a, after in TRANSITIONS.items() for b in after} | {("[*]", INACTIVE)}
    assert drawn == {(a.replace("-", "_"), b.replace("-", "_")) for a, b in known}
    table = text.partition("## The steps of a cutover")[2]
    assert tuple(re.findall(r"^\| `([a-z ]+)` \|", table, re.M)) == Cutover.STEPS


def test_every_playbook_has_a_section_and_every_page_is_in_the_index() -> None:
    sections = re.findall(r"^## (\w+)$", (ROOT / "docs/playbooks.md").read_text(encoding="utf-8"), re.M)
    assert {path.stem for path in (ROOT / "playbooks").glob("*.yml")} - set(sections) == set()
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    assert [path.name for path in (ROOT / "docs").glob("*.md") if path.name != "README.md"
            and f"({path.name})" not in index] == []  # fmt: skip


def test_the_runbook_names_every_reason_against_a_cutover() -> None:
    text = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
    generic = {"CUT-GATE-1", "CUT-GATE-6", "CUT-CUTOVER-5", "CUT-CUTOVER-6", "CUT-CUTOVER-8"}
    wanted = {code for code in ENTRIES if code.startswith(("CUT-GATE-", "CUT-CUTOVER-"))} - generic
    assert wanted - set(re.findall(r"CUT-[A-Z]+-\d+", text)) == set()


def test_every_command_and_option_of_the_former_tool_has_its_place() -> None:
    former: dict[str, Any] = json.loads(FORMER.read_text())
    text = (ROOT / "docs/from-arangosync-migration.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(--[\w.-]+)`", text))
    assert {flag for flags in former["commands"].values() for flag in flags} - named == set()
    assert [name for name in former["commands"] if f"| `{name}" not in text] == []
    specs = [path.read_text() for path in ROOT.glob("roles/*/meta/argument_specs.yml")]
    known = "".join([*specs, *(path.read_text() for path in (ROOT / "playbooks").glob("*.yml"))])
    variables = re.findall(r"^\| `--.*\| `(\w+)` \|", text, re.M)
    assert variables
    assert [name for name in variables if not re.search(rf"\b{name}\b", known)] == []


def test_tuning_and_security_have_the_figures_of_the_code() -> None:
    tuning = (ROOT / "docs/tuning.md").read_text(encoding="utf-8")
    assert [rule.reason for rule in RULES if f"| {rule.reason} |" not in tuning] == []
    for name, budget in PRESETS.items():
        row = re.search(rf"^\| `{name}`.*$", tuning, re.M)
        assert row
        assert f"| {budget.copiers} |" in row[0]
        rate = "no limit" if name == "max" else f"{budget.verify_rate:,.0f}"
        assert f"| {rate} |" in row[0]
    security = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    assert [one for names in PERMISSIONS.values() for one in names if f"`{one}`" not in security] == []


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= README_LINES
