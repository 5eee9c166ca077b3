# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a user would write: ``python -m tests.bench.scripts WHAT URL CA PASSWORD URL CA PASSWORD``.

The peers of the benchmarks, each with the libraries that its author would take.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from itertools import count, islice
from typing import Any

import requests
from arango.client import ArangoClient

from tests.workload.clients import OwnTrust

_BATCH = 5_000  # documents
_CHUNK = 8 << 20  # bytes

Side = tuple[str, str, str]


def driver(source: Side, target: Side) -> None:
    """Export by a cursor, import in bulk, with python-arango."""
    here, there = _connect(source), _connect(target)
    collection = there.create_collection("by_driver")
    cursor = here.aql.execute("FOR d IN part RETURN d", batch_size=_BATCH, stream=True)
    while batch := list(islice(cursor, _BATCH)):
        collection.import_bulk(batch, on_duplicate="replace")


def dump(source: Side, target: Side) -> None:
    """Read by a cursor, write lines to restore-data, with requests."""
    here, there = _session(source), _session(target)
    there.post(f"{target[0]}/_api/collection", json={"name": "by_requests"}).raise_for_status()
    for batch in _cursor(here, source[0], "FOR d IN part RETURN d"):
        lines = "\n".join(json.dumps(document, separators=(",", ":")) for document in batch)
        answer = there.put(f"{target[0]}/_api/replication/restore-data?collection=by_requests", data=lines.encode())
        answer.raise_for_status()


def raw(source: Side, target: Side) -> None:
    """Hand the bytes of a dump on as they are, as `curl | curl` does, with requests."""
    here, there = _session(source), _session(target)
    there.post(f"{target[0]}/_api/collection", json={"name": "by_raw"}).raise_for_status()
    shards = here.get(f"{source[0]}/_api/collection/part/shards?details=true").json()["shards"]
    order = {"batchSize": _CHUNK, "docsPerBatch": 1_000_000, "prefetchCount": 2, "parallelism": 1}
    for shard, (leader, *_followers) in shards.items():
        at = {"dbserver": leader}
        started = here.post(f"{source[0]}/_api/dump/start", params=at, json={**order, "shards": [shard]})
        started.raise_for_status()
        path = f"{source[0]}/_api/dump/next/{started.headers['x-arango-dump-id']}"
        for number in count():
            batch = here.post(path, params={**at, "batchId": number})
            batch.raise_for_status()
            if batch.status_code == requests.codes.no_content:
                break
            answer = there.put(f"{target[0]}/_api/replication/restore-data?collection=by_raw", data=batch.content)
            answer.raise_for_status()


def apply(source: Side, target: Side) -> None:
    """Operations out of standard input, a JSON document a line, written in bulk with python-arango."""
    collection = _connect(target).create_collection("applied")
    documents = (json.loads(line) for line in sys.stdin)
    while batch := list(islice(documents, _BATCH)):
        collection.insert_many(batch, overwrite_mode="replace", silent=True, sync=False)


def compare(source: Side, target: Side) -> None:
    """Keys and revisions of both sides with python-arango."""
    sides: list[dict[str, str]] = []
    for side in (source, target):
        rows: dict[str, str] = {}
        for batch in _batches(_connect(side), "FOR d IN things RETURN [d._key, d._rev]"):
            rows.update((key, revision) for key, revision in batch)
        sides.append(rows)
    here, there = sides
    different = {key for key in here.keys() | there.keys() if here.get(key) != there.get(key)}
    print(len(different))


def _connect(side: Side) -> Any:
    url, ca, password = side
    client = ArangoClient(url, http_client=OwnTrust(), verify_override=ca, request_timeout=300)
    return client.db("_system", "root", password)


def _batches(database: Any, query: str) -> Iterator[list[Any]]:
    cursor = database.aql.execute(query, batch_size=_BATCH, stream=True)
    while True:
        batch = list(cursor.batch())
        cursor.batch().clear()
        if batch:
            yield batch
        if not cursor.has_more():
            return
        cursor.fetch()


def _session(side: Side) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.verify = side[1]
    session.auth = ("root", side[2])
    return session


def _cursor(session: requests.Session, url: str, query: str) -> Iterator[list[Any]]:
    order = {"query": query, "batchSize": _BATCH, "options": {"stream": True}}
    answer = session.post(f"{url}/_api/cursor", json=order)
    while True:
        answer.raise_for_status()
        found = answer.json()
        yield found["result"]
        if not found["hasMore"]:
            return
        answer = session.post(f"{url}/_api/cursor/{found['id']}")


SCRIPTS: dict[str, Callable[[Side, Side], None]] = {
    "driver": driver, "requests": dump, "raw": raw, "apply": apply, "compare": compare,
}


if __name__ == "__main__":
    name, *rest = sys.argv[1:]
    SCRIPTS[name]((rest[0], rest[1], rest[2]), (rest[3], rest[4], rest[5]))
