# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What takes long and was asked for through the API: one of a kind at a time, in the background, the last few kept."""
from __future__ import annotations

import logging
import secrets
import threading
from collections import OrderedDict
from typing import Any, Callable, Mapping

from .._core.errors import CutoverError

LOG = logging.getLogger(__name__)
KEPT = 8


class Runs:
    """Runs `work`, which takes a request and returns a result document; `kind` names it for people."""

    def __init__(self, kind: str, work: Callable[[Mapping[str, object]], dict[str, Any]]) -> None:
        self._kind = kind
        self._work = work
        self._lock = threading.Lock()
        self._runs: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def begin(self, request: Mapping[str, object]) -> dict[str, Any]:
        """Start one; raises CUT-AGENT-19 while another runs."""
        identifier = secrets.token_hex(8)
        with self._lock:
            if any(run["state"] == "running" for run in self._runs.values()):
                raise CutoverError("CUT-AGENT-19", f"another {self._kind} is running", retriable=True)
            self._runs[identifier] = {"id": identifier, "state": "running", "result": None, "error": None}
            while len(self._runs) > KEPT:
                self._runs.popitem(last=False)
        threading.Thread(target=self._run, args=(identifier, dict(request)), name=self._kind, daemon=True).start()
        return self.get(identifier)

    def get(self, identifier: str) -> dict[str, Any]:
        """State and, when ended, result or error; raises CUT-AGENT-20 for an unknown one."""
        with self._lock:
            run = self._runs.get(identifier)
            if run is None:
                raise CutoverError("CUT-AGENT-20", f"there is no {self._kind} {identifier}")
            return dict(run)

    def _run(self, identifier: str, request: Mapping[str, object]) -> None:
        outcome: dict[str, Any]
        try:
            outcome = {"state": "finished", "result": self._work(request)}
        except CutoverError as error:
            outcome = {"state": "failed", "error": error.as_dict()}
        except Exception:
            LOG.exception("the %s %s broke", self._kind, identifier)
            broken = CutoverError("CUT-AGENT-18", f"the {self._kind} broke; the agent's log says where")
            outcome = {"state": "failed", "error": broken.as_dict()}
        with self._lock:
            if identifier in self._runs:
                self._runs[identifier].update(outcome)
