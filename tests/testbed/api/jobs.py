# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`x-arango-async` and `/_api/job`: requests that are carried out after their answer (recordings).

`/_admin/job` is the same under another name; 4.x has only `/_api/job` (facts §10).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Any

from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, failure, reply
from tests.testbed.model import Deployment
from tests.testbed.routing import Handler, middleware, route

_HEADER, _ID_HEADER = "x-arango-async", "x-arango-async-id"
_CANCEL_SECONDS = 0.2  # a cancelled request notices it a little later


class Job:
    """One stored request."""

    def __init__(self, identifier: str, user: str) -> None:
        self.id = identifier
        self.user = user
        self.created = time.time()
        self.task: asyncio.Task[None] | None = None
        self.response: Response | None = None

    async def run(self, request: Request, following: Handler) -> None:
        """Carry the request out and keep its answer, errors too."""
        try:
            answer = following(request)
            self.response = await answer if isinstance(answer, Awaitable) else answer
        except ArangoError as error:
            self.response = failure(error)
        except asyncio.CancelledError:
            self.response = failure(ArangoError(21))
        if self.response is None:
            self.response = failure(ArangoError(21))


def _jobs(deployment: Deployment) -> dict[str, Job]:
    found: dict[str, Job] = deployment.objects.setdefault("jobs", {})
    return found


@middleware
def store(request: Request, following: Handler) -> Response | Awaitable[Response | None] | None:
    """Answer 202 at once where the header asks for it, and carry the request out afterwards."""
    mode = request.headers.pop(_HEADER, None)
    if mode not in ("true", "store"):
        return following(request)
    users = request.server.role != "dbserver"
    caller = request.deployment.authenticator.authenticate(
        request.headers.get("authorization"), users=users, path=request.path
    )
    if caller is None:
        return following(request)
    job = Job(str(request.server.unique_id()), caller.user)
    job.task = asyncio.ensure_future(job.run(request, following))
    if mode == "store":
        _jobs(request.deployment)[job.id] = job
        return Response(202, b"", {_ID_HEADER: job.id}, "text/plain")
    detached: set[Any] = request.deployment.objects.setdefault("detached_jobs", set())
    detached.add(job.task)
    job.task.add_done_callback(detached.discard)
    return Response(202, b"", {}, "text/plain")


def _find(request: Request) -> Job:
    job = _jobs(request.deployment).get(request.params["id"])
    if job is None or (job.user != request.caller.user and not request.caller.superuser):
        raise ArangoError(404)
    return job


@route("PUT", "/_api/job")
@route("PUT", "/_admin/job")
def no_id(_request: Request) -> Response:
    """No id given."""
    raise ArangoError(400)


@route("PUT", "/_api/job/{id}")
@route("PUT", "/_admin/job/{id}")
def fetch(request: Request) -> Response:
    """The answer of a finished request, which is forgotten then; 204 while it runs."""
    job = _find(request)
    if job.response is None:
        return Response(204)
    del _jobs(request.deployment)[job.id]
    answer = job.response
    answer.headers[_ID_HEADER] = job.id
    return answer


@route("PUT", "/_api/job/{id}/cancel")
@route("PUT", "/_admin/job/{id}/cancel")
def cancel(request: Request) -> Response:
    """Cancel a request that runs."""
    job = _find(request)
    if job.task is not None and not job.task.done():
        asyncio.get_running_loop().call_later(_CANCEL_SECONDS, job.task.cancel)
    return reply({"result": True})


@route("GET", "/_api/job/{id}")
@route("GET", "/_admin/job/{id}")
def state(request: Request) -> Response:
    """`done` or `pending` list ids, newest first; an id answers 200 when done and 204 while it runs."""
    kind = request.params["id"]
    if kind not in ("done", "pending"):
        return Response(200 if _find(request).response is not None else 204)
    known = [job for job in _jobs(request.deployment).values() if job.user == request.caller.user]
    found = [job.id for job in reversed(known) if (job.response is not None) == (kind == "done")]
    return reply(found[: request.number("count", 100) or 100])


@route("DELETE", "/_api/job/{id}")
@route("DELETE", "/_admin/job/{id}")
def forget(request: Request) -> Response:
    """Forget one result, `all`, or those older than `stamp` with `expired`."""
    jobs, kind = _jobs(request.deployment), request.params["id"]
    if kind not in ("all", "expired"):
        del jobs[_find(request).id]
        return reply({"result": True})
    try:
        before = float(request.query["stamp"]) if kind == "expired" else float("inf")
    except (KeyError, ValueError) as error:
        raise ArangoError(400) from error
    for job in [job for job in jobs.values() if job.user == request.caller.user and job.created < before]:
        if job.response is not None:
            del jobs[job.id]
    return reply({"result": True})
