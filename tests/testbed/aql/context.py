# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a running query knows: bind parameters, collections, its transaction, and what it counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.testbed.aql import syntax
from tests.testbed.aql.hashing import hash_of, seed_of
from tests.testbed.aql.values import Stored, number, text
from tests.testbed.collection import Collection
from tests.testbed.errors import ArangoError
from tests.testbed.rights import may_read, may_write
from tests.testbed.storage import Transaction

if TYPE_CHECKING:
    from tests.testbed.aql.compiler import Compiler, Evaluate
    from tests.testbed.message import Request

_ROW_BYTES = 32  # what a kept row counts for `memoryLimit`


@dataclass
class Statistics:
    """Counters of `extra.stats`."""

    written: int = 0
    ignored: int = 0
    looked_up: int = 0
    scanned: int = 0
    scanned_index: int = 0
    filtered: int = 0
    full_count: int | None = None
    intermediate_commits: int = 0
    memory: int = 0


@dataclass
class Context:
    """The state of one query."""

    request: Request
    binds: Mapping[str, Any]
    options: Mapping[str, Any]
    transaction: Transaction
    memory_limit: int = 0
    statistics: Statistics = field(default_factory=Statistics)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    sleep_owed: float = 0.0  # seconds that SLEEP() has asked for and the driver has not waited yet
    written: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    used_binds: set[str] = field(default_factory=set)

    def bound(self, name: str) -> Any:
        """Value of a bind parameter; errorNum 1551, and 1553 for a data source that is no text."""
        if name not in self.binds:
            raise ArangoError(1551, f"AQL: no value specified for declared bind parameter '{name}' (while parsing)")
        self.used_binds.add(name)
        value = self.binds[name]
        if name.startswith("@") and not isinstance(value, str):
            raise ArangoError(1553, f"AQL: bind parameter '{name}' has an invalid value or type (while parsing)")
        return value

    def check_binds(self) -> None:
        """errorNum 1552 for a value that the query does not name."""
        for name in self.binds:
            if name not in self.used_binds:
                text = f"AQL: bind parameter '{name}' was not declared in the query (while parsing)"
                raise ArangoError(1552, text)

    def collection(self, name: str, *, writing: bool = False) -> Collection:
        """A collection that the caller may use; errorNum 1203, 11, 1004."""
        found = self.request.database.collections.get(name)
        if found is None:
            message = f"collection or view not found: {name}"
            if self.request.deployment.version_tuple < (3, 12, 1):
                message = f"AQL: {message} (while parsing)"
            raise ArangoError(1203, message)
        if writing:
            may_write(self.request, found)
            self.written.add(name)
        else:
            may_read(self.request, found)
            self.read.add(name)
        return found

    def raw_documents(self, collection: Collection) -> Iterator[bytes]:
        """Stored texts of a collection as they were when the iteration of each shard began."""
        for shard in collection.shards:
            writer = self.transaction.writer(shard)
            if writer.changed:
                yield from [raw for _revision, raw in writer.versions()]
            else:
                yield from list(shard.leader.docs.values())

    def documents(self, collection: Collection) -> Iterator[Stored]:
        """Documents of a collection."""
        for raw in self.raw_documents(collection):
            self.statistics.scanned += 1
            yield Stored(raw)

    def by_key(self, collection: Collection) -> Iterator[Stored]:
        """Documents in the order of each shard's primary index, which is bytewise."""
        for shard in collection.shards:
            writer = self.transaction.writer(shard)
            for key in sorted(writer.keys(), key=str.encode):
                version = writer.get(key)
                if version is not None:
                    self.statistics.scanned_index += 1
                    yield Stored(version[1])

    def lookup(self, collection: Collection, keys: Iterable[Any]) -> Iterator[Stored]:
        """Documents by key; what is no key of a document is left out, repetitions too."""
        for key in dict.fromkeys(entry for entry in keys if isinstance(entry, str)):
            for shard in collection.shards_for_key(key):
                version = self.transaction.writer(shard).get(key)
                if version is not None:
                    self.statistics.scanned_index += 1
                    yield Stored(version[1])

    def charge(self, rows: int = 1) -> None:
        """Count rows that are kept in memory; errorNum 32 over the limit."""
        self.statistics.memory += rows * _ROW_BYTES
        if self.memory_limit and self.statistics.memory > self.memory_limit:
            raise ArangoError(32, "AQL: query would use more memory than allowed (while executing)")

    def warn(self, code: int, message: str) -> None:
        """Add a warning, up to ten."""
        if len(self.warnings) < 10:
            self.warnings.append({"code": code, "message": message})

    def function(self, node: syntax.Call, compiler: Compiler) -> Evaluate | None:
        """Functions that need the query: None for all others."""
        arguments = node.arguments
        if node.name in ("LENGTH", "COUNT", "COLLECTION_COUNT") and len(arguments) == 1:
            return self._count(arguments[0], compiler, always=node.name == "COLLECTION_COUNT")
        compiled = [compiler.compile(argument) for argument in arguments]
        if node.name == "SLEEP" and len(arguments) == 1:
            return lambda row: self._sleep(number(compiled[0](row)))
        if node.name == "HASH" and len(arguments) == 1:
            seed = seed_of(self.request.deployment)
            return lambda row: hash_of(compiled[0](row), seed)
        if node.name == "DOCUMENT" and len(arguments) in (1, 2):
            return lambda row: self._document([argument(row) for argument in compiled])
        constants = {
            "CURRENT_USER": self.request.caller.user or None,
            "CURRENT_DATABASE": self.request.database_name,
            "VERSION": self.request.deployment.version,
        }
        if node.name in constants and not arguments:
            value = constants[node.name]
            return lambda _row: value
        if node.name == "COLLECTIONS" and not arguments:
            known = [{"_id": entry.id, "name": entry.name} for entry in self.request.database.collections.values()]
            return lambda _row: known
        return None

    def _count(self, argument: syntax.Expression, compiler: Compiler, *, always: bool) -> Evaluate | None:
        name: str | None = None
        if isinstance(argument, syntax.Name) and argument.name not in compiler.scope:
            name = argument.name
        elif isinstance(argument, syntax.Bind) and argument.name.startswith("@"):
            name = self.bound(argument.name)
        if name is not None:
            collection = self.collection(name)
            return lambda _row: collection.count()
        if not always:
            return None
        value = compiler.compile(argument)
        return lambda row: self.collection(text(value(row))).count()

    def _sleep(self, seconds: float) -> None:
        self.sleep_owed += max(0.0, seconds)

    def _document(self, arguments: list[Any]) -> Any:
        wanted = arguments[-1]
        if isinstance(wanted, list):
            found = [self._document([*arguments[:-1], entry]) for entry in wanted]
            return [entry for entry in found if entry is not None]
        identifier = text(wanted)
        name, slash, key = identifier.partition("/")
        if len(arguments) == 2:
            name, key = text(arguments[0]), key if slash else identifier
        elif not slash:
            return None
        return next(self.lookup(self.collection(name), [key]), None)
