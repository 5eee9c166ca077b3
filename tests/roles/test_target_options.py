# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a task names its target: a deployment, the environment, endpoint and credentials, or too much of it.

Not among the unit tests: what it imports makes Ansible take the process for a controller, whose modules warn otherwise.
"""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.plugin_utils import _target

KEY = {"platform_key_id": "a-key", "platform_key_secret": "hush"}
OTHERS = {"agent_timeout": 5.0}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is named by the environment."""
    for name in ("ARANGO_GRAPH_API_KEY", "ARANGO_GRAPH_API_SECRET", "ARANGO_GRAPH_DEPLOYMENT_ID"):
        monkeypatch.delenv(name, raising=False)


def name_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names a deployment and its key."""
    for name in ("ARANGO_GRAPH_API_KEY", "ARANGO_GRAPH_API_SECRET", "ARANGO_GRAPH_DEPLOYMENT_ID"):
        monkeypatch.setenv(name, "from-outside")


def test_the_platforms_options_do_not_reach_the_module() -> None:
    for take in (_target.taken_out, _target.expected):
        arguments: dict[str, Any] = {**OTHERS, **KEY, "deployment_id": "target", "organization_id": "org1"}
        options = take(arguments)
        assert options is not None
        assert (options["deployment_id"], options["platform_key_secret"]) == ("target", "hush")
        assert options["platform_endpoint"].startswith("https://")
        assert arguments == OTHERS


def test_a_key_without_a_deployment_is_no_target_and_does_not_reach_the_module() -> None:
    for take in (_target.taken_out, _target.expected):
        arguments: dict[str, Any] = {**OTHERS, **KEY}
        assert take(arguments) is None
        assert arguments == OTHERS


def test_the_environment_names_a_target_but_none_to_look_for(monkeypatch: pytest.MonkeyPatch) -> None:
    name_all(monkeypatch)
    options = _target.taken_out({})
    assert options is not None
    assert options["deployment_id"] == "from-outside"
    assert _target.expected({}) is None
    wanted = _target.expected({"deployment_id": "target"})
    assert wanted is not None
    assert (wanted["deployment_id"], wanted["platform_key_id"]) == ("target", "from-outside")


@pytest.mark.parametrize("take", [_target.taken_out, _target.expected])
def test_a_deployment_in_part_is_refused(take: Any) -> None:
    with pytest.raises(CutoverError) as refused:
        take({"deployment_id": "target", "platform_key_id": "a-key"})
    assert refused.value.code == "CUT-AGENT-36"
    assert refused.value.details == {"field": "platform_key_secret"}


@pytest.mark.parametrize("option", _target.NAMED)
def test_both_ways_are_refused_however_the_deployment_is_named(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CutoverError, match=f"{option}, deployment_id: give"):
        _target.taken_out({**KEY, "deployment_id": "target", option: "x"})
    name_all(monkeypatch)
    with pytest.raises(CutoverError, match=f"{option}, deployment_id .by the controller's environment.: give"):
        _target.taken_out({option: "x"})
