# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a second agent is worth where the bandwidth of each is the limit, and what is left when it is killed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from tests.bench.bed import Bed, Emulators
from tests.bench.figures import Figure
from tests.e2e.agent import Agent, Refused
from tests.e2e.migration import in_sync
from tests.testbed.launch import Control

_COLLECTIONS = 4
_SHARDS = 12
_SIZE = 20_000
_BANDWIDTH = 8  # MB/s of each agent
_KILLED_MEGABYTES = 60


def figures(megabytes: int) -> Iterator[Figure]:
    """The copy by one agent and by two, then one with a kill."""
    alone, _busy = _copied(megabytes, 1)
    together, busy = _copied(megabytes, 2)
    what = f"{megabytes} MB in {_COLLECTIONS * _SHARDS} shards on 3 DB-Servers, each agent limited to {_BANDWIDTH} MB/s"
    told = f"{what}; one took {alone:.1f} s, two {together:.1f} s; {busy}"
    yield Figure("fleet", alone / together, "times as fast", 1.8, told)
    left = _killed(_KILLED_MEGABYTES)
    told = f"the second of two agents killed by SIGKILL while it copied {_KILLED_MEGABYTES} MB; target opened"
    yield Figure("fleet_killed", left, "documents differ", 0, told, at_most=True)


class _Fleet:
    """Agents that share the migration of a bed; the bed's own one leads."""

    def __init__(self, bed: Bed, number: int) -> None:
        self._bed = bed
        homes = [bed.home / f"agent{index}" for index in range(1, number)]
        self.others = [Agent(bed.archive, home, bed.source.jwt_secret_path, 1.0) for home in homes]

    def start(self, **fields: Any) -> None:
        """All at work, and held by a pause, so that what follows is measured from one moment on."""
        bed, request = self._bed, self._bed.request(join=True, mb_per_second=_BANDWIDTH, copiers=1, **fields)
        for agent in (bed.agent, *self.others):
            agent.start()
            agent.call("POST", "/v1/migration", request)
            if agent is bed.agent:
                self._pause()
        present = 1 + len(self.others)
        bed.wait("all agents", lambda status: len(status["workers"]) == present)

    def _pause(self) -> None:
        while True:
            try:
                self._bed.agent.call("POST", "/v1/migration/pause", {})
                return
            except Refused as error:
                if error.status != 409:
                    raise
            time.sleep(0.05)

    def stop(self) -> None:
        """End the others."""
        for agent in self.others:
            agent.stop()


def _filled(bed: Bed, megabytes: int) -> list[str]:
    names = [f"things{number}" for number in range(_COLLECTIONS)]
    for name in names:
        bed.create(name, _SHARDS)
        bed.load(name, megabytes * 1_000_000 // _SIZE // _COLLECTIONS, _SIZE)
    return names


def _copied(megabytes: int, agents: int) -> tuple[float, str]:
    """Seconds of the copy, and how busy the emulators were."""
    with Bed(shapes=((1, 3), (1, 3))) as bed:
        _filled(bed, megabytes)
        fleet = _Fleet(bed, agents)
        try:
            fleet.start()
            emulators, begun = Emulators(bed), time.monotonic()
            bed.agent.call("POST", "/v1/migration/resume", {})
            bed.wait("every shard in sync", in_sync)
            return time.monotonic() - begun, str(emulators)
        finally:
            fleet.stop()


def _killed(megabytes: int) -> int:
    """Documents that differ when a killed agent's share was taken back."""
    with Bed(shapes=((1, 3), (1, 3))) as bed:
        names = _filled(bed, megabytes)
        fleet = _Fleet(bed, 2)
        try:
            fleet.start(settle_after=20)
            bed.agent.call("POST", "/v1/migration/resume", {})
            other = fleet.others[0]
            other.wait("it copies", lambda status: bool(status["progress"]["bytes_copied"]), 60)
            other.kill()
            bed.wait("ready for the cutover", lambda status: bool(status["cutover"]["ready"]))
            bed.agent.call("POST", "/v1/migration/stop", {"wait_timeout": 60})
            bed.wait("completed", lambda status: bool(status["state"] == "completed"))
            return sum(_differing(bed.source.control, bed.target.control, name) for name in names)
        finally:
            fleet.stop()


def _differing(source: Control, target: Control, name: str) -> int:
    one, other = source.documents("_system", name), target.documents("_system", name)
    return sum(one.get(key) != other.get(key) for key in one.keys() | other.keys())
