# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the markers of one server go: to appliers, to spools, or nowhere (design §4.1).

Routes belong to the tailer's thread: every method but the constructor runs there, changes at a batch boundary.
"""

from __future__ import annotations

import threading
from typing import AbstractSet, Callable, Iterable, Optional, Sequence

from .applier import ApplierPool, Unit
from .dataplane_types import LateMarker, LateMarkers
from .ledger import Chunk, Ledger
from .marker import INDEX_CREATE, INDEX_DROP, OPERATIONS, TRUNCATE, Marker
from .patience import Patience
from .shards import Route, Shard, ShardBook, ShardId, ShardPlan, ShardState

_CREATE = 2000
_DROP = 2001
_DATA = OPERATIONS | {TRUNCATE}
# Of shards that nobody knows they say nothing.
_CHANGES = frozenset({_DROP, INDEX_CREATE, INDEX_DROP})
_TOLD = _DATA | _CHANGES | {_CREATE}
_LATE_SAMPLES = 100
_HEAD_BYTES = 100
Name = tuple[bytes, bytes]


def name_of(database: str, cuid: str) -> Name:
    """The name under which a collection's or shard's markers come."""
    return (database.encode("utf-8"), cuid.encode("utf-8"))


def _size(markers: Sequence[Marker]) -> int:
    """About how many bytes of a log they are."""
    return sum([len(marker.data) for marker in markers]) + _HEAD_BYTES * len(markers)


def _texts(names: Iterable[Name]) -> set[tuple[str, str]]:
    return {(database.decode("utf-8"), cuid.decode("utf-8")) for database, cuid in names}


class Observations:
    """What the control path wants to know of the logs; thread safe, shared by all servers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unknown: dict[Name, int] = {}
        self._watched: set[Name] = set()
        self._dirty: set[Name] = set()
        self._dropped: set[ShardId] = set()
        self._late = 0
        self._samples: list[LateMarker] = []
        self.discarded = 0

    def unknown(self) -> set[tuple[str, str]]:
        """Databases and cuids of markers that nobody has explained."""
        with self._lock:
            return _texts(self._unknown)

    def saw_unknown(self, name: Name) -> None:
        """Count a marker that nobody has explained, or note a change of a watched shard."""
        with self._lock:
            if name in self._watched:
                self._dirty.add(name)
            else:
                self._unknown[name] = self._unknown.get(name, 0) + 1

    def explain(self, name: Name, discard: bool = False) -> None:
        """It is known now, or known to exist nowhere any more."""
        with self._lock:
            count = self._unknown.pop(name, 0)
            if discard:
                self.discarded += count

    def watch(self, name: Name) -> None:
        """Note changes of a shard that is not copied by the data path (``_users``, ``_analyzers``)."""
        with self._lock:
            self._watched.add(name)
            if self._unknown.pop(name, None):
                self._dirty.add(name)

    def take_dirty(self) -> set[tuple[str, str]]:
        """Watched shards that have changed since the last call."""
        with self._lock:
            dirty, self._dirty = self._dirty, set()
            return _texts(dirty)

    def saw_dropped(self, shard: ShardId) -> None:
        """A shard was dropped from the server that leads it: with its collection, or because it has moved."""
        with self._lock:
            self._dropped.add(shard)

    def any_dropped(self) -> bool:
        """Whether there is something for ``take_dropped``."""
        return bool(self._dropped)

    def take_dropped(self) -> set[ShardId]:
        """Those shards since the last call."""
        with self._lock:
            dropped, self._dropped = self._dropped, set()
            return dropped

    def saw_late(self, marker: LateMarker) -> None:
        """A write after the drained position."""
        with self._lock:
            self._late += 1
            if len(self._samples) < _LATE_SAMPLES:
                self._samples.append(marker)

    def late(self) -> LateMarkers:
        """What came after the drained positions."""
        with self._lock:
            return LateMarkers(self._late, tuple(self._samples))

    def forget_late(self) -> None:
        """A new drain begins."""
        with self._lock:
            self._late, self._samples = 0, []


class ShardRouter:
    """The router of one server; shards led by another server are known, but their markers are dropped here."""

    def __init__(
        self,
        server_id: str,
        book: ShardBook,
        pool: ApplierPool,
        patience: Patience,
        observations: Observations,
        ledger: Callable[[], Ledger],
        *,
        truncated: Callable[[Shard], None],
        doubt: Callable[[str, str, str], None],
        disk_full: Callable[[OSError], None],
        touched: Callable[[Shard, Optional[AbstractSet[bytes]]], None],
        index: Callable[[ShardId, Marker], None],
    ) -> None:
        self.server_id = server_id
        self._book = book
        self._pool = pool
        self._patience = patience
        self._observations = observations
        self._ledger = ledger
        self._truncated = truncated
        self._doubt = doubt
        self._disk_full = disk_full
        self._touched = touched
        self._index = index
        self._keys: dict[Shard, set[bytes]] = {}
        self._routes: dict[Name, Optional[Shard]] = {}
        self._live: dict[Shard, list[Marker]] = {}
        # The same lists by the names that markers carry: what further inserts and removes of this chunk only join.
        self._open: dict[Name, list[Marker]] = {}
        self._spooled: dict[Shard, list[bytes]] = {}
        self._watch_after: Optional[int] = None
        self._last: Optional[tuple[ShardPlan, Marker]] = None

    def has_room(self) -> bool:
        """See ``Router``."""
        return self._pool.has_room

    def doubt(self, kind: str, text: str) -> None:
        """See ``Router``."""
        # Ticks of another log say nothing about the end of this one.
        self._last = None
        self._doubt(self.server_id, kind, text)

    def take(self, marker: Marker, line: bytes, before: int) -> None:
        """See ``Router``."""
        name = (marker.database, marker.cuid)
        markers = self._open.get(name)
        if markers is not None and marker.type in OPERATIONS:
            markers.append(marker)
        elif marker.type in _TOLD:
            self._take(name, marker, line, before)

    def _take(self, name: Name, marker: Marker, line: bytes, before: int) -> None:
        """Any marker that says something."""
        if marker.type in _CHANGES:
            self._saw_change(self._routes.get(name), marker)
            return
        if name not in self._routes:
            self._observations.saw_unknown(name)
            return
        shard = self._routes[name]
        if shard is None or marker.type not in _DATA:
            return
        self._last = (shard.plan, marker)
        if self._watch_after is not None and marker.tick > self._watch_after:
            self._note_late(shard.plan, marker)
        if shard.watched and marker.type == TRUNCATE:
            self._touched(shard, None)
        if shard.route is Route.LIVE and marker.type == TRUNCATE:
            self._hold_for_truncate(shard, name, before)
        if shard.route is Route.LIVE:
            markers = self._live.setdefault(shard, [])
            markers.append(marker)
            if self._watch_after is None:
                self._open[name] = markers
            return
        self._saw_keys(shard, [marker])
        if shard.route is Route.SPOOL:
            self._spooled.setdefault(shard, []).append(line)

    def _saw_keys(self, shard: Shard, markers: Sequence[Marker]) -> None:
        if shard.watched:
            self._keys.setdefault(shard, set()).update([marker.key for marker in markers])

    def _saw_change(self, shard: Optional[Shard], marker: Marker) -> None:
        if shard is None or shard.gone:
            return
        if marker.type == _DROP:
            self._observations.saw_dropped(shard.id)
        else:
            self._index(shard.id, marker)

    def flush(self, chunk: Chunk) -> None:
        """See ``Router``."""
        ledger = self._ledger()
        live, self._live = self._live, {}
        self._open.clear()
        for shard, markers in live.items():
            self._saw_keys(shard, markers)
            if self._last is None or self._last[1].tick < markers[-1].tick:
                self._last = (shard.plan, markers[-1])
        touched, self._keys = self._keys, {}
        for shard, keys in touched.items():
            self._touched(shard, keys - {b""})
        for shard, markers in live.items():
            ledger.add(chunk)
            self._pool.submit(Unit(shard, markers, _size(markers), done=lambda: ledger.done(chunk)))
        spooled, self._spooled = self._spooled, {}
        for shard, lines in spooled.items():
            self._spool(shard, lines)

    def know(self, shard: Shard) -> None:
        """A shard was registered."""
        name = name_of(shard.id.database, shard.plan.cuid)
        self._routes[name] = shard if shard.plan.leader == self.server_id else None
        self._observations.explain(name)

    def know_all(self, shards: Iterable[Shard]) -> None:
        """Shards were registered."""
        for shard in shards:
            self.know(shard)

    def begin_anew(self, old: Shard, fresh: Shard) -> None:
        """A doubt has ended the life of a shard: nothing more is taken for it, and the next one is not armed yet."""
        old.route = Route.DROP
        old.spool.delete()
        self.know(fresh)

    def ignore(self, name: Name) -> None:
        """The markers of this name are of no concern."""
        self._routes[name] = None
        self._observations.explain(name)

    def drop(self, shard: Shard) -> None:
        """No marker of this shard is wanted any more."""
        shard.route = Route.DROP
        self._routes[name_of(shard.id.database, shard.plan.cuid)] = None

    def spool(self, shard: Shard) -> None:
        """From here on the shard's markers go to its spool."""
        if shard.route is Route.DROP:
            shard.route = Route.SPOOL

    def adopt(self, shard: Shard, boundary: int) -> None:
        """After a restart: an in-sync shard whose markers are spooled until the stretch to replay is read."""
        if shard.route is Route.DROP:
            self._ledger().pin(shard.pin, boundary)
            shard.route = Route.SPOOL

    def hold(self, shard: Shard, boundary: int) -> None:
        """Stop applying an in-sync shard at this boundary; its restart position stays here until it goes on."""
        with self._book.changed:
            if shard.route is not Route.LIVE or shard.gone:
                return
            shard.renew_spool().delete()
            self._ledger().pin(shard.pin, boundary)
            shard.route = Route.SPOOL
            # A shard whose last spool is still being applied becomes held when that has ended.
            if shard.state is ShardState.IN_SYNC:
                self._book.move(shard, ShardState.HELD)

    def watch_late(self, after: Optional[int]) -> None:
        """Report writes after this tick (None: do not), also one that was read already."""
        self._watch_after = after
        if after is not None and self._last is not None and self._last[1].tick > after:
            self._note_late(*self._last)

    def _hold_for_truncate(self, shard: Shard, name: Name, before: int) -> None:
        # What was read before goes first: a truncate is a batch of its own, so this is a boundary.
        self._open.pop(name, None)
        markers = self._live.pop(shard, None)
        if markers:
            self._saw_keys(shard, markers)
            # Its effects come before the pinned position, and the pin holds the ledger until they are in.
            self._pool.submit(Unit(shard, markers, _size(markers)))
        self.hold(shard, self._safe_boundary(before))
        self._truncated(shard)

    def _safe_boundary(self, before: int) -> int:
        """A pin for a hold in the middle of a chunk whose earlier items are not all accounted yet."""
        return min(before, self._ledger().restart_tick)

    def _note_late(self, plan: ShardPlan, marker: Marker) -> None:
        key = marker.key.decode("utf-8", "replace") if marker.key else None
        self._observations.saw_late(
            LateMarker(self.server_id, plan.id.database, plan.collection, key, marker.tick)
        )

    def _spool(self, shard: Shard, lines: list[bytes]) -> None:
        """Write to disk; a full disk stops the reading here until there is room (invariant I8)."""
        self._patience.on_disk(lambda: shard.spool.append(lines), self._disk_full)
