# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines of a server's log for tests."""

from __future__ import annotations

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.marker import (
    BEGIN,
    COMMIT,
    INSERT,
    REMOVE,
    Marker,
)


def line_of(marker: Marker) -> bytes:
    """The line of a marker as a server writes it (facts §5.5)."""
    tick, kind, database, cuid = marker.tick, marker.type, marker.database or b"d", marker.cuid or b"s2"
    if kind in (BEGIN, COMMIT):
        return b'{"tick":"%d","type":%d,"tid":"%s","db":"%s"}' % (tick, kind, marker.tid, database)
    if kind not in (INSERT, REMOVE):
        return b'{"tick":"%d","type":%d,"db":"%s","cuid":"c1/%s"}' % (tick, kind, database, cuid)
    head = b'{"tick":"%d","type":%d,"db":"%s","cuid":"c1/%s","tid":"%s","data":' % (
        tick, kind, database, cuid, marker.tid or b"0",
    )
    return head + marker.data + b"}"


def insert(tick: int, key: bytes, rest: bytes = b"", tid: bytes = b"") -> Marker:
    """An insert whose revision tells its tick; ``rest`` is what follows in the document, e.g. ``b',"n":1'``."""
    data = b'{"_key":"%s","_id":"c/%s","_rev":"_r%d"%s}' % (key, key, tick, rest)
    return Marker(tick, INSERT, key=key, rev=b"_r%d" % tick, data=data, tid=tid)


def remove(tick: int, key: bytes, tid: bytes = b"") -> Marker:
    """A remove whose revision tells its tick."""
    data = b'{"_key":"%s","_rev":"_r%d"}' % (key, tick)
    return Marker(tick, REMOVE, key=key, rev=b"_r%d" % tick, data=data, tid=tid)
