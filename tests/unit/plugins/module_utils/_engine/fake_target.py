# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A target of one collection in memory, with unique attributes, for tests of what is written and in which order."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.cutover.arangodb.plugins.module_utils._core.http import Response
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.exactness import ExactNumbers
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.findings import Finding
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.marker import Marker
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.packing import Packing
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.patience import Patience, Troubles, WriteGate
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.reads import Reader
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import ShardId, ShardPlan
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.target import TargetWriter
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.unit import UnitWriter

PLAN = ShardPlan(ShardId("d", "1", "s2"), "c", "s2", "PRMR-1")
GUARDED = ShardPlan(ShardId("d", "1", "s2"), "c", "s2", "PRMR-1", key_determines_shard=False)
BUSY = {"error": True, "errorNum": 1200, "errorMessage": "write-write conflict"}


class FakeTarget:
    """Stands for the coordinators. ``script`` holds answers or errors to give before anything is carried out."""

    def __init__(self, unique: Sequence[str] = (), names_neighbour: bool = True) -> None:
        self.documents: dict[str, bytes] = {}
        self.made = 0
        self.unique = unique
        self.names_neighbour = names_neighbour
        self.requests: list[tuple[str, str, list[Any]]] = []
        self.script: list[Exception | Response | None] = []
        self.refuse: dict[str, dict[str, Any]] = {}
        self.once: dict[str, dict[str, Any]] = {}

    def request(
        self,
        method: str,
        path: str,
        *,
        database: str,
        query: Mapping[str, Any],
        data: Sequence[bytes] = (),
        body: Any = None,
        **options: object,
    ) -> Response:
        """Like ``Coordinators.request``."""
        content = body if body is not None else json.loads(b"".join(data))
        self.requests.append((method, path, content))
        if self.script:
            step = self.script.pop(0)
            if isinstance(step, Exception):
                raise step
            if step is not None:
                return step
        if method == "POST":
            raws = b"".join(data)
            results = [self._insert(document, raw) for document, raw in zip(content, _raw(raws))]
        else:
            results = [self._remove(selector, bool(query["ignoreRevs"])) for selector in content]
        codes: dict[str, int] = {}
        for result in results:
            if result.get("error"):
                codes[str(result["errorNum"])] = codes.get(str(result["errorNum"]), 0) + 1
        headers = {"x-arango-error-codes": json.dumps(codes)} if codes else {}
        return Response(202, headers, json.dumps(results).encode())

    def json(self, method: str, path: str, *, body: Mapping[str, Any], **options: object) -> Any:
        """The queries of ``Reader``."""
        keys = body["bindVars"].get("keys")
        found = [json.loads(raw) for key, raw in self.documents.items() if keys is None or key in keys]
        whole = body["query"].endswith("RETURN d")
        rows = found if whole else [[document["_key"], document["_rev"]] for document in found]
        return {"result": rows, "hasMore": False}

    def _insert(self, document: dict[str, Any], raw: bytes) -> dict[str, Any]:
        key = document["_key"]
        answer = self.once.pop(key, None) or self.refuse.get(key)
        if answer is not None:
            return answer
        for name in self.unique:
            for other, text in self.documents.items():
                if other != key and name in document and json.loads(text).get(name) == document[name]:
                    hint = f" - in index 7 of type persistent over '{name}'; conflicting key: {other}"
                    message = "unique constraint violated" + (hint if self.names_neighbour else "")
                    return {"error": True, "errorNum": 1210, "errorMessage": message}
        if "_rev" not in document:
            self.made += 1
            raw = json.dumps({**document, "_rev": f"_made{self.made}"}).encode()
        self.documents[key] = raw
        return {"_key": key}

    def _remove(self, selector: Any, ignore: bool) -> dict[str, Any]:
        key = selector if isinstance(selector, str) else selector["_key"]
        if key not in self.documents:
            return {"error": True, "errorNum": 1202, "errorMessage": "document not found"}
        if not ignore and json.loads(self.documents[key])["_rev"] != selector["_rev"]:
            return {"error": True, "errorNum": 1200, "errorMessage": "conflict, _rev values do not match"}
        del self.documents[key]
        return {"_key": key}


def _raw(array: bytes) -> list[bytes]:
    decoder = json.JSONDecoder()
    text = array.decode()[1:-1]
    found, position = [], 0
    while position < len(text):
        end = decoder.raw_decode(text, position)[1]
        found.append(text[position:end].encode())
        position = end + 1
    return found


class Notes:
    """Keys of unknown outcomes, and how many requests had been sent when each was noted."""

    def __init__(self, target: FakeTarget) -> None:
        self._target = target
        self.noted: list[tuple[int, list[bytes]]] = []
        self.due: float | None = None

    def note(self, shard: ShardId, keys: Sequence[bytes]) -> None:
        """See ``UnknownOutcomes``."""
        self.noted.append((len(self._target.requests), list(keys)))

    def last_due(self, database: str, plan_id: str) -> float | None:
        """See ``UnsettledKeys``."""
        return self.due


class Rounded:
    """A source that prints 1 instead of 2 in every document (see ``ExactNumbers``)."""

    def markers(self, plan: ShardPlan, inserts: Sequence[Marker]) -> Sequence[Marker]:
        """The documents as they really are."""
        return [marker._replace(data=self.body(plan, marker.data)) for marker in inserts]

    def body(self, plan: ShardPlan, body: bytes) -> bytes:
        """The same for the lines of a snapshot."""
        return body.replace(b'"n":1', b'"n":2').replace(b'"n": 1', b'"n": 2')


class Bench:
    """Everything that writes units to a fake target."""

    def __init__(self, target: FakeTarget, rounded: bool = False) -> None:
        self.target = target
        self.stop = threading.Event()
        self.patience = Patience(self.stop, Troubles(), time_scale=0.001)
        self.notes = Notes(target)
        self.findings: list[Finding] = []
        self.checks = 0
        gate = WriteGate(self._check, self.patience)
        fake: Any = target
        self.writer = TargetWriter(fake, gate, self.patience, self.notes, 1024 * 1024, Packing(fake))
        self.reader = Reader(target, self.patience)  # type: ignore[arg-type]
        source: Any = Rounded()
        self.exact = source if rounded else ExactNumbers(fake, self.patience, self.findings.append, needed=False)
        self.units = UnitWriter(self.writer, self.reader, self.notes, self.findings.append, 100, self.exact)

    def _check(self) -> None:
        self.checks += 1
