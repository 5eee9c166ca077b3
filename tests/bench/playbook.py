# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a playbook costs beyond the agent's own answer, beside `ansible -m ping`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from tests.bench.bed import Bed
from tests.bench.figures import Figure
from tests.demo.controller import Controller

_TIMES = 3


def figures() -> Iterator[Figure]:
    """The best of a few runs each."""
    with Bed() as bed:
        bed.agent.start()
        controller = Controller(bed.home)
        controller.install()
        controller.write_inventory({
            "agent_port": int(bed.agent.endpoint.rpartition(":")[2]), "agent_ca_path": str(bed.agent.ca_path),
            "agent_token": bed.agent.token, "source_jwt_secret_path": str(bed.source.jwt_secret_path),
            **bed.request(),
        })
        ping = _best(controller.ping)
        own = _best(lambda: _precheck(bed))
        # The playbook makes its checks without an agent, whose port has to be free.
        bed.agent.stop()
        yield _beyond("precheck", ping, controller, own)
        bed.migrate()
        yield _beyond("status", ping, controller, _best(bed.agent.status))


def _beyond(name: str, ping: float, controller: Controller, own: float) -> Figure:
    beyond = _best(lambda: controller.quiet_play(name)) - own
    what = f"playbook {name} without the {own:.2f} s of the agent's answer; peer: ansible -m ping, same host"
    return Figure.against(f"playbook_{name}", beyond, ping, "s", 3, what)


def _precheck(bed: Bed) -> None:
    bed.finished("/v1/precheck", bed.request())


def _best(run: Callable[[], object]) -> float:
    taken = []
    for _time in range(_TIMES):
        begun = time.monotonic()
        run()
        taken.append(time.monotonic() - begun)
    return min(taken)
