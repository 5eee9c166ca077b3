# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One job as AWX runs it, by ansible-runner: a directory of its own, unsafe extra variables, injected credentials."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ansible_runner
import jinja2
import yaml

from tests.controller.survey import refused_answer
from tests.tools.outside import outside


class Unsafe(str):
    """A text that Ansible must not template."""


class _Dumper(yaml.SafeDumper):
    """Writes such texts with their tag."""


_Dumper.add_representer(Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text)))


@dataclass(frozen=True)
class Credential:
    """What somebody has entered for a credential of a type (the `fields` of its description)."""

    type: Mapping[str, Any]
    inputs: Mapping[str, str]


@dataclass(frozen=True)
class Job:
    """How a job ended: `artifacts` is what its playbook handed on with set_stats."""

    status: str
    output: str
    artifacts: dict[str, Any]


def run_job(
    directory: Path, template: Mapping[str, Any], *, playbooks: Path, collections: Path, inventory: Mapping[str, Any],
    credentials: Sequence[Credential], answers: Mapping[str, Any], artifacts: Mapping[str, Any],
) -> Job:  # fmt: skip
    """Launch a job template; an answer that its survey does not take raises `ValueError`, as AWX answers with 400."""
    directory.mkdir()
    shutil.copytree(playbooks, directory / "project")
    own = {"awx_job_id": 1, "tower_job_id": 1, "awx_user_name": "ops"}
    variables = {**_answered(template, answers), **artifacts, **own}
    environment = {
        "PYTHONPATH": outside()["PYTHONPATH"], "ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_HOME": str(directory),
    }  # fmt: skip
    for number, credential in enumerate(credentials):
        _inject(directory, number, credential, variables, environment)
    (directory / "inventory").mkdir()
    (directory / "inventory/hosts.json").write_text(json.dumps(inventory))
    (directory / "env").mkdir()
    written = yaml.dump({Unsafe(name): _unsafe(value) for name, value in variables.items()}, Dumper=_Dumper)
    (directory / "env/extravars").write_text(written)
    ended = ansible_runner.run(
        private_data_dir=str(directory), playbook=template["playbook"], envvars=environment, quiet=True,
        settings={"suppress_env_files": True},
    )  # fmt: skip
    found: dict[str, Any] = {}
    for event in ended.events:
        found.update(event.get("event_data", {}).get("artifact_data") or {})
    return Job(str(ended.status), str(ended.stdout.read()), found)


def _answered(template: Mapping[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
    """What a survey makes of the answers: texts that were left out are empty, other questions have their default."""
    found: dict[str, Any] = {}
    for question in template.get("survey", {}).get("spec", []):
        value = answers.get(question["variable"], question["default"])
        why = refused_answer(question, value)
        if why:
            raise ValueError(why)
        if value != "" or question["type"] in ("text", "textarea"):
            found[question["variable"]] = value
    return found


def _unsafe(value: Any) -> Any:
    if isinstance(value, str):
        return Unsafe(value)
    if isinstance(value, Mapping):
        return {_unsafe(name): _unsafe(inner) for name, inner in value.items()}
    return [_unsafe(inner) for inner in value] if isinstance(value, list) else value


def _inject(
    directory: Path, number: int, credential: Credential, variables: dict[str, Any], environment: dict[str, str]
) -> None:
    """Files, extra variables and environment of a credential, by the injectors of its type."""
    injectors = credential.type["injectors"]
    engine = jinja2.Environment(undefined=jinja2.StrictUndefined)
    files: dict[str, str] = {}
    for name, text in injectors.get("file", {}).items():
        path = directory / f"credential-{number}-{name}"
        path.write_text(engine.from_string(text).render(credential.inputs))
        path.chmod(0o600)
        files[name.removeprefix("template.")] = str(path)
    known = {**credential.inputs, "tower": SimpleNamespace(filename=SimpleNamespace(**files))}
    for target, kind in ((variables, "extra_vars"), (environment, "env")):
        for name, text in injectors.get(kind, {}).items():
            target[name] = engine.from_string(text).render(known)
