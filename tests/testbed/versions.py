# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which endpoints a version has: those that came late or were removed (facts §10).

Other differences of versions are in the modules where they show.
"""

from __future__ import annotations

import re
from typing import NamedTuple

Version = tuple[int, int, int]
ALWAYS: Version = (0, 0, 0)
NEVER: Version = (99, 0, 0)
_SUFFIX = re.compile(r"\d+\.\d+\.\d+-(\d+)\Z")
_APPLIER = "applier-[a-z-]+|make-follower|logger-follow|logger-first-tick|logger-tick-ranges|server-id|sync"


class Span(NamedTuple):
    """Requests that exist from version `since` on and before `until`; `pattern` matches method, blank and path."""

    pattern: str
    since: Version
    until: Version


SPANS = (
    Span(r"\w+ /_api/replication/(?:" + _APPLIER + r")", ALWAYS, (3, 12, 10)),
    Span(r"\w+ /_admin/wal/\w+", ALWAYS, (4, 0, 0)),
    Span(r"\w+ /_admin/(?:version|metrics/v2|job(?:/.*)?)", ALWAYS, (4, 0, 0)),
    Span(r"\w+ /_admin/aardvark/.*", ALWAYS, (4, 0, 0)),
    Span(r"\w+ /_api/endpoint", ALWAYS, (4, 0, 0)),
    Span(r"\w+ /_api/simple/.*", ALWAYS, (4, 0, 0)),
    Span(r"PUT /_api/cursor/.+", ALWAYS, (4, 0, 0)),
    Span(r"PUT /_api/collection/[^/]+/(?:un)?load", ALWAYS, (4, 0, 0)),
    Span(r"POST /_api/transaction", ALWAYS, (4, 0, 0)),
    Span(r"\w+ /_api/(?:tasks|aqlfunction)(?:/.*)?", ALWAYS, (4, 0, 0)),
    Span(r"\w+ /_api/query-plan-cache", (3, 12, 4), NEVER),
    Span(r"\w+ /_api/key-generators", (3, 12, 0), NEVER),
    Span(r"\w+ /_api/token/.+", (3, 12, 0), NEVER),
    Span(r"\w+ /_admin/deployment/id", (3, 12, 6), NEVER),
)


def missing(version: Version) -> re.Pattern[str]:
    """Matches the requests (method, blank, path) which a version does not have."""
    patterns = [span.pattern for span in SPANS if not span.since <= version < span.until]
    return re.compile(rf"(?:{'|'.join(patterns)})\Z" if patterns else r"(?!)")


def release(text: str) -> int:
    """The 3 of `3.12.5-3`, 0 without one."""
    match = _SUFFIX.match(text)
    return int(match.group(1)) if match else 0
