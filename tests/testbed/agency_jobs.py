# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Jobs that the supervision of a cluster works off one after the other, one step a beat; none in maintenance (§2.3).

What a job is made of and how it is asked for: published source of the agency's jobs and of `/_admin/cluster`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.testbed.errors import ArangoError
from tests.testbed.placement import Step, clean_out_steps, groups, lead, move_steps

if TYPE_CHECKING:
    from tests.testbed.model import Deployment, Server
    from tests.testbed.storage import Shard

_JOBS = "agency_jobs"
Plan = Callable[[], Iterable[Step]]


class Job:
    """One job: `fields` as the agency keeps them, and its status: ToDo, Pending, Finished or Failed."""

    def __init__(self, identifier: str, kind: str, creator: str, plan: Plan, **fields: Any) -> None:
        created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.id = identifier
        self.fields = {"type": kind, "jobId": identifier, "creator": creator, "timeCreated": created, **fields}
        self.status = "ToDo"
        self._plan = plan
        self._steps: Iterator[Step] | None = None

    @property
    def moves(self) -> bool:
        """Whether it moves one shard."""
        return bool(self.fields["type"] == "moveShard")

    @property
    def done(self) -> bool:
        """Whether nothing more happens."""
        return self.status in ("Finished", "Failed")

    def advance(self) -> None:
        """Do the next step; a step that cannot be done ends the job."""
        try:
            if self._steps is None:
                self.status, self._steps = "Pending", iter(self._plan())
                return
            step = next(self._steps, None)
            if step is not None:
                step()
            else:
                self.status = "Finished"
        except ArangoError as error:
            self.status = "Failed"
            self.fields["reason"] = error.message


def jobs(deployment: Deployment) -> dict[str, Job]:
    """All jobs by id, finished ones too."""
    found: dict[str, Job] = deployment.objects.setdefault(_JOBS, {})
    return found


def advance(deployment: Deployment) -> None:
    """One beat of the supervision: the oldest job that is not done goes on."""
    job = next((job for job in jobs(deployment).values() if not job.done), None)
    if job is not None:
        job.advance()


def move_shard(deployment: Deployment, creator: str, shard: Shard, old: str, new: str, leads: bool) -> Job:
    """Take a shard's copy elsewhere, or its leadership to a server that has a copy."""

    def plan() -> Iterator[Step]:
        if old not in shard.servers or shard.name not in deployment.servers[old].shards:
            raise ArangoError(404, "shard is not located on the server")
        if new not in shard.servers:
            yield from move_steps(shard, old, new)
        elif leads:
            yield partial(lead, shard, new)
        else:
            raise ArangoError(400, "toServer must not be planned for the shard already")

    collection = shard.collection
    fields = {"database": collection.database.name, "collection": collection.id, "shard": shard.name}
    return _add(deployment, "moveShard", creator, plan, **fields, fromServer=old, toServer=new, isLeader=leads)


def clean_out_server(deployment: Deployment, creator: str, name: str) -> Job:
    """Take everything away from a server; it gets nothing new from the beginning on."""

    def plan() -> Iterator[Step]:
        server = _dbserver(deployment, name)
        deployment.leaving.add(server.id)
        try:
            yield from clean_out_steps(deployment, server)
        finally:
            deployment.leaving.discard(server.id)
        deployment.cleaned.add(server.id)

    return _add(deployment, "cleanOutServer", creator, plan, server=name)


def resign_leadership(deployment: Deployment, creator: str, name: str) -> Job:
    """Another copy leads each shard that a server leads, where there is one."""

    def plan() -> Iterator[Step]:
        server = _dbserver(deployment, name)
        for shard in groups(deployment):
            others = [name for name in shard.servers[1:] if shard.replicas[name].server.writable]
            if shard.servers[0] == server.id and others:
                yield partial(lead, shard, others[0])

    return _add(deployment, "resignLeadership", creator, plan, server=name)


def _dbserver(deployment: Deployment, name: str) -> Server:
    server = deployment.servers.get(name)
    if server is None or server.role != "dbserver":
        raise ArangoError(404, f"no DB-Server {name}")
    return server


def _add(deployment: Deployment, kind: str, creator: str, plan: Plan, **fields: Any) -> Job:
    job = Job(deployment.new_id(), kind, creator, plan, **fields)
    jobs(deployment)[job.id] = job
    return job
