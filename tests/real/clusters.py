# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Clusters that run already, in the place of emulated ones: how to reach them, and the end-to-end test's migration."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import requests

from tests.demo.clusters import Clusters
from tests.e2e.agent import Agent
from tests.e2e.migration import Migration
from tests.e2e.variants import Variants
from tests.testbed.launch import TestCluster

__all__ = ["RealMigration", "Running", "load", "save"]

_BATCH = 5000  # documents a request


@dataclass(frozen=True)
class Running:
    """One cluster; the attributes are those of an emulated one that a migration and its comparison need."""

    coordinators: list[str]
    ca_path: str
    jwt_secret_path: Path
    root_password: str

    @property
    def control(self) -> Running:
        """Who knows what is stored."""
        return self

    def documents(self, database: str, collection: str) -> dict[str, tuple[str, bytes]]:
        """Key → revision and raw document, as a coordinator prints it."""
        found = {}
        for text in self._texts(database, collection):
            document = json.loads(text)
            found[document["_key"]] = (document["_rev"], text.encode())
        return found

    def _texts(self, database: str, collection: str) -> Iterator[str]:
        url = f"{self.coordinators[0]}/_db/{database}/_api/cursor"
        query = {"query": "FOR d IN @@c RETURN d", "bindVars": {"@c": collection}, "batchSize": _BATCH}
        with requests.Session() as session:
            session.trust_env = False
            session.verify, session.auth = str(self.ca_path), ("root", self.root_password)
            answer = session.post(url, json=query, timeout=120)
            while True:
                answer.raise_for_status()
                yield from _elements(answer.text)
                shown = answer.json()
                if not shown["hasMore"]:
                    return
                answer = session.post(f"{url}/{shown['id']}", timeout=120)


def _elements(text: str) -> Iterator[str]:
    """The texts of the elements of `result`, number texts as they are."""
    decoder = json.JSONDecoder()
    position = text.index('"result":[') + len('"result":[')
    while text[position] != "]":
        _value, end = decoder.raw_decode(text, position)
        yield text[position:end]
        position = end + (text[end] == ",")


def save(path: Path, clusters: Mapping[str, Running]) -> None:
    """Write how to reach the clusters, with their passwords: for this user's eyes only."""
    path.touch(mode=0o600)
    path.write_text(json.dumps({name: asdict(entry) for name, entry in clusters.items()}, default=str), "utf-8")


def load(path: Path) -> dict[str, Running]:
    """Read what `save` wrote."""
    fields = json.loads(path.read_text("utf-8"))
    return {
        name: Running(**{**entry, "jwt_secret_path": Path(entry["jwt_secret_path"])}) for name, entry in fields.items()
    }


class _Clusters(Clusters):
    """Source and target that nobody starts or stops here."""

    def __init__(self, clusters: Mapping[str, Running]) -> None:
        self.source, self.target = cast(TestCluster, clusters["source"]), cast(TestCluster, clusters["target"])

    def stop(self) -> None:
        """They run on."""


class RealMigration(Migration):
    """The migration of the end-to-end test between clusters that run already."""

    def __init__(self, home: Path, archive: Path, clusters: Mapping[str, Running], time_scale: float) -> None:
        self.draw = random.Random("real")
        self.variants = Variants(("", ""), ())  # real servers: nothing was chosen for them
        self.clusters = _Clusters(clusters)
        self.agent = Agent(archive, home / "agent", clusters["source"].jwt_secret_path, time_scale)
        self._seed = "real"
        self.workload = None
