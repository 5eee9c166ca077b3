# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading recorded exchanges: bodies that a recording lacks, and which servers may have answered (facts §11)."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timezone
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.testbed.hlc import decode

Exchange = dict[str, Any]

DIRECTORY = Path(os.environ.get("TESTBED_RECORDINGS", Path(__file__).parent / "recordings"))
LACKING = "@-"  # what stands for a body that a recording lacks
VERSIONS = ("3.10", "3.11", "3.12", "4.x")
_RELEASES = {"3.10": "3.10.14", "3.11": "3.11.14", "3.12": "3.12.10"}
# The examples for 4.x were recorded over two years, with builds that the answers show now and then.
_BUILDS = (
    (date(2024, 3, 5), "3.12.0-nightly.20240305"),
    (date(2025, 4, 19), "3.12.5-nightly.20250419"),
    (date(2026, 4, 16), "3.12.10-nightly.20260416"),
    (date(2026, 6, 23), "4.0.0-nightly.20260623"),
)
_REVISION = re.compile(r'"_(?:rev|oldRev)": "(_[A-Za-z0-9_-]{10})"')


def load(version: str) -> list[Exchange]:
    """The recorded exchanges of a version; a body that is lacking is taken from the same request of another one."""
    exchanges = _read(version)
    for exchange in exchanges:
        if exchange["request"].get("body") == LACKING:
            exchange["request"]["body"] = _body_of_another(exchange)
    return exchanges


def scripts(exchanges: Iterable[Exchange]) -> list[list[Exchange]]:
    """Exchanges of one recording belong together."""
    return [list(group) for _key, group in groupby(exchanges, lambda entry: (entry["name"], entry["topology"]))]


def servers(version: str, script: list[Exchange]) -> list[str]:
    """Versions of the servers that may have answered: what the answers show, or every build of the recording."""
    if version in _RELEASES:
        return [_RELEASES[version]]
    text = json.dumps([exchange["response"]["body"] for exchange in script])
    shown = re.search(r'"version": "(\d+\.\d+\.\d+[^"]*)"', text)
    if shown:
        return [shown[1]]
    moments = [decode(found) >> 20 for found in _REVISION.findall(text)]
    if moments:
        day = datetime.fromtimestamp(max(moments) / 1000, timezone.utc).date()
        older = [build for built, build in _BUILDS if built <= day]
        return older[-1:] or [_BUILDS[0][1]]
    return [build for _day, build in _BUILDS]


def _read(version: str) -> list[Exchange]:
    path = DIRECTORY / f"{version}.jsonl"
    if not path.exists():
        return []
    exchanges = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for exchange in exchanges:
        _decode_body(exchange["response"])
    return exchanges


def _decode_body(response: dict[str, Any]) -> None:
    """JSON that was recorded as a text."""
    headers = {name.lower(): value for name, value in response["headers"].items()}
    if isinstance(response["body"], str) and headers.get("content-type", "").startswith("application/json"):
        response["body"] = json.loads(response["body"])


@cache
def _whole_requests() -> dict[tuple[object, ...], list[Exchange]]:
    """Exchanges with their bodies, by what a documentation example asks of every version."""
    found: dict[tuple[object, ...], list[Exchange]] = {}
    for version in VERSIONS:
        for exchange in _read(version):
            if exchange["request"].get("body") != LACKING:
                found.setdefault(_place(exchange), []).append(exchange)
    return found


def _place(exchange: Exchange) -> tuple[object, ...]:
    path = re.sub(r"\d{3,}", "#", exchange["request"]["path"].removeprefix("/_db/_system"))  # ids are of one server
    return exchange["name"], exchange["seq"], exchange["request"]["method"], path


def _body_of_another(exchange: Exchange) -> Any:
    """The body of the same request elsewhere, with the identifiers of this recording in it."""
    for other in reversed(_whole_requests().get(_place(exchange), [])):
        body = other["request"].get("body")
        if _same_effect(body, other["response"]["body"], exchange["response"]["body"]):
            pairs = dict(_pairs(other["response"]["body"], exchange["response"]["body"]))
            return _translated(body, pairs)
    return LACKING


def _same_effect(body: Any, there: Any, here: Any) -> bool:
    """Whether what the body sets shows in both answers alike; an example may have changed between versions."""
    if not isinstance(body, dict) or not isinstance(there, dict) or not isinstance(here, dict):
        return True
    return all(here.get(name, value) == value for name, value in body.items() if there.get(name) == value)


def _pairs(there: Any, here: Any) -> Iterator[tuple[str, str]]:
    """Generated texts of two answers that stand in the same place."""
    if isinstance(there, dict) and isinstance(here, dict):
        for name in there.keys() & here.keys():
            yield from _pairs(there[name], here[name])
    elif isinstance(there, list) and isinstance(here, list):
        for left, right in zip(there, here, strict=False):
            yield from _pairs(left, right)
    elif isinstance(there, str) and isinstance(here, str) and there != here:
        yield there, here


def _translated(value: Any, pairs: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _translated(entry, pairs) for name, entry in value.items()}
    if isinstance(value, list):
        return [_translated(entry, pairs) for entry in value]
    return pairs.get(value, value) if isinstance(value, str) else value
