# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module `controller_objects` against a controller that refuses what AWX refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.cutover.arangodb.plugins.module_utils._controller import objects as applied
from ansible_collections.cutover.arangodb.plugins.modules import controller_objects
from tests.controller.fake import TOKEN, Controller, running
from tests.unit.agent_fakes import Certificates

Run = Callable[..., dict[str, Any]]
SECRET = "hush-hush-password"
QUESTION = {"question_name": "Until", "question_description": "", "required": False, "type": "multiplechoice",
            "variable": "watch_until", "min": 0, "max": 1024, "default": "ready",
            "choices": ["ready", "completed"]}  # fmt: skip
OBJECTS: list[dict[str, Any]] = [
    {"kind": "credential_type", "name": "Target", "fields": {
        "kind": "cloud", "inputs": {"fields": [{"id": "url", "label": "URL", "type": "string"},
                                               {"id": "password", "label": "P", "type": "string", "secret": True}]},
        "injectors": {"extra_vars": {"target_password": "{{ password }}"}}}},
    {"kind": "credential", "name": "Managed", "fields": {
        "organization": "Default", "credential_type": "Target", "inputs": {"url": "https://target"}}},
    {"kind": "label", "name": "arangodb", "fields": {"organization": "Default"}},
    {"kind": "project", "name": "Project", "fields": {"organization": "Default", "scm_url": "https://git"}},
    {"kind": "inventory", "name": "Agents", "fields": {"organization": "Default", "variables": {"agent_port": 8629}}},
    {"kind": "host", "name": "db1", "fields": {"inventory": "Agents", "variables": {}}},
    {"kind": "group", "name": "cutover_agents", "fields": {"inventory": "Agents"}, "links": {"hosts": ["db1"]}},
    {"kind": "job_template", "name": "Watch",
     "fields": {"project": "Project", "inventory": "Agents", "playbook": "watch.yml"},
     "links": {"credentials": ["Managed"], "labels": ["arangodb"]},
     "survey": {"name": "Watch", "description": "", "spec": [QUESTION]}},
    {"kind": "workflow_job_template", "name": "All", "fields": {"organization": "Default"}, "nodes": [
        {"identifier": "approve", "approval": "Begin?", "timeout": 60, "success": ["watch"]},
        {"identifier": "watch", "job_template": "Watch"}]},
    {"kind": "schedule", "name": "Nightly", "fields": {
        "unified_job_template": "Watch", "enabled": False,
        "rrule": "DTSTART:20260101T020000Z RRULE:FREQ=DAILY;INTERVAL=1"}},
]  # fmt: skip


@pytest.fixture
def controller() -> Controller:
    """An empty controller."""
    return Controller()


@pytest.fixture
def run(
    controller: Controller, certificates: Certificates, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Run]:  # fmt: skip
    """Runs the module; no secret may be in what it prints."""
    monkeypatch.setattr(applied, "_LOOK_EVERY", 0.01)
    with running(controller, Path(certificates.server_keyfile)) as address:

        def call(check: bool = False, **options: Any) -> dict[str, Any]:
            arguments = {
                "controller_endpoint": address, "controller_token": TOKEN, "controller_ca_path": str(certificates.ca),
                "objects": OBJECTS, "secrets": {"Managed": {"password": SECRET}}, **options,
                "_ansible_check_mode": check, "_ansible_diff": True,
            }  # fmt: skip
            with patch_module_args(arguments), pytest.raises(SystemExit):
                controller_objects.main()
            printed = capsys.readouterr().out
            assert TOKEN not in printed
            assert SECRET not in printed
            result: dict[str, Any] = json.loads(printed)
            return result

        yield call


def changed_object(name: str, **fields: Any) -> list[dict[str, Any]]:
    """The objects, with some fields of one of them changed."""
    return [{**one, "fields": {**one["fields"], **fields}} if one["name"] == name else one for one in OBJECTS]


def test_check_do_again(run: Run, controller: Controller) -> None:
    checked = run(check=True)
    assert (checked["changed"], controller.writes) == (True, [])
    done = run()
    assert "failure" not in done, done
    assert [(one["kind"], one["name"]) for one in checked["changes"]] == [
        (one["kind"], one["name"]) for one in done["changes"]
    ]
    assert controller.named("credentials", "Managed")["inputs"] == {"url": "https://target", "password": SECRET}
    assert controller.linked("job_templates", "Watch", "labels") == {"arangodb"}
    assert controller.linked("groups", "cutover_agents", "hosts") == {"db1"}
    writes = len(controller.writes)
    again = run()
    assert (again["changed"], again["changes"], len(controller.writes)) == (False, [], writes)


def test_what_differs_is_changed_and_nothing_else(run: Run, controller: Controller) -> None:
    run()
    writes = len(controller.writes)
    changed = run(objects=changed_object("Watch", playbook="status.yml"))
    assert changed["diff"] == {
        "before": {"job_template Watch": {"playbook": "watch.yml"}},
        "after": {"job_template Watch": {"playbook": "status.yml"}},
    }
    assert controller.writes[writes:] == [f"PATCH job_templates/{controller.named('job_templates', 'Watch')['id']}/"]


def test_secrets_are_sent_again_only_on_request(run: Run, controller: Controller) -> None:
    run()
    other = {"Managed": {"password": "hush-hush-password-2"}}
    assert run(secrets=other)["changed"] is False
    sent = run(secrets=other, update_secrets=True)
    assert [one["name"] for one in sent["changes"]] == ["Managed"]
    assert controller.named("credentials", "Managed")["inputs"]["password"] == "hush-hush-password-2"


def test_a_workflow_gets_exactly_its_nodes(run: Run, controller: Controller) -> None:
    run()
    nodes = [{"identifier": "first", "job_template": "Watch", "failure": ["approve"]},
             {"identifier": "approve", "approval": "Give up?", "timeout": 60}]  # fmt: skip
    objects = [{**one, "nodes": nodes} if one["name"] == "All" else one for one in OBJECTS]
    actions = [(one["action"], one["name"]) for one in run(objects=objects)["changes"]]
    assert actions[:3] == [("removed", "All: watch"), ("created", "All: first"), ("updated", "All: approve")]
    stored = {one["identifier"]: one for one in controller.stored["workflow_job_template_nodes"].values()}
    assert set(stored) == {"first", "approve"}
    template = controller.stored["workflow_approval_templates"][stored["approve"]["unified_job_template"]]
    assert template["name"] == "Give up?"
    edges = controller.links["workflow_job_template_nodes", stored["first"]["id"], "failure_nodes"]
    assert edges == [stored["approve"]["id"]]
    assert run(objects=objects)["changed"] is False


def test_an_edge_that_is_not_described_any_more_is_removed(run: Run, controller: Controller) -> None:
    run()
    nodes = [{**node, "success": []} for node in OBJECTS[8]["nodes"]]
    objects = [{**one, "nodes": nodes} if one["name"] == "All" else one for one in OBJECTS]
    assert [(one["action"], one["name"]) for one in run(objects=objects)["changes"]] == [("updated", "All: approve")]
    links = [ids for (path, _, relation), ids in controller.links.items()
             if (path, relation) == ("workflow_job_template_nodes", "success_nodes")]  # fmt: skip
    assert links == [[]]
    assert run(objects=objects)["changed"] is False


def test_a_node_that_was_a_job_becomes_an_approval(run: Run, controller: Controller) -> None:
    run()
    nodes = [{"identifier": "watch", "approval": "Begin?"}]
    objects = [{**one, "nodes": nodes} if one["name"] == "All" else one for one in OBJECTS]
    assert run(objects=objects)["changed"] is True
    (node,) = controller.stored["workflow_job_template_nodes"].values()
    assert node["unified_job_template"] in controller.stored["workflow_approval_templates"]


def test_what_others_have_linked_stays(run: Run, controller: Controller) -> None:
    run()
    number = controller.named("job_templates", "Watch")["id"]
    foreign = controller.add("labels", {"name": "theirs", "organization": 1})
    controller.links["job_templates", number, "labels"].append(foreign["id"])
    assert run()["changed"] is False
    assert controller.linked("job_templates", "Watch", "labels") == {"arangodb", "theirs"}


def test_a_project_that_cannot_be_fetched_ends_the_task(run: Run, controller: Controller) -> None:
    controller.project_ends_as = "failed"
    failed = run()
    assert (failed["failure"]["code"], failed["failure"]["details"]["status"]) == ("CUT-CONTROLLER-5", "failed")


@pytest.mark.parametrize(("options", "code", "named"), [
    ({"controller_token": "wrong"}, "CUT-CONTROLLER-2", "401"),
    ({"controller_api_path": "/api/controller/v2"}, "CUT-CONTROLLER-1", "/api/controller/v2/ping/"),
    ({"controller_endpoint": "http://awx.example.com"}, "CUT-SPEC-1", "controller_endpoint"),
    ({"objects": changed_object("Watch", project="Elsewhere")}, "CUT-CONTROLLER-4", "Elsewhere"),
    ({"objects": changed_object("Managed", inputs={"user": "x"})}, "CUT-CONTROLLER-3", "user"),
    ({"secrets": {"Nobody": {}}}, "CUT-SPEC-1", "Nobody"),
    ({"objects": [{**OBJECTS[2], "links": {"hosts": []}}]}, "CUT-SPEC-1", "allowed: none"),
    ({"objects": [{**OBJECTS[2], "survey": {"name": "x"}}]}, "CUT-SPEC-1", "survey"),
    ({"objects": [{**OBJECTS[8], "nodes": [{"identifier": "a"}]}]}, "CUT-SPEC-1", "either job_template or approval"),
    ({"objects": [{**OBJECTS[8], "nodes": [{"identifier": "a", "approval": "b", "success": ["c"]}]}]}, "CUT-SPEC-1",
     "followed by c"),
])  # fmt: skip
def test_what_cannot_be_is_refused_by_name(run: Run, options: dict[str, Any], code: str, named: str) -> None:
    if "objects" in options and "secrets" not in options and options["objects"][0]["kind"] != "credential_type":
        options = {**options, "secrets": {}}
    refused = run(**options)
    assert refused["failure"]["code"] == code, refused
    assert named in refused["msg"]
    assert refused["failure"]["remedy"]


def test_in_check_mode_what_is_missing_is_warned_of(run: Run, controller: Controller) -> None:
    run()
    checked = run(check=True, objects=changed_object("Watch", project="Elsewhere"))
    assert checked["changed"] is True
    assert "the controller has no project with the name Elsewhere" in str(checked["warnings"])


def test_two_objects_with_the_name_of_a_reference_are_not_guessed(run: Run, controller: Controller) -> None:
    for organization in (1, 1):
        controller.add("projects", {"name": "Twice", "organization": organization, "status": "successful"})
    refused = run(objects=changed_object("Watch", project="Twice"))
    assert (refused["failure"]["code"], "2 objects" in refused["msg"]) == ("CUT-CONTROLLER-4", True)
