# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The source's server mode through those of its coordinators that answer: what guard and rescue need, and no more.

The mode is one flag of the whole cluster, and coordinators enforce it (facts §2.3): a DB-Server that is down must not
keep a source fenced.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Optional

from .._core.arango import Server
from .._core.clock import Deadline
from .._core.endpoint import parse_endpoint
from .._core.errors import CutoverError
from .._core.http import HttpClient
from .._core.tls import client_context
from . import fence

MODE_PATHS = (fence.MODE_PATH,)
_PAUSE = 0.1


class Fronts:
    """Some coordinators of the source, with a token that need not be good for anything but the mode."""

    def __init__(
        self, endpoints: Sequence[str], ca_path: Optional[str], authorization: Callable[[], str], field: str
    ) -> None:
        """Raises for endpoints or a CA that cannot be used, naming ``field``; connects to nothing."""
        context = client_context(ca_path)
        self._servers: list[Server] = []
        for text in endpoints:
            endpoint = parse_endpoint(text, field)
            client = HttpClient(endpoint, context=context if endpoint.scheme == "https" else None,
                                authorization=authorization)  # fmt: skip
            self._servers.append(Server(client, f"source coordinator {endpoint.url}"))

    def shown_modes(self) -> dict[str, str]:
        """The mode by coordinator, of those that answer. Raises the last error when none does."""
        modes: dict[str, str] = {}
        problem: Optional[CutoverError] = None
        for server in self._servers:
            try:
                modes[server.label] = fence.read_mode(server)
            except CutoverError as error:
                problem = error
        if not modes and problem is not None:
            raise problem
        return modes

    def set_mode(self, mode: str, deadline: Deadline) -> dict[str, str]:
        """Set the mode through any coordinator, and see it on all that answer. Raises CUT-FENCE-1 or CUT-FENCE-3."""
        waiting = threading.Event()
        fence.put_mode(self._servers, mode, deadline, waiting)
        while True:
            modes = self.shown_modes()
            if fence.summary(modes) == mode:
                return modes
            if deadline.expired or waiting.wait(_PAUSE):
                behind = ", ".join(sorted(name for name, value in modes.items() if value != mode))
                raise CutoverError("CUT-FENCE-1", f"the mode {mode} is not yet shown by {behind}", retriable=True)

    def lift_may_run_late(self) -> float:
        """See ``wayback.Modes``: whoever acts for another host is waited for by its attempt's ``guard_seconds``."""
        return 0.0

    def close(self) -> None:
        """Close all connections."""
        for server in self._servers:
            server.close()
