# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The job templates: each has its playbook, and asks only for variables of that playbook, in a form that AWX takes."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from tests.roles.conftest import ROOT, Host

PATTERN = ROOT / "extensions/patterns/live_migration"
DEFINITION: dict[str, Any] = json.loads((PATTERN / "meta/pattern.json").read_text())
TEMPLATES: list[dict[str, Any]] = DEFINITION["aap_resources"]["controller_job_templates"]
KEYS = {
    "question_name", "question_description", "required", "type", "variable", "min", "max", "default",
}  # fmt: skip


def imported(template: dict[str, Any]) -> str:
    """The collection's playbook that a template's playbook imports."""
    (play,) = yaml.safe_load((PATTERN / "playbooks" / template["playbook"]).read_text())
    return str(play["ansible.builtin.import_playbook"]).removeprefix("cutover.arangodb.")


def survey(template: dict[str, Any]) -> list[dict[str, Any]]:
    """The questions of a template."""
    return list(template.get("survey", {}).get("spec", []))


def test_the_definition_keeps_to_the_specification_of_patterns() -> None:
    """As far as it is narrower than what AWX takes: lengths, and every default and choice is a text."""
    assert re.fullmatch(r"[a-z0-9_]{1,64}", DEFINITION["name"])
    assert len(DEFINITION["title"]) <= 64
    assert not DEFINITION["short_description"].endswith(".")
    resources = DEFINITION["aap_resources"]
    for one in (*TEMPLATES, resources["controller_project"], resources["controller_execution_environment"]):
        assert len(one["name"]) <= 200
        assert one["description"]
    for question in (question for template in TEMPLATES for question in survey(template)):
        assert re.fullmatch(r"[a-z0-9_]{1,64}", question["variable"])
        assert all(isinstance(text, str) for text in (question["default"], *question.get("choices", [])))


def test_the_pattern_is_named_as_its_directory_and_has_one_primary_template() -> None:
    assert DEFINITION["name"] == PATTERN.name
    assert sum(template["primary"] for template in TEMPLATES) == 1
    assert {label for template in TEMPLATES for label in template["labels"]} == set(
        DEFINITION["aap_resources"]["controller_labels"]
    )
    assert {template["playbook"] for template in TEMPLATES} == {
        path.name for path in (PATTERN / "playbooks").iterdir()
    }


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template["playbook"])
def test_a_survey_asks_for_variables_of_its_playbook(template: dict[str, Any]) -> None:
    path = ROOT / "playbooks" / f"{imported(template)}.yml"
    text = path.read_text()
    asked = [question["variable"] for question in survey(template)]
    assert len(set(asked)) == len(asked)
    for name in asked:
        assert re.search(rf"^#.*\b{name}\b", text.split("\n- name:")[0], re.M), name
        tasks = text + "".join(part.read_text() for part in (ROOT / "playbooks/tasks").glob("*.yml"))
        assert re.search(rf"\b{name}\b", tasks.split("\n- name:", 1)[1]), name


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template["playbook"])
def test_a_survey_is_one_that_awx_takes(template: dict[str, Any]) -> None:
    for question in survey(template):
        assert set(question) == KEYS | ({"choices"} if question["type"] == "multiplechoice" else set())
        assert question["question_name"]
        assert question["type"] in ("text", "password", "integer", "multiplechoice")
        default = question["default"]
        if question["variable"] == "server_mode":
            assert (default, question["required"]) == ("", True), "either mode has consequences"
        elif question["type"] == "multiplechoice":
            assert default in question["choices"]
        elif question["type"] == "integer" and default != "":
            assert question["min"] <= default <= question["max"]
        if question["type"] == "password":
            assert default == ""


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("agent")
def test_the_answers_of_surveys_are_taken_as_the_texts_that_they_are(host: Host) -> None:
    """As AWX gives them: every answer a text, what was not answered an empty one."""
    both = "https://127.0.0.1:1,https://127.0.0.1:3"
    started = host.play("migrate", source_endpoints=both, load="fast", overwrite_target="false")
    assert (started.code, started.changed) == (0, 1), started.output
    unanswered = dict.fromkeys(("mb_per_second", "operations_per_second", "verify_rate", "copiers"), "")
    tuned = host.play("limits", load="gentle", **{**unanswered, "copiers": "3"})
    assert (tuned.code, tuned.changed) == (0, 1), tuned.output
    answers = dict.fromkeys(("pre_cutover_tasks", "on_fenced_tasks", "post_open_tasks", "on_rollback_tasks"), "")
    done = host.play("cutover", **answers, max_downtime="20", gate_timeout="5")
    assert (done.code, done.changed) == (0, 1), done.output
