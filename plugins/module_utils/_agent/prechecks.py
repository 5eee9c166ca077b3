# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prechecks that were asked for through the API: one at a time, in the background, the last few kept."""
from __future__ import annotations

import logging
import secrets
import threading
from collections import OrderedDict
from typing import Any, Callable, Mapping

from .._core.errors import CutoverError

LOG = logging.getLogger(__name__)
KEPT = 8


class Prechecks:
    """Runs `check`, which takes a start request and returns a result document."""

    def __init__(self, check: Callable[[Mapping[str, object]], dict[str, Any]]) -> None:
        self._check = check
        self._lock = threading.Lock()
        self._runs: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def begin(self, request: Mapping[str, object]) -> dict[str, Any]:
        """Start one; raises CUT-AGENT-19 while another runs."""
        identifier = secrets.token_hex(8)
        with self._lock:
            if any(run["state"] == "running" for run in self._runs.values()):
                raise CutoverError("CUT-AGENT-19", "another precheck is running", retriable=True)
            self._runs[identifier] = {"id": identifier, "state": "running", "result": None, "error": None}
            while len(self._runs) > KEPT:
                self._runs.popitem(last=False)
        threading.Thread(target=self._run, args=(identifier, dict(request)), name="precheck", daemon=True).start()
        return self.get(identifier)

    def get(self, identifier: str) -> dict[str, Any]:
        """State and, when ended, result or error; raises CUT-AGENT-20 for an unknown one."""
        with self._lock:
            run = self._runs.get(identifier)
            if run is None:
                raise CutoverError("CUT-AGENT-20", f"there is no precheck {identifier}")
            return dict(run)

    def _run(self, identifier: str, request: Mapping[str, object]) -> None:
        outcome: dict[str, Any]
        try:
            outcome = {"state": "finished", "result": self._check(request)}
        except CutoverError as error:
            outcome = {"state": "failed", "error": error.as_dict()}
        except Exception:
            LOG.exception("the precheck %s broke", identifier)
            broken = CutoverError("CUT-AGENT-18", "the precheck broke; the agent's log says where")
            outcome = {"state": "failed", "error": broken.as_dict()}
        with self._lock:
            if identifier in self._runs:
                self._runs[identifier].update(outcome)
