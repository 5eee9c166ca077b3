# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The playbook configure_controller against a controller that refuses what AWX refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.controller.data import CREDENTIAL_TYPES, ROOT, TEMPLATES, USES
from tests.controller.fake import TOKEN, Controller, running
from tests.roles.conftest import Host
from tests.unit.agent_fakes import Certificates

# Runs where no agent is, with a file that does not survive a job; and the playbook that makes the job templates.
WITHOUT_TEMPLATE = {"rescue", "configure_controller"}
WORKFLOW = "ArangoDB: Live migration"
# What AWX's own client sends and where to (tests/tools/awxkit_table.py); it makes no schedules, and its approvals and
# environments have gaps.
AWXKIT: dict[str, Any] = json.loads((ROOT / "tests/controller/awxkit.json").read_text())
GAPS = {
    "execution_environments": {"description"},
    "schedules": {"name", "unified_job_template", "rrule", "enabled"},
    "workflow_approval_templates": {"name", "description", "timeout"},
}
SECRETS = {"token": "hush-agent", "jwt_secret": "hush-jwt", "password": "hush-target"}
CREDENTIALS = [
    {"name": "Agent", "type": "ArangoDB agent", "secrets": {"token": SECRETS["token"]}},
    {"name": "Source", "type": "ArangoDB source", "inputs": {"ca": "PEM"},
     "secrets": {"jwt_secret": SECRETS["jwt_secret"]}},
    {"name": "Target", "type": "ArangoDB target", "secrets": {"password": SECRETS["password"]},
     "inputs": {"endpoints": "https://target:8529", "username": "root", "ca": "PEM"}},
    {"name": "Hosts", "type": "Machine", "inputs": {"username": "ops"}},
]  # fmt: skip

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def controller() -> Controller:
    """A controller with the type Machine."""
    made = Controller()
    made.add("credential_types", {"name": "Machine", "kind": "ssh", "inputs": {"fields": [{"id": "username"}]}})
    return made


@pytest.fixture
def ready(tmp_path: Path, installed: Path, certificates: Certificates, controller: Controller) -> Iterator[Host]:
    """A host whose variables lead to the controller."""
    with running(controller, Path(certificates.server_keyfile)) as address:
        yield Host(tmp_path, installed, {
            "ansible_connection": "local",
            "controller_endpoint": address,
            "controller_token": TOKEN,
            "controller_ca_path": str(certificates.ca),
            "controller_agent_hosts": {"db1.example.com": {"agent_port": 8629}},
            "controller_inventory_variables": {"source_ca_path": "/etc/cutover-arangodb/source-ca.pem"},
            "controller_credentials": CREDENTIALS,
            "controller_notifications": [{"name": "Team", "type": "webhook", "configuration": {"url": "https://chat"}}],
        })  # fmt: skip


def test_everything_is_made_once(ready: Host, controller: Controller) -> None:
    checked = ready.play("configure_controller", "--check")
    assert (checked.code, controller.writes) == (0, []), checked.output
    done = ready.play("configure_controller", "--diff", "-vvv")
    assert done.code == 0, done.output
    assert not [secret for secret in (TOKEN, *SECRETS.values()) if secret in done.output]
    for template in TEMPLATES:
        stored = controller.named("job_templates", template["name"])
        assert stored["playbook"] == f"extensions/patterns/live_migration/playbooks/{template['playbook']}"
        assert controller.linked("job_templates", template["name"], "labels") == set(template["labels"])
        assert controller.linked("job_templates", template["name"], "notification_templates_error") == {"Team"}
    check_surveys(controller)
    check_credentials(controller)
    check_workflow(controller)
    check_against_awxkit(controller)
    writes = len(controller.writes)
    again = ready.play("configure_controller")
    assert (again.code, again.changed, controller.writes[writes:]) == (0, 0, []), again.output
    assert ready.play("configure_controller", "--check", controller_rehearsal_enabled=True).changed == 1
    assert controller.writes[writes:] == []


def check_surveys(controller: Controller) -> None:
    """The questions are those of the pattern, but for what credentials answer."""
    answered = {"target_endpoints", "target_username", "target_password"}
    for template in TEMPLATES:
        expected = [one for one in template.get("survey", {}).get("spec", []) if one["variable"] not in answered]
        number = controller.named("job_templates", template["name"])["id"]
        assert controller.surveys.get(("job_templates", number), {}).get("spec", []) == expected
    workflow = controller.named("workflow_job_templates", WORKFLOW)["id"]
    asked = [one["variable"] for one in controller.surveys["workflow_job_templates", workflow]["spec"]]
    assert len(asked) == len(set(asked))
    assert {"source_endpoints", "load", "max_downtime"} <= set(asked)
    assert not answered & set(asked)


def check_credentials(controller: Controller) -> None:
    """Each job gets the credentials that its playbook needs, and no other."""
    expected = {"deploy_agent": {"Source", "Hosts"}, "precheck": {"Target", "Hosts"},
                "remove_agent": {"Agent", "Hosts"}, "migrate": {"Agent", "Target", "Hosts"},
                "cutover": {"Agent", "Hosts"}}  # fmt: skip
    by_playbook = {template["playbook"].removesuffix(".yml"): template["name"] for template in TEMPLATES}
    for playbook, names in expected.items():
        assert controller.linked("job_templates", by_playbook[playbook], "credentials") == names, playbook


def check_workflow(controller: Controller) -> None:
    """The way from the checks to the report, and from a failed step through an approval to the abort."""
    workflow = controller.named("workflow_job_templates", WORKFLOW)["id"]
    stored = controller.stored["workflow_job_template_nodes"].values()
    nodes = {one["identifier"]: one["id"] for one in stored if one["workflow_job_template"] == workflow}
    names = {number: identifier for identifier, number in nodes.items()}

    def after(identifier: str, edge: str) -> list[str]:
        links = controller.links.get(("workflow_job_template_nodes", nodes[identifier], f"{edge}_nodes"), [])
        return [names[number] for number in links]

    way = ["precheck"]
    while after(way[-1], "success"):
        way += after(way[-1], "success")
    assert way == ["precheck", "approve_start", "migrate", "watch", "verify", "approve_cutover", "cutover", "report"]
    assert {one for one in nodes if after(one, "failure") == ["approve_abort"]} == {
        "migrate", "watch", "verify", "cutover",
    }  # fmt: skip
    assert (after("approve_abort", "success"), after("abort", "always")) == (["abort"], ["report"])


def check_against_awxkit(controller: Controller) -> None:
    """Every field is sent, and every address asked for, by AWX's own client, too."""
    fields = {path: {*AWXKIT["fields"].get(path, ()), *GAPS.get(path, ())} for path in controller.stored}
    for path, stored in controller.stored.items():
        sent = {name for one in stored.values() for name in one}
        assert sent - {"id", "status"} <= fields[path], path  # these two are the controller's own
    for write in controller.writes:
        path, *further = write.partition(" ")[2].strip("/").split("/")
        assert path in fields
        assert set(further[1:]) <= set(AWXKIT["related"]), write


def test_there_is_a_job_template_for_each_playbook() -> None:
    playbooks = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
    assert {template["playbook"].removesuffix(".yml") for template in TEMPLATES} == playbooks - WITHOUT_TEMPLATE


def test_what_credentials_inject_is_a_variable_of_the_playbooks_that_get_them() -> None:
    assert set(USES) == set(CREDENTIAL_TYPES)
    roles = (ROOT / "roles/agent/meta/argument_specs.yml").read_text()
    for name, described in CREDENTIAL_TYPES.items():
        injected = described["injectors"]
        for playbook in USES[name]["playbooks"]:
            text = (ROOT / f"playbooks/{playbook}.yml").read_text()
            for variable in [*injected.get("extra_vars", {}), *injected.get("env", {})]:
                of_the_role = playbook == "deploy_agent" and f"{variable}:" in roles
                assert variable in text or of_the_role, (playbook, variable)
        fields = {field["id"] for field in described["inputs"]["fields"]}
        assert set(described["inputs"]["required"]) == fields
        for template in injected.get("file", {}).values():
            assert template.strip("{} ") in fields


def test_what_is_missing_is_told_before_anything_is_touched(ready: Host, controller: Controller) -> None:
    refused = ready.play("configure_controller", controller_agent_hosts={})
    assert refused.code != 0
    assert "Set controller_endpoint, controller_token and controller_agent_hosts" in refused.output
    assert controller.writes == []
