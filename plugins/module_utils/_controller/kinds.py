# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The kinds of objects of an automation controller: where they are, and how they refer to each other."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

NOTIFICATIONS = {
    f"notification_templates_{moment}": "notification_template" for moment in ("started", "success", "error")
}
# Fields that the API keeps as a text, here of JSON.
TEXTS = frozenset({"extra_vars", "variables"})
# Fields with entries that the API never gives back.
ENCRYPTED = frozenset({"inputs", "notification_configuration"})


@dataclass(frozen=True)
class Kind:
    """``references`` are fields that hold another object's id, ``links`` relations to any number of others, both by
    the kind of the other; ``scope`` are references within which a name is unique."""

    path: str
    references: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    scope: tuple[str, ...] = ()


_ORGANIZATION = {"organization": "organization"}
KINDS: dict[str, Kind] = {
    "organization": Kind("organizations"),
    "credential_type": Kind("credential_types"),
    "execution_environment": Kind("execution_environments", _ORGANIZATION),
    "label": Kind("labels", _ORGANIZATION, scope=("organization",)),
    "notification_template": Kind("notification_templates", _ORGANIZATION, scope=("organization",)),
    "credential": Kind(
        "credentials", {**_ORGANIZATION, "credential_type": "credential_type"}, scope=("organization",)
    ),
    "project": Kind(
        "projects",
        {**_ORGANIZATION, "default_environment": "execution_environment", "credential": "credential"},
        scope=("organization",),
    ),
    "inventory": Kind("inventories", _ORGANIZATION, scope=("organization",)),
    "host": Kind("hosts", {"inventory": "inventory"}, scope=("inventory",)),
    "group": Kind("groups", {"inventory": "inventory"}, {"hosts": "host"}, scope=("inventory",)),
    "job_template": Kind(
        "job_templates",
        {"project": "project", "inventory": "inventory", "execution_environment": "execution_environment"},
        {"credentials": "credential", "labels": "label", **NOTIFICATIONS},
    ),
    "workflow_job_template": Kind(
        "workflow_job_templates",
        {**_ORGANIZATION, "inventory": "inventory"},
        {"labels": "label", **NOTIFICATIONS, "notification_templates_approvals": "notification_template"},
        scope=("organization",),
    ),
    "schedule": Kind("schedules", {"unified_job_template": "job_template"}, scope=("unified_job_template",)),
}
