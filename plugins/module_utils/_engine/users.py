# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Users with their password hashes and grants, closed until the opening (design §4.7, facts §8, invariant I5).

What was written (see ``user_writers``) is read back through the user API.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Optional

from .._core.arango import Coordinators, segment
from .._core.catalogue import lookup
from .._core.clock import SYSTEM_CLOCK, Clock, Deadline
from .._core.errors import ArangoError, CutoverError
from .aql import read_all
from .dataplane_types import TargetGate
from .findings import Finding
from .journal import Record
from .parallel import gather
from .patience import outcome_unknown
from .selection import EVERYTHING, Selection
from .user_writers import SYSTEM, TIMEOUT, UserWriter, active, level, shown_grants

ROOT = "root"
MAP_KEY = "users-map"
# What the target shows where a user has no grant of his own.
_LOST = "the grant is undefined"
_NOT_YET = "a coordinator of the target does not know the user's grants yet"


def lowered(value: Any) -> Any:
    """A grants tree with every right to write taken away, on every database and collection."""
    if isinstance(value, Mapping):
        return {
            name: {**item, "write": False} if name == "permissions" and isinstance(item, Mapping) else lowered(item)
            for name, item in value.items()
        }
    return value


def held_form(document: Mapping[str, Any], *, early_readers: bool) -> dict[str, Any]:
    """What stands on the target until the opening: the same user, inactive, or able to read only."""
    if early_readers:
        return {**document, "databases": lowered(document.get("databases") or {})}
    auth = dict(document.get("authData") or {})
    return {**document, "authData": {**auth, "active": False}}


class Users:
    """The users of one migration. ``policy`` is ``copy``, ``recreate`` or ``skip``."""

    def __init__(
        self,
        source: Coordinators,
        target: Coordinators,
        gate: TargetGate,
        writer: UserWriter,
        record: Record,
        *,
        policy: str,
        early_readers: bool,
        own: Iterable[str],
        report: Callable[[Finding], None],
        resolve: Callable[[str, Optional[str]], None],
        settle: float,
        selection: Selection = EVERYTHING,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """``settle``: for so many seconds a request whose answer was lost may run late."""
        self._source = source
        self._target = target
        self._gate = gate
        self._writer = writer
        self._record = record
        self.policy = policy
        self._early_readers = early_readers
        self._not_ours = {ROOT, *own}
        self._report = report
        self._resolve = resolve
        self._selection = selection
        # Users who have grants on what is left out: they are on the target without these.
        self.narrowed: list[str] = []
        # Whom the last opening has left as they were.
        self.refused: set[str] = set()
        self._settle = settle
        self._clock = clock
        self._lost = Deadline(0.0, clock)
        self._as_wanted = policy == "skip"
        self._last_read: Optional[dict[str, dict[str, Any]]] = None
        self._problems: list[tuple[str, str]] = []
        self._to_read_back = False

    @property
    def current(self) -> bool:
        """Whether the target's users are what they must be, and no lost request can change them any more."""
        return self._as_wanted and self._lost.expired

    @contextmanager
    def _awaiting_lost(self) -> Iterator[None]:
        """A request without an answer may run when its repetition, and even the opening, is over."""
        try:
            yield
        except CutoverError as error:
            if outcome_unknown(error):
                self._lost = Deadline(self._settle, self._clock)
            raise

    def _write(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        with self._awaiting_lost():
            self._writer.write(documents)

    def probe(self) -> None:
        """Raise CUT-USER-1 unless the target takes users. Writes nothing."""
        if self.policy != "skip":
            self._writer.probe()

    def read_source(self) -> dict[str, dict[str, Any]]:
        """The source's user documents by name, without ``root`` and the migrating user, and without grants on what is
        left out.
        """
        documents = list(read_all(self._source, SYSTEM, "_users"))
        found = {str(item["user"]): item for item in documents if item.get("user") not in self._not_ours}
        self._last_read = {name: self._selection.user(item) for name, item in found.items()}
        self.narrowed = sorted(name for name, item in found.items() if self._last_read[name] != item)
        return self._last_read

    def sync(self) -> bool:
        """Bring the target's held users to what the source has; True when something was written."""
        if self.policy == "skip":
            return False
        wanted = self.read_source()
        known: dict[str, Any] = self._record.load().get("users", {})
        if any("form" not in mark for mark in known.values()):
            # Interrupted, perhaps in an earlier life: its request may run late.
            self._lost = Deadline(self._settle, self._clock)
        changed = {name for name, item in wanted.items() if known.get(name) != self._mark(item, "held")}
        removed = set(known) - set(wanted)
        if changed or removed:
            self._as_wanted = False
            # Recorded first, with a mark that never matches: an interrupted write is made again, and whoever may
            # have been written is known to be ours to remove.
            self._to_read_back = self._to_read_back or bool(changed)
            begun = {name: {"key": wanted[name]["_key"]} for name in changed}
            begun.update({name: {"key": known[name]["key"]} for name in removed})
            self._record.save({"users": {**known, **begun}})
            self._write({name: held_form(wanted[name], early_readers=self._early_readers) for name in changed})
            for name in removed:
                self._delete(name)
            self._record.save({"users": {name: self._mark(item, "held") for name, item in wanted.items()}})
        if self._to_read_back:
            self._problems = self.verify({name: self._held(item) for name, item in wanted.items()})
            self._to_read_back = any(text == _NOT_YET for _name, text in self._problems)
            self._tell(self._problems, "CUT-USER-2", "error")
        self._as_wanted = not self._problems
        return bool(changed or removed)

    def audit(self, *, repair: bool) -> None:
        """Right after ``sync``: look whether somebody else has changed users on the target, and put them right."""
        if self.policy == "skip" or self._last_read is None:
            return
        wanted = {name: self._held(item) for name, item in self._last_read.items()}
        problems = self.verify(wanted)
        wrong = [problem for problem in problems if problem[1] != _NOT_YET]
        if wrong and repair:
            for name, text in wrong:
                # A grant goes with its collection, and it was us who dropped and made that one again.
                if _LOST in text:
                    continue
                remedy = lookup("CUT-VERIFY-3").remedy
                self._report(Finding("CUT-VERIFY-3", "warning", f"user {name}", f"{text}: it is put right", remedy))
            self._write({name: wanted[name] for name in {name for name, _text in wrong}})
            problems = self.verify(wanted)
        self._problems = problems
        self._tell(problems, "CUT-USER-2", "error")
        self._as_wanted = not problems

    def _held(self, document: Mapping[str, Any]) -> dict[str, Any]:
        return held_form(document, early_readers=self._early_readers)

    @staticmethod
    def _mark(document: Mapping[str, Any], form: str) -> dict[str, Any]:
        return {"key": document["_key"], "rev": document["_rev"], "form": form}

    def _delete(self, name: str) -> None:
        self._gate.check()
        try:
            with self._awaiting_lost():
                self._target.json("DELETE", f"/_api/user/{segment(name)}", database=SYSTEM, idempotent=False)
        except ArangoError as error:
            if error.status != 404:
                raise
        self._writer.forget(name)

    def _tell(self, problems: list[tuple[str, str]], code: str, severity: str) -> None:
        self._resolve(code, None)
        for name, text in problems:
            self._report(Finding(code, severity, f"user {name}", text, lookup(code).remedy))

    def verify(self, wanted: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
        """Read the users back through the API; name and text of what is not as wanted."""
        if not wanted:
            return []
        answer = self._target.json("GET", "/_api/user", database=SYSTEM, timeout=TIMEOUT)
        found = {str(item["user"]): item for item in answer["result"]}
        present = [name for name in wanted if name in found]
        grants = gather({name: partial(shown_grants, self._target, name) for name in present})
        problems = [(name, "the user is not on the target") for name in wanted if name not in found]
        for name in present:
            document = wanted[name]
            shown = grants[name]
            if shown is not None and bool(found[name].get("active")) != active(document):
                problems.append((name, f"the user should be {'active' if active(document) else 'inactive'}"))
            problems.extend((name, text) for text in _grant_problems(document.get("databases") or {}, shown))
        return problems

    def compare(self, opened: bool) -> list[tuple[str, str]]:
        """What is not as it must be now, before or after the opening; writes nothing."""
        return self.verify({name: item if opened else self._held(item) for name, item in self.read_source().items()})

    def open_all(self, names: Optional[Collection[str]] = None) -> list[tuple[str, str]]:
        """Write the source's documents as they are, read them back, and return what is not as wanted.

        With ``names`` only these, whom an earlier call has left. A source that is gone at this moment does not keep the
        target closed: it was read after the fence.
        """
        if self.policy == "skip":
            return []
        try:
            wanted = self.read_source()
        except CutoverError:
            if self._last_read is None:
                raise
            wanted = self._last_read
        known: dict[str, Any] = self._record.load().get("users", {})
        if names is None:
            for name in set(known) - set(wanted):
                self._delete(name)
            known = {}
        else:
            wanted = {name: item for name, item in wanted.items() if name in names}
        self._record.save({"users": {**known, **{name: {"key": item["_key"]} for name, item in wanted.items()}}})
        self._writer.write(wanted)
        problems = self.verify(wanted)
        self.refused = {name for name, _text in problems}
        final = {name: self._mark(item, "final") for name, item in wanted.items() if name not in self.refused}
        if final:
            self._record.save({"users": {**self._record.values["users"], **final}})
        return problems

    def changed_since_opening(self) -> list[str]:
        """Names of the source's users who are not as they were written on the target by the opening: user management
        goes on while a source is read-only (facts §2.3).
        """
        if self.policy == "skip":
            return []
        known: dict[str, Any] = self._record.load().get("users", {})
        users = self.read_source()
        marks = {name: self._mark(user, "final") for name, user in users.items()}
        return sorted(name for name in {*known, *marks} - self.refused if known.get(name) != marks.get(name))

    def foreign(self) -> list[tuple[str, str]]:
        """Users and grants on the target that are not the source's; passwords cannot be compared (facts §1.3)."""
        wanted = self.read_source()
        answer = self._target.json("GET", "/_api/user", database=SYSTEM, timeout=TIMEOUT)
        found = {str(item["user"]) for item in answer["result"]} - self._not_ours
        problems = [(name, "the user is not on the target") for name in sorted(set(wanted) - found)]
        problems += [(name, "the user is not on the source") for name in sorted(found - set(wanted))]
        grants = gather({name: partial(shown_grants, self._target, name) for name in wanted if name in found})
        for name, shown in grants.items():
            problems += [(name, text) for text in _grant_problems(wanted[name].get("databases") or {}, shown)]
        return problems

    def still_open(self) -> list[tuple[str, str]]:
        """Read back who of the copied users is not inactive."""
        users = self.read_source()
        return self.verify({name: held_form(user, early_readers=False) for name, user in users.items()})

    def close_all(self) -> None:
        """Make every user that was copied inactive, also those that could read early (after an abort)."""
        if self.policy == "skip" or not self._record.load().get("users"):
            return
        wanted = {name: held_form(item, early_readers=False) for name, item in self.read_source().items()}
        self._writer.write(wanted)
        self._record.save({"users": {name: {"key": item["_key"]} for name, item in wanted.items()}})

    def count(self) -> int:
        """How many users this migration has made on the target, by the journal."""
        return len(self._record.load().get("users", {}))

    def remove_all(self) -> None:
        """Remove every user that this migration has made on the target."""
        for name in self._record.load().get("users", {}):
            self._delete(name)
        if self._record.values.get("users"):
            self._record.save({"users": {}})


def _grant_problems(databases: Mapping[str, Any], found: Optional[Mapping[str, Any]]) -> list[str]:
    if found is None:
        return [_NOT_YET]
    problems = []
    for name, entry in databases.items():
        actual = found.get(name)
        if not isinstance(actual, Mapping):
            continue
        wanted = level(entry)
        if wanted is not None and actual.get("permission") != wanted:
            problems.append(f"database {name}: the grant is {actual.get('permission')} and should be {wanted}")
        shown = actual.get("collections") or {}
        for collection, grant in (entry.get("collections") or {}).items():
            wanted = level(grant)
            if wanted is not None and collection in shown and shown[collection] != wanted:
                problems.append(f"{name}/{collection}: the grant is {shown[collection]} and should be {wanted}")
    return problems
