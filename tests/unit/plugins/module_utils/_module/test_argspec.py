# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The modules' options are the specification's fields, with its defaults, and documented as they are."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.flags import SPEC_FLAGS
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import spec
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.load import Load
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.overrides import ByPattern
from ansible_collections.cutover.arangodb.plugins.module_utils._module import argspec

ROOT = Path(__file__).resolve().parents[5]
# `wait_timeout` is the task's own waiting in modules; the gate's is `gate_timeout` there.
NOT_IN_MODULES = {"wait_timeout"}


def test_request_fields_are_those_of_the_specification() -> None:
    assert set(argspec.REQUEST_FIELDS) == set(spec.FIELDS) - NOT_IN_MODULES
    assert {flag.field for flag in SPEC_FLAGS} == set(spec.FIELDS) - NOT_IN_MODULES


def test_defaults_are_those_of_the_specification() -> None:
    options: dict[str, Any] = {
        **argspec.source_options(), **argspec.target_options(), **argspec.specification_options(),
    }  # fmt: skip
    fields = {field.name: field for part in (spec.Spec, Load) for field in dataclasses.fields(part)}
    for name, option in options.items():
        if "default" not in option:
            continue
        field = fields[name]
        made = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
        made = made.as_dict() if isinstance(made, ByPattern) else made
        assert option["default"] == (list(made) if isinstance(made, tuple) else made), name


def test_secrets_are_top_level_and_hidden() -> None:
    parts = (argspec.agent_options(), argspec.source_options(), argspec.secret_options(), argspec.target_options(),
             argspec.specification_options())  # fmt: skip
    options = argspec.merged(*parts)
    assert {name for name, option in options.items() if option.get("no_log")} == {"agent_token", "target_password"}


def test_a_name_in_two_parts_is_refused() -> None:
    with pytest.raises(ValueError, match="agent_endpoint"):
        argspec.merged(argspec.agent_options(), argspec.agent_options())


def test_a_request_leaves_out_what_was_not_given() -> None:
    assert argspec.start_request({"name": "a", "max_downtime": None, "state": "started", "wait": True}) == {"name": "a"}


def test_playbooks_pass_every_field_on() -> None:
    for name in ("migrate", "precheck"):
        play = yaml.safe_load((ROOT / f"playbooks/{name}.yml").read_text())[0]
        module = "cutover.arangodb.migration" if name == "migrate" else "cutover.arangodb.precheck"
        arguments = next(task[module] for task in play["tasks"] if module in task)
        assert set(arguments) >= set(argspec.REQUEST_FIELDS), name
