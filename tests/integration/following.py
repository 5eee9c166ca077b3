# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rows of requests to a source, each of which has to arrive on the target of a migration that runs all the time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from arango.exceptions import ArangoError, PermissionListError

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.engine import Engine
from tests.compare.definitions import definitions, user_table
from tests.compare.side import Side
from tests.integration.conftest import SOURCE_OPTIONS
from tests.integration.engine_case import finished, make_engine, ready, request_of, wait_status
from tests.integration.pair import PASSWORD, TIME_SCALE, Pair, wait_for
from tests.testbed.launch import TestCluster
from tests.workload.clients import Connection

Change = tuple[str, str, str, Any]  # method, path, database, body


@dataclass(frozen=True)
class Row:
    """``before`` is made and followed first; then ``changes`` are made in one go, and have to change something."""

    name: str
    changes: Sequence[Change]
    before: Sequence[Change] = ()


def row_id(row: Row) -> str:
    """For pytest."""
    return row.name.replace(" ", "-")


class Following:
    """A pair with an engine at work, and both sides for the independent comparison."""

    def __init__(self, pair: Pair, engine: Engine) -> None:
        self.pair = pair
        self.engine = engine
        self._connections = [
            Connection(pair.source.coordinators, pair.source.ca_path, "root", pair.source.root_password),
            Connection(pair.target.coordinators, pair.target.ca_path, "root", PASSWORD),
        ]
        self.source = Side("source", self._connections[0], pair.source.control)
        self.target = Side("target", self._connections[1], pair.target.control)

    def close(self) -> None:
        """Close the connections."""
        for connection in self._connections:
            connection.close()

    def send(self, changes: Sequence[Change]) -> None:
        """Make changes on the source."""
        for method, path, database, body in changes:
            self.pair.clients.coordinators.json(method, path, database=database, body=body)

    def definitions(self, side: Side) -> dict[tuple[str, ...], Any]:
        """Everything but users, and indexes that wait for the opening."""
        return {
            name: value
            for name, value in definitions(side).items()
            if name[0] not in ("user", "grant") and not (name[0] == "index" and value["type"] == "ttl")
        }

    def documents(self, side: Side) -> dict[tuple[str, ...], Any]:
        """Documents of all collections of users, and graphs."""
        return {
            ("documents", database, name): side.storage.documents(database, name)
            for database in side.databases()
            for name in [*side.collections(database), "_graphs"]
        }

    def users(self, side: Side) -> dict[str, Any]:
        """User documents as they are stored, without what each side gives them."""
        found = (json.loads(raw) for _revision, raw in side.storage.documents("_system", "_users").values())
        own = ("_id", "_key", "_rev")
        return {
            user["user"]: {name: value for name, value in user.items() if name not in own}
            for user in found
            if user["user"] != "root"
        }

    def grants(self, side: Side) -> dict[tuple[str, ...], Any]:
        """Users and their grants as the user API shows them; nothing while one of them is being dropped."""
        try:
            return dict(user_table(side.root))
        except PermissionListError:
            return {}

    def check(self, row: Row) -> None:
        """Make the row's changes and wait until they have arrived."""
        if row.before:
            self.send(row.before)
            self.wait_equal()
        before = self.definitions(self.source), self.documents(self.source)
        self.send(row.changes)
        assert (self.definitions(self.source), self.documents(self.source)) != before, "the row changes nothing"
        self.wait_equal()

    def wait_equal(self) -> None:
        """Wait until nothing differs and nothing is complained of."""
        wait_for(lambda: not self.differences(), 60.0, lambda: f"{self.differences()} {self._told()}")
        wait_status(self.engine, lambda status: not status["findings_total"], 60.0)

    def _told(self) -> list[str]:
        return [f"{item['code']} {item['where']}: {item['text']}" for item in self.engine.status()["problems"]]

    def differences(self) -> list[str]:
        """What differs, in words."""
        try:
            mine, theirs = ({**self.definitions(side), **self.documents(side)} for side in (self.source, self.target))
            names = sorted(mine.keys() | theirs.keys())
            return [
                f"{name}: {mine.get(name)} / {theirs.get(name)}" for name in names if mine.get(name) != theirs.get(name)
            ]
        except (ArangoError, RuntimeError) as error:
            # Something was dropped between being listed and being read.
            return [f"reading: {error}"]

    def cut_over(self) -> None:
        """To the end."""
        wait_status(self.engine, ready, 60.0)
        self.engine.stop({"wait_timeout": 30.0})
        wait_status(self.engine, finished, 60.0)


@contextmanager
def following(
    directory: Path,
    before: Sequence[Change] = (),
    *,
    version: str = "3.11.14",
    source_options: Mapping[str, Any] | None = None,
    target_options: Mapping[str, Any] | None = None,
    **request: Any,
) -> Iterator[Following]:
    """Both clusters (a target of this version) and a migration that is ready for its cutover; ``before`` is made on the
    source first.
    """
    options = {**SOURCE_OPTIONS, **(source_options or {})}
    others = {"time_scale": TIME_SCALE, **(target_options or {})}
    with (
        TestCluster.start(directory, name="source", options=options) as source,
        TestCluster.start(
            directory, name="target", version=version, flavour="managed", root_password=PASSWORD, options=others
        ) as target,
    ):
        pair = Pair(source, target, directory)
        engine = make_engine(pair)
        case = Following(pair, engine)
        case.send(before)
        try:
            engine.start(request_of(pair, **request))
            wait_status(engine, ready, 60.0)
            yield case
        finally:
            engine.close(20.0)
            case.close()
            pair.clients.close()


def rows(table: Sequence[Row]) -> pytest.MarkDecorator:
    """A test for each row."""
    return pytest.mark.parametrize("row", table, ids=row_id)
