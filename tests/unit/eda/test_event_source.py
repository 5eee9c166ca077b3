# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The event source against a running agent, with a queue in the place of ansible-rulebook."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.config import WebhookConfig
from ansible_collections.cutover.arangodb.plugins.module_utils._core.endpoint import Endpoint
from tests.controller.data import DATA, ROOT, TEMPLATES
from tests.unit.agent_fakes import TOKENS, RunningAgent, agent_config, make_certificates, running_agent
from tests.unit.eda.loading import plugin
from tests.unit.webhook_receiver import SECRET

WAIT = 60.0


SOURCE = plugin("event_source", "migration")


@pytest.fixture
def arguments(tmp_path: Path) -> dict[str, Any]:
    """Arguments but for the address, and the token that they name."""
    (tmp_path / "token").write_text(TOKENS["read"] + "\n")
    return {"agent_token_path": str(tmp_path / "token"), "after": 0, "figures_interval": 0, "max_pause": 0.1}


def known(agent: RunningAgent, arguments: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The arguments for an agent."""
    address = f"https://127.0.0.1:{agent.port}"
    return {**arguments, "agent_endpoint": address, "agent_ca_path": str(agent.certificates.ca), **more}


@contextlib.asynccontextmanager
async def following(arguments: dict[str, Any], size: int = 0) -> AsyncIterator[asyncio.Queue[Any]]:
    """The queue of a source that runs."""
    queue: asyncio.Queue[Any] = asyncio.Queue(size)
    task = asyncio.create_task(SOURCE.main(queue, arguments))
    try:
        yield queue
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(queue: asyncio.Queue[Any], kind: str) -> list[dict[str, Any]]:
    """Events up to the first of a kind."""
    found: list[dict[str, Any]] = []
    while not found or found[-1]["kind"] != kind:
        found.append(await asyncio.wait_for(queue.get(), WAIT))
    return found


def test_events_come_once_and_in_order_also_over_a_restart(arguments: dict[str, Any], tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)

    async def scenario() -> list[dict[str, Any]]:
        with contextlib.ExitStack() as first:
            agent = first.enter_context(running_agent(agent_config(certificates, tmp_path), certificates))
            async with following(known(agent, arguments), size=1) as queue:
                seen = await until(queue, "state")
                port = agent.port
                first.close()
                with running_agent(agent_config(certificates, tmp_path, port=port), certificates):
                    seen += await until(queue, "state")
        return seen

    seen = asyncio.run(scenario())
    assert all(set(event) >= {"kind", "migration", "at", "id"} for event in seen)
    numbers = [event["id"] for event in seen]
    assert numbers == sorted(set(numbers))


def test_figures_are_told_at_intervals(arguments: dict[str, Any], tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)

    async def scenario(agent: RunningAgent) -> list[dict[str, Any]]:
        async with following(known(agent, arguments, figures_interval=0.05)) as queue:
            return await until(queue, "figures") + await until(queue, "figures")

    with running_agent(agent_config(certificates, tmp_path), certificates) as agent:
        last = asyncio.run(scenario(agent))[-1]
    assert set(last) == {"kind", "migration", "at", "state", "percent", "lag_seconds", "ready"}


def test_a_lag_is_told_when_it_is_too_high_and_when_it_has_come_back(arguments: dict[str, Any], tmp_path: Path) -> None:
    """Once each, also when the agent's webhook has a limit of its own."""
    certificates = make_certificates(tmp_path)
    (tmp_path / "secret.webhook").write_text(SECRET)
    nobody = Endpoint("https", "127.0.0.1", 1)
    hook = WebhookConfig(nobody, "/", tmp_path / "secret.webhook", certificates.ca, max_lag=5.0)

    async def scenario(agent: RunningAgent) -> list[tuple[bool, float]]:
        told = []
        async with following(known(agent, arguments, figures_interval=0.02, max_lag=10)) as queue:
            for lag in (9.0, 11.0, 9.0, 7.0, 12.0):
                agent.engine.document = {**agent.engine.document, "replication": {"lag_seconds": lag}}
                async with following(known(agent, arguments)) as own:
                    await until(own, "lag")
                seen = []
                while not seen or seen[-1].get("lag_seconds") != lag:
                    seen += await until(queue, "figures")
                seen += await until(queue, "figures")
                told += [(event["high"], event["lag_seconds"]) for event in seen if event["kind"] == "lag"]
        return told

    with running_agent(agent_config(certificates, tmp_path, webhook=hook), certificates) as agent:
        assert asyncio.run(scenario(agent)) == [(True, 11.0), (False, 7.0), (True, 12.0)]


@pytest.mark.parametrize(("change", "error", "named"), [
    ({"agent_token_path": "/dev/null"}, "AgentRefusedError", "401"),
    ({"agent_endpoint": "http://127.0.0.1:1"}, "ValueError", "agent_endpoint"),
    ({"agent_ca_path": None}, "ValueError", "agent_ca_path"),
    ({"token": "x"}, "ValueError", "token: unknown argument"),
])  # fmt: skip
def test_what_cannot_work_ends_it_by_name(
    arguments: dict[str, Any], tmp_path: Path, change: dict[str, Any], error: str, named: str
) -> None:
    certificates = make_certificates(tmp_path)
    with (
        running_agent(agent_config(certificates, tmp_path), certificates) as agent,
        pytest.raises(Exception, match=named) as raised,
    ):
        asyncio.run(asyncio.wait_for(SOURCE.main(asyncio.Queue(), known(agent, arguments, **change)), WAIT))
    assert type(raised.value).__name__ == error


def test_another_authority_is_never_trusted(arguments: dict[str, Any], tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    (tmp_path / "other").mkdir()
    other = make_certificates(tmp_path / "other")

    async def scenario(agent: RunningAgent) -> None:
        async with following(known(agent, arguments, agent_ca_path=str(other.ca))) as queue:
            await asyncio.wait_for(queue.get(), 1.5)

    with running_agent(agent_config(certificates, tmp_path), certificates) as agent, pytest.raises(TimeoutError):
        asyncio.run(scenario(agent))


def rulebook(name: str) -> dict[str, Any]:
    """The one ruleset of a shipped rulebook."""
    (found,) = yaml.safe_load((ROOT / f"extensions/eda/rulebooks/{name}.yml").read_text())
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("name", ["live_migration", "live_migration_webhook"])
def test_the_rulebooks_name_what_configure_controller_makes(name: str) -> None:
    made = {template["name"] for template in TEMPLATES} | set(DATA["__cutover_workflows"])
    for rule in rulebook(name)["rules"]:
        for action in rule.get("actions") or [rule["action"]]:
            (options,) = action.values()
            assert options["name"] in made | {"{{ tell_template }}"}


def test_the_rulebook_gives_the_event_source_what_it_takes() -> None:
    (source,) = rulebook("live_migration")["sources"]
    assert set(source["cutover.arangodb.migration"]) <= SOURCE.KNOWN


def test_both_rulebooks_react_alike() -> None:
    """But for what only posted events can miss."""
    read, posted = ({rule["name"]: rule for rule in rulebook(name)["rules"]}
                    for name in ("live_migration", "live_migration_webhook"))  # fmt: skip
    assert set(posted) - set(read) == {"Events are missing"}
    assert {name: posted[name] for name in read} == read
