# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The engine's prechecks with the agent's own secret and directories."""
from __future__ import annotations

from typing import Any, Callable, Mapping

from .._engine.pins import Pins
from .._engine.precheck.context import Environment
from .._engine.precheck.runner import run_request
from .config import AgentConfig


def checker(config: AgentConfig) -> Callable[[Mapping[str, object]], dict[str, Any]]:
    """A function from start request to result document."""
    environment = Environment(
        source_jwt_secret_path=str(config.source_jwt_secret_path), state_directory=str(config.state_directory),
        pins=Pins(config.allowed_sources, config.allowed_targets),
    )  # fmt: skip

    def check(request: Mapping[str, object]) -> dict[str, Any]:
        return run_request(request, environment).as_dict()

    return check
