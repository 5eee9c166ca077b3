# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The two clusters: started, filled, and reachable as anyone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.compare.side import Side
from tests.compare.whole import Login
from tests.demo.data import load
from tests.testbed.launch import Flavour, TestCluster
from tests.workload.clients import Connection
from tests.workload.process import Endpoint
from tests.workload.schema import DatabaseSpec, UserSpec, create_database, create_users

__all__ = ["Clusters"]

Shape = tuple[int, int]
Table = tuple[str, str, Iterable[dict[str, Any]]]


class Clusters:
    """A self-hosted source and a target, managed unless told otherwise, each a process of its own.

    ``shapes``: coordinators and DB-Servers of both.
    """

    def __init__(
        self, directory: Path, *, versions: tuple[str, str] = ("3.11.14", "3.11.14"),
        options: Mapping[str, object] | None = None, target_options: Mapping[str, object] | None = None,
        shapes: tuple[Shape, Shape] = ((2, 3), (2, 3)), flavour: Flavour = "managed",
    ) -> None:
        self.source = TestCluster.start(
            directory, name="source", version=versions[0], root_password="source-root", options=options,
            coordinators=shapes[0][0], dbservers=shapes[0][1],
        )
        try:
            self.target = TestCluster.start(
                directory, name="target", version=versions[1], root_password="target-root", flavour=flavour,
                options={**(options or {}), **(target_options or {})},
                coordinators=shapes[1][0], dbservers=shapes[1][1],
            )
        except BaseException:
            self.source.stop()
            raise

    def stop(self) -> None:
        """End both processes."""
        self.source.stop()
        self.target.stop()

    def fill(
        self, databases: Sequence[DatabaseSpec], users: Sequence[UserSpec], tables: Iterable[Table]
    ) -> dict[tuple[str, str], int]:
        """Create everything on the source and load the tables; return documents per collection."""
        root = self.connect("source")
        for spec in databases:
            create_database(root, spec, replication_factor=2)
        create_users(root, users)
        return load(root, tables)

    def cluster(self, side: str) -> TestCluster:
        """The cluster of that side."""
        return self.source if side == "source" else self.target

    def endpoint(self, side: str, user: str = "root", password: str | None = None) -> Endpoint:
        """How to reach a side as a user, root unless told otherwise."""
        cluster = self.cluster(side)
        secret = cluster.root_password if password is None else password
        return Endpoint(list(cluster.coordinators), str(cluster.ca_path), user, secret)

    def connect(self, side: str, user: str = "root", password: str | None = None) -> Connection:
        """A connection to the first coordinator of a side."""
        return self.endpoint(side, user, password).connect(0)

    def side(self, side: str) -> Side:
        """A side as the comparison wants it."""
        return Side(side, self.connect(side), self.cluster(side).control)

    def logins(self, users: Sequence[UserSpec]) -> list[Login]:
        """Every user's login on both sides."""
        sides = ("source", "target")
        return [Login(one.name, *(self.connect(side, one.name, one.password) for side in sides)) for one in users]
