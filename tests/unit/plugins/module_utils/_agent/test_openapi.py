# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The API's description: what is served is what is committed, and every route keeps to it, whatever it is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Optional

import jsonschema
import pytest
import requests
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from ansible_collections.cutover.arangodb.plugins.module_utils._agent import openapi
from ansible_collections.cutover.arangodb.plugins.module_utils._agent.openapi_requests import KINDS, REQUESTS
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import load, spec, spec_values
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.packing import POLICIES
from tests.tools import openapi_document
from tests.unit.agent_fakes import TOKENS, Certificates, RunningAgent, agent_config, running_agent

pytest_plugins = ("schemathesis.pytest.plugin",)  # everywhere else it is left out, by pyproject.toml
DOCUMENT: dict[str, Any] = json.loads(openapi_document.text())
ROLES = ("read", "operate", "cutover")
OPTIONS = (
    spec.FIELDS, spec.STOP_OPTIONS, spec.REHEARSE_OPTIONS, spec.REVOKE_OPTIONS, spec.VERIFICATION_OPTIONS,
    spec.CHANGES_OPTIONS, spec.RELEASE_OPTIONS,
)  # fmt: skip
# Values that some option takes, so that not all that is drawn is refused.
LIKELY: tuple[Any, ...] = (
    "https://db.example.com:8529", {"PRMR-1": "https://db.example.com:8530"}, {"id": "a", "reason": "b"},
    {"code": "a", "where": "b", "key": "c", "reason": "d"}, *spec_values.USERS,
    *spec_values.VERIFICATION_MODES, *POLICIES,
    0, 0.5, 1, 1e9, -1, True, "", "x" * spec_values.MAX_NAME, "x" * (spec_values.MAX_NAME + 1), "a\0b", "text",
    *load.PRESETS, {"from": "08:00", "to": "18:00", "mb_per_second": 5}, spec_values.PEM,
)  # fmt: skip
DESCRIBED = schemathesis.openapi.from_dict(DOCUMENT)
# The stream of events has no end; test_api.py reads it.
BOUNDED = DESCRIBED.exclude(path="/v1/migration/events")


@pytest.fixture(scope="module")
def shared(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAgent]:
    """One agent for all requests that are made up."""
    directory = tmp_path_factory.mktemp("agent")
    with running_agent(agent_config(certificates, directory), certificates) as running:
        yield running


@pytest.fixture(scope="module")
def session(shared: RunningAgent) -> Iterator[requests.Session]:
    """Connections to it, as somebody who may do everything."""
    with requests.Session() as made:
        made.trust_env = False
        made.verify = str(shared.certificates.ca)
        yield made


def test_the_committed_document_is_the_served_one(shared: RunningAgent, session: requests.Session) -> None:
    answer = session.get(f"{_base(shared)}/v1/openapi.json", headers=_token("read"), timeout=30)
    assert answer.json() == DOCUMENT
    written = openapi_document.DOCUMENT.read_text(encoding="utf-8")
    assert written == openapi_document.text(), "run: python -m tests.tools.openapi_document"


def test_every_route_is_described_with_its_role_and_nothing_else_is() -> None:
    table = openapi_document.table()
    assert {(route.method, route.path) for route in table} == set(openapi.OPERATIONS)
    for route in table:
        described = DOCUMENT["paths"][route.path][route.method.lower()]
        assert described.get("x-role") == route.role
        assert bool(described["security"]) == (route.role is not None)


def test_the_document_is_openapi() -> None:
    assert {operation.ok().label for operation in DESCRIBED.get_all_operations()} == {
        f"{method} {path}" for method, path in openapi.OPERATIONS
    }
    for name, schema in DOCUMENT["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object", name


@BOUNDED.parametrize()
@settings(max_examples=10, deadline=None)
def test_every_route_keeps_to_its_description(
    case: schemathesis.Case, shared: RunningAgent, session: requests.Session
) -> None:
    """Answers match; what does not match the description is refused, in the error form, by the field's name."""
    case.call_and_validate(
        _base(shared), session=session, verify=session.verify, headers=_token("cutover"), timeout=30,
        checks=[
            not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
            checks.response_schema_conformance, checks.negative_data_rejection, checks.allow_header_conformance,
        ],
    )  # fmt: skip


@pytest.mark.parametrize("route", openapi_document.table(), ids=lambda route: f"{route.method} {route.path}")
def test_roles_are_enforced_on_every_route(shared: RunningAgent, session: requests.Session, route: Any) -> None:
    url = _base(shared) + route.path.replace("{id}", "abc")
    needed = -1 if route.role is None else ROLES.index(route.role)
    for number, role in ((-1, None), *enumerate(ROLES)):
        if number >= needed:
            continue
        before = len(shared.engine.calls)
        answer = session.request(route.method, url, headers=_token(role), json={}, timeout=30)
        assert answer.status_code == (401 if role is None else 403)
        jsonschema.validate(answer.json(), {**DOCUMENT["components"]["schemas"]["Error"]})
        assert len(shared.engine.calls) == before


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_are_refused_everywhere(shared: RunningAgent, session: requests.Session, method: str) -> None:
    for path in DOCUMENT["paths"]:
        answer = session.request(
            method, _base(shared) + path.replace("{id}", "abc"), headers=_token("cutover"), timeout=30
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (405, "CUT-AGENT-13")
        assert set(answer.headers["Allow"].split(", ")) == {name.upper() for name in DOCUMENT["paths"][path]}


@pytest.mark.parametrize("name", sorted({name for table in OPTIONS for name in table}))
def test_every_option_is_described_as_it_is_checked(name: str) -> None:
    """In both directions: what the description allows is taken, what not is refused by the field's name."""
    check = next(table[name] for table in OPTIONS if name in table)
    assert check.__name__ in KINDS, f"describe what {check.__name__} of {name} takes"
    described = jsonschema.Draft202012Validator(KINDS[check.__name__])
    leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3)
    likely = st.sampled_from(LIKELY)
    lists = st.lists(likely | leaves, max_size=2)
    anything = likely | leaves | lists | st.dictionaries(st.text(min_size=1, max_size=2), likely | leaves, max_size=2)
    taken = False

    @settings(max_examples=150, deadline=None, derandomize=True)
    @given(anything.filter(lambda value: value is not None))
    def agree(value: Any) -> None:
        nonlocal taken
        try:
            check(name, value)
        except CutoverError as error:
            assert str(error.details["field"]).startswith(name)
            # What makes an endpoint is more than a pattern says; JSON Schema takes 1.0 for a whole number.
            whole = isinstance(value, float) and value.is_integer()
            assert error.code.startswith("CUT-SPEC-9") or whole or not described.is_valid(value)
        else:
            taken = True
            assert described.is_valid(value)

    agree()
    assert taken


def test_requests_are_closed() -> None:
    assert all(schema["additionalProperties"] is False for schema in REQUESTS.values())


def _base(agent: RunningAgent) -> str:
    return f"https://127.0.0.1:{agent.port}"


def _token(role: Optional[str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS[role]}"} if role else {}
