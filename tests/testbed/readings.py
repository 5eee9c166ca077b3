# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Readings of what no source proves (facts §12): each question has variants, of which the first is the default.

`--reading 5=present` or the option `readings: {"5": "present"}` chooses; several variants of one number are joined by
`+`. `python -m tests.testbed readings` prints the table of docs/testbed.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Reading:
    """One question of facts §12; `variants` = name → what the emulator does, the default first."""

    number: int
    question: str
    variants: Mapping[str, str]


READINGS = (
    Reading(
        2,
        "`_id` in markers and dumps of a DB-Server",
        {"collection-ids": "the collection's name", "shard-ids": "the shard's name"},
    ),
    Reading(
        2,
        "`cuid` of shards made by very old versions",
        {"plan-guids": "`c<plan id>/<shard>`", "plain-guids": "the shard's name alone"},
    ),
    Reading(
        3,
        "frames of one transaction with intermediate commits",
        {"same-tid": "the same `tid`", "tid-per-frame": "each a `tid` of its own"},
    ),
    Reading(
        3,
        "`tid` of one stream transaction on different servers",
        {"shared-tid": "the same", "local-tid": "each server its own"},
    ),
    Reading(
        4,
        "`frompresent` when a restarted server has nothing to read yet",
        {"missing": "`false` although nothing is lost", "present": "`true` when `from` is the last tick"},
    ),
    Reading(
        5,
        "`PUT /_api/wal/tail?trackOnly=true` and `DELETE /_api/wal/tail`",
        {"absent": "unknown: the first is a plain tail, the second 405", "present": "register and unregister a client"},
    ),
    Reading(
        6,
        "form of a revision tree",
        {"leaves": "`count`, `hash`, `initialRangeMin`, nodes of the lowest level", "levels": "all levels, top first"},
    ),
    Reading(
        7,
        "`/_api/dump` of Community builds before 3.12.5",
        {"community-dump": "is there", "no-community-dump": "404"},
    ),
    Reading(
        7,
        "`x-arango-dump-auth-user` on DB-Servers before 3.12",
        {"auth-required": "required", "auth-optional": "not needed"},
    ),
    Reading(
        7,
        "snapshot of a dump over several shards",
        {"one-snapshot": "one for all", "shard-snapshots": "of each shard when it is first read"},
    ),
    Reading(
        9,
        "`preserveRevisionIds` of restore-data",
        {"revisions-kept": "honoured", "revisions-anew": "ignored: new revisions"},
    ),
    Reading(
        10,
        "restore-collection of 4.x with removed properties",
        {"ignored": "ignores them", "refused": "400/10"},
    ),
    Reading(
        11,
        "checksums of different versions",
        {"equal": "are equal for equal documents", "by-version": "differ between minor versions"},
    ),
    Reading(12, "roles in the health document", {"mixed": "`DBServer`", "capitals": "`DBSERVER`"}),
    Reading(
        12,
        "`cleanedServers` of numberOfServers",
        {"cleaned-listed": "there", "cleaned-missing": "missing"},
    ),
    Reading(13, "`/_admin/server/availability` in read-only mode", {"source": "200", "docs": "503"}),
    Reading(14, "read-only writes to documents on 4.x", {"1004": "403/1004", "11": "403/11"}),
    Reading(
        14,
        "internal writes of a read-only cluster",
        {"quiet": "none that a marker shows", "statistics": "`_statistics…` go on, with markers"},
    ),
    Reading(
        15,
        "bulk writes with `silent=true` and no error",
        {"silent-array": "`[]`", "silent-object": "`{}`"},
    ),
    Reading(
        15,
        "items of revision conflicts on coordinators",
        {"bare-conflicts": "without a key", "named-conflicts": "with `_id`, `_key`, `_rev`"},
    ),
    Reading(
        15,
        "two documents with one revision in a shard",
        {"overwritten": "the second replaces the first silently", "kept": "both are kept"},
    ),
    Reading(
        17,
        "what a managed front-end blocks (any of them)",
        {
            "open": "nothing",
            "no-mode": "`PUT /_admin/server/mode`",
            "no-users": "restore of `_users`",
            "no-health": "`/_admin/cluster/health`",
            "no-metrics": "`/_admin/metrics`",
        },
    ),
    Reading(
        19,
        "numeric keys in collections of several shards",
        {"blind": "restored keys are not known to the generator", "observant": "keys go on above restored ones"},
    ),
    Reading(
        20,
        "writes when the license made the cluster read-only",
        {"license-1004": "403/1004", "license-11": "403/11"},
    ),
)
NOT_OBSERVABLE = {
    1: "the whole of the log's format rests on agreement of sources",
    8: "the old dump has no position that a client could ask for again",
    16: "hidden collections of smart edges are there by name and place; their documents are refused with 501",
    18: "tokens are HS256; `harden` and `api_jwt_policy` are options",
    21: "hidden behind the API",
    22: "429 is a fault (`status`, preset `too-many-requests`)",
}


def parse(
    values: Mapping[str, object] | Mapping[int, object], known: Iterable[Reading] = READINGS
) -> dict[int, frozenset[str]]:
    """Chosen variants by number; ValueError that names what is allowed."""
    by_number: dict[int, list[str]] = {}
    for reading in known:
        by_number.setdefault(reading.number, []).extend(reading.variants)
    chosen: dict[int, frozenset[str]] = {}
    for key, value in values.items():
        number = int(key)
        allowed = by_number.get(number)
        if allowed is None:
            raise ValueError(f"reading {number}: expecting one of {', '.join(map(str, by_number))}")
        names = frozenset(str(value).split("+"))
        if not names <= set(allowed):
            raise ValueError(f"reading {number}: expecting one of {', '.join(allowed)}")
        chosen[number] = chosen.get(number, frozenset()) | names
    return chosen


def parse_words(words: Iterable[str]) -> dict[str, str]:
    """`5=present` as often as wished → the option `readings`."""
    values: dict[str, str] = {}
    for word in words:
        number, _equals, variant = word.partition("=")
        values[number] = "+".join(filter(None, [values.get(number, ""), variant]))
    return values


def table(known: Iterable[Reading] = READINGS, hidden: Mapping[int, str] = NOT_OBSERVABLE) -> str:
    """The table of docs/testbed.md; `hidden` = number → why nothing of it can be seen."""
    lines = ["| number | question | variants (default first) |", "|---|---|---|"]
    for reading in known:
        variants = " · ".join(f"**{name}**: {meaning}" for name, meaning in reading.variants.items())
        lines.append(f"| {reading.number} | {reading.question} | {variants} |")
    lines += [f"| {number} | not observable | {reason} |" for number, reason in hidden.items()]
    return "\n".join(lines) + "\n"
