# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a request may name once the agent's configuration names something: whoever may name a server gets a token."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.pins import Pins
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.spec import parse

SOURCE, TARGET = "https://coordinator.example.com:8529", "https://cloud.example.com:18529"
REQUEST = {
    "source_endpoints": [SOURCE], "target_endpoints": [TARGET], "target_password": "x",
    "source_ca_path": "/ca.pem",
}  # fmt: skip
SOURCES = ["Coordinator.example.com", "db-*.example.com:8530", "[2001:db8::1]:8530"]


def check(pins: Pins, **changes: Any) -> str | None:
    """The field that is refused."""
    try:
        pins.check(parse({**REQUEST, **changes}))
    except CutoverError as error:
        assert error.code == "CUT-SPEC-5"
        assert "is not allowed by the agent's configuration" in error.message
        return str(error.details["field"])
    return None


def test_without_pins_everything_may_be_named() -> None:
    assert check(Pins(), endpoint_map={"PRMR-1": "https://elsewhere:1"}, allowed_servers=["*"]) is None


@pytest.mark.parametrize("pin", ["cloud.example.com", "cloud.example.com:18529", TARGET, "*.example.com"])
def test_a_target_is_a_host_with_or_without_its_port(pin: str) -> None:
    assert check(Pins(None, [pin])) is None


@pytest.mark.parametrize("pin", ["example.com", "cloud.example.com:8529", "http://cloud.example.com:18529", "cloud"])
def test_another_target_is_refused(pin: str) -> None:
    assert check(Pins(None, [pin])) == "target_endpoints"


def test_nothing_is_allowed_by_an_empty_list() -> None:
    assert check(Pins([], None)) == "source_endpoints"
    assert check(Pins(None, [])) == "target_endpoints"


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({}, None),
        ({"source_endpoints": [SOURCE, "https://elsewhere.example.com:8529"]}, "source_endpoints"),
        ({"endpoint_map": {"PRMR-1": "https://db-1.example.com:8530"}}, None),
        ({"endpoint_map": {"PRMR-1": "https://[2001:db8::1]:8530"}}, None),
        ({"endpoint_map": {"PRMR-1": "https://db-1.example.com:8531"}}, "endpoint_map"),
        ({"endpoint_map": {SOURCE: "https://elsewhere.example.com:8529"}}, "endpoint_map"),
        ({"allowed_servers": ["db-1.example.com:8530", "coordinator.example.com"]}, None),
        ({"allowed_servers": ["DB-*.example.com:8530"]}, None),
        ({"allowed_servers": ["db-1.example.com"]}, "allowed_servers"),
        ({"allowed_servers": ["db-?.example.com:8530"]}, "allowed_servers"),
        ({"allowed_servers": ["*"]}, "allowed_servers"),
        ({"allowed_servers": ["db-[a-z]*.example.com:8530"]}, "allowed_servers"),
    ],
)
def test_a_source_is_not_widened_by_what_stands_beside_it(changes: dict[str, Any], refused: str | None) -> None:
    assert check(Pins(SOURCES, None), **changes) == refused
