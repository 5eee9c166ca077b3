# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Defects in making the objects of an automation controller (docs/automation.md, module `controller_objects`)."""

from __future__ import annotations

from tests.mutants.mutant import Mutant, mutants_of

_mutant = mutants_of(
    "automation: AWX", "plugins/module_utils/_controller/", "tests/unit/plugins/modules/test_controller_objects.py"
)

CONTROLLING: tuple[Mutant, ...] = (
    _mutant(
        "controller-written-in-check-mode",
        "check mode writes nothing to the controller",
        "changes.py",
        "return {} if self.check else write()",
        "return write()",
        "test_check_do_again",
    ),
    _mutant(
        "controller-secret-differs",
        "a secret that the controller hides counts as equal",
        "comparison.py",
        "current[key] in (HIDDEN, value)",
        "current[key] == value",
        "test_check_do_again",
    ),
    _mutant(
        "controller-secret-sent-again",
        "secrets of what is there are sent only on request",
        "objects.py",
        "if self._update_secrets and name in self._secrets:",
        "if name in self._secrets:",
        "test_secrets_are_sent_again_only_on_request",
    ),
    _mutant(
        "controller-name-guessed",
        "two objects with the name of a reference are not guessed",
        "objects.py",
        "if len(found) > 1:",
        "if len(found) > 2:",
        "test_two_objects_with_the_name_of_a_reference_are_not_guessed",
    ),
    _mutant(
        "controller-project-not-fetched",
        "a project that could not be fetched ends the task",
        "objects.py",
        'if status in ("failed", "error", "canceled"):',
        'if status == "canceled":',
        "test_a_project_that_cannot_be_fetched_ends_the_task",
    ),
    _mutant(
        "controller-node-kept",
        "a workflow has no node but the described ones",
        "workflow.py",
        "if identifier not in wanted or _is_approval(found) != _wants_approval(wanted[identifier]):",
        "if identifier in wanted and _is_approval(found) != _wants_approval(wanted[identifier]):",
        "test_a_workflow_gets_exactly_its_nodes",
    ),
    _mutant(
        "controller-job-approves-itself",
        "a node that was a job becomes an approval",
        "workflow.py",
        "if identifier not in wanted or _is_approval(found) != _wants_approval(wanted[identifier]):",
        "if identifier not in wanted:",
        "test_a_node_that_was_a_job_becomes_an_approval",
    ),
    _mutant(
        "controller-edge-kept",
        "an edge that is not described any more is removed: nobody is passed by without an approval",
        "workflow.py",
        "for stale in before - {follower for follower, _identifier in after}:",
        "for stale in before & set():",
        "test_an_edge_that_is_not_described_any_more_is_removed",
    ),
)
