# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The workflow, node after node, each job as AWX runs it, between two emulated clusters."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.controller.data import CREDENTIAL_TYPES, NODES, PATTERN, TEMPLATES, USES
from tests.controller.job import Credential, Job, run_job
from tests.integration.engine_case import all_differences
from tests.integration.pair import Pair
from tests.roles.conftest import Host, mode_of

pytestmark = pytest.mark.timeout(900)

BY_PLAYBOOK = {template["playbook"].removesuffix(".yml"): template for template in TEMPLATES}
# Credentials, surveys and the deployment answer for these; whatever else a host has is the inventory's.
NOT_IN_INVENTORY = {
    "agent_token", "source_endpoints", "target_endpoints", "target_username", "target_password", "target_ca_path",
    "agent_source_jwt_secret_source", "agent_source_ca_source", "agent_tls_keyfile_source", "agent_tls_ca_source",
}  # fmt: skip


@dataclass
class Workflow:
    """A run of the workflow: approvals are given, artifacts go to the nodes that follow."""

    host: Host
    clusters: Pair
    directory: Path
    artifacts: dict[str, Any] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)

    def credentials(self, playbook: str) -> list[Credential]:
        """What configure_controller links to the job template of a playbook."""
        variables, source, target = self.host.variables, self.clusters.source, self.clusters.target
        entered = {
            "ArangoDB agent": {"token": variables["agent_token"]},
            "ArangoDB agent certificate": {
                "keyfile": Path(variables["agent_tls_keyfile_source"]).read_text(),
                "ca": Path(variables["agent_tls_ca_source"]).read_text(),
            },
            "ArangoDB source": {
                "jwt_secret": Path(source.jwt_secret_path).read_text(), "ca": Path(source.ca_path).read_text(),
            },
            "ArangoDB target": {
                "endpoints": ",".join(target.coordinators), "username": "root", "ca": Path(target.ca_path).read_text(),
                "password": variables["target_password"],
            },
        }  # fmt: skip
        return [
            Credential(CREDENTIAL_TYPES[name], inputs)
            for name, inputs in entered.items()
            if playbook in USES[name]["playbooks"]
        ]

    def job(self, playbook: str, **answers: Any) -> Job:
        """Launch the job template of a playbook as a node of its own."""
        template = BY_PLAYBOOK[playbook]
        credentials = self.credentials(playbook)
        answered = {name for kind, use in USES.items() if kind != "ArangoDB platform" for name in use["answers"]}
        if "survey" in template:
            spec = [one for one in template["survey"]["spec"] if one["variable"] not in answered]
            template = {**template, "survey": {**template["survey"], "spec": spec}}
        inventory = {name: value for name, value in self.host.variables.items() if name not in NOT_IN_INVENTORY}
        done = run_job(
            self.directory / f"{len(self.jobs)}-{playbook}", template,
            playbooks=PATTERN / "playbooks", collections=self.host.collections, credentials=credentials,
            inventory={"all": {"children": {"cutover_agents": {"hosts": {"localhost": inventory}}}}},
            answers=answers, artifacts=self.artifacts,
        )  # fmt: skip
        for name in ("agent_token", "target_password"):
            assert self.host.variables[name] not in done.output
        self.artifacts.update(done.artifacts)
        self.jobs[f"{len(self.jobs)} {playbook}"] = done
        return done

    def run(self, answers: dict[str, dict[str, Any]], denied: str = "", begin: str = "precheck") -> list[str]:
        """Follow the edges from a node; the nodes in the order of their end, a failed one with a mark."""
        identifier, way = begin, []
        while identifier:
            node = NODES[identifier]
            succeeded = identifier != denied
            if "job_template" in node:
                (playbook,) = re.findall(r"__cutover_names\['(\w+)\.yml'\]", node["job_template"])
                succeeded = self.job(playbook, **answers.get(playbook, {})).status == "successful"
            way.append(identifier if succeeded else f"{identifier} failed")
            followers = [*node.get("success" if succeeded else "failure", []), *node.get("always", [])]
            identifier = followers[0] if followers else ""
        return way


@pytest.fixture
def workflow(real_host: Host, clusters: Pair, tmp_path: Path) -> Workflow:
    """The workflow on a host that has its agent by a job, too."""
    (tmp_path / "jobs").mkdir()
    made = Workflow(real_host, clusters, tmp_path / "jobs")
    deployed = made.job("deploy_agent")
    assert deployed.status == "successful", deployed.output
    return made


def figures(workflow: Workflow) -> dict[str, Any]:
    """What the last job has handed on."""
    handed: dict[str, Any] = workflow.artifacts["cutover_migrations"]["localhost"]
    return handed


def test_the_workflow_moves_a_cluster(workflow: Workflow, clusters: Pair) -> None:
    endpoints = {"source_endpoints": ",".join(clusters.source.coordinators)}
    with pytest.raises(ValueError, match="'source_endpoints' value missing"):
        workflow.job("migrate")
    way = workflow.run({"precheck": endpoints, "migrate": endpoints, "cutover": {"gate_timeout": 60}})
    assert way == [
        "precheck", "approve_start", "migrate", "watch", "verify", "approve_cutover", "cutover", "report",
    ], "".join(job.output for job in workflow.jobs.values() if job.status != "successful")  # fmt: skip
    assert figures(workflow)["state"] == "completed"
    assert figures(workflow)["id"]
    assert figures(workflow)["report"]["last_attempt"]
    assert all_differences(clusters) == {}


def test_a_failed_step_leads_over_an_approval_to_the_abort(workflow: Workflow, clusters: Pair) -> None:
    endpoints = {"source_endpoints": ",".join(clusters.source.coordinators)}
    never = {"watch_until": "completed", "watch_timeout": 1}
    answers = {"precheck": endpoints, "migrate": endpoints, "watch": never}
    before = ["precheck", "approve_start", "migrate", "watch failed"]
    assert workflow.run(answers, denied="approve_abort") == [*before, "approve_abort failed"]
    assert workflow.job("status").status == "successful"
    assert figures(workflow)["state"] in ("initial-sync", "running")
    assert workflow.run(answers, begin="watch") == ["watch failed", "approve_abort", "abort", "report"]
    assert figures(workflow)["state"] == "aborted"
    assert mode_of(clusters) == "default"


def test_every_other_job_does_what_its_name_says(workflow: Workflow, clusters: Pair) -> None:
    """With the jobs of the workflow and of its beginning, each template of the pattern is run."""
    endpoints = {"source_endpoints": ",".join(clusters.source.coordinators)}
    steps: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("migrate", endpoints, ""),
        ("pause", {"pause_reason": "backup of {{ nobody }}"}, "CUT-GATE-9"),
        ("status", {}, "CUT-GATE-9"),
        ("resume", {}, ""),
        ("limits", {"load": "fast", "copiers": 3}, ""),
        ("watch", {"watch_until": "ready"}, "ready for the cutover"),
        ("verify", {"verify_mode": "documents", "verify_repair": "true"}, ""),
        ("rehearse", {"fence_seconds": 5}, "fence"),
        ("server_mode", {"server_mode": "readonly"}, "readonly, asked"),
        ("server_mode", {"server_mode": "default"}, "default, asked"),
        ("abort", {}, "aborted"),
        ("remove_agent", {}, ""),
    )
    for playbook, answers, said in steps:
        done = workflow.job(playbook, **answers)
        assert done.status == "successful", done.output
        assert said in done.output, done.output
        if playbook == "server_mode":
            assert mode_of(clusters) == answers["server_mode"]
    assert not workflow.host.install_path("install/cutover-agent.pyz").exists()
    in_the_workflow = {"precheck", "migrate", "watch", "verify", "cutover", "abort", "status"}
    assert {"deploy_agent", *in_the_workflow, *(playbook for playbook, *_rest in steps)} == set(BY_PLAYBOOK)


def test_a_cutover_that_is_not_ready_hands_its_blockers_on(workflow: Workflow, clusters: Pair) -> None:
    refused = workflow.job("cutover")
    assert refused.status == "failed"
    assert figures(workflow)["failure"]["code"]
    assert figures(workflow)["message"]
