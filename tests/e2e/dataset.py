# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A small data set drawn by seed: every kind of sharding and index, odd numbers, and one shard of many batches."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from tests.workload.schema import CollectionSpec, DatabaseSpec, GraphSpec, UserSpec

__all__ = ["ADMINISTRATOR", "BIG", "DOCUMENTS_OF_BIG", "USERS", "WRITER", "stock", "tables"]

BIG = "archive"
DOCUMENTS_OF_BIG = 1500
FAR_FUTURE = 4102444800
WRITER = UserSpec("writer", "writes-all-day", (("shop", "", "rw"),))
ADMINISTRATOR = UserSpec("keeper", "holds-the-keys", (("_system", "", "rw"), ("*", "", "rw")))
USERS = (
    WRITER,
    UserSpec("looker", "looks-on-and-on", (("stock", "", "ro"), ("stock", BIG, "none"))),
    UserSpec("gone", "left-long-ago", (("stock", "", "rw"),), active=False),
)
ODD_NUMBERS = (
    -0.0, 1e-7, 1.5e300, 5e-324, 12345678901234567890, -9223372036854775808, 2**53 + 1, 0.1, 1e22, 123456789.123456789,
    1.2345678901234567e18, -9007199254740994.0,
)


def stock(draw: random.Random) -> DatabaseSpec:
    """A database whose shapes depend on the seed; `archive` always has one shard."""
    sparse = draw.random() < 0.5
    return DatabaseSpec(
        name="stock",
        collections=(
            CollectionSpec(BIG, 1),
            CollectionSpec(
                "parts", draw.randint(1, 6),
                indexes=(
                    {"type": "persistent", "fields": ["group", "weight"], "sparse": sparse, "name": "heavy"},
                    {"type": "ttl", "fields": ["expires"], "expireAfter": 10, "name": "forget"},
                ),
            ),
            CollectionSpec("links", draw.randint(1, 5), edge=True),
            CollectionSpec(
                "places", draw.randint(1, 4), shard_keys=("site",),
                indexes=({"type": "persistent", "fields": ["site", "number"], "unique": True, "name": "spot"},),
            ),
            CollectionSpec(
                "codes", 1,
                indexes=({"type": "persistent", "fields": ["code"], "unique": True, "sparse": True, "name": "code"},),
            ),
        ),
        graphs=(GraphSpec("assembly", "links", "parts"),),
    )


def tables(
    draw: random.Random, big: int = DOCUMENTS_OF_BIG
) -> Iterator[tuple[str, str, Iterator[dict[str, Any]]]]:
    """(database, collection, documents) of everything in `stock`, with so many documents in the big shard."""
    filler = "".join(draw.choice("abcdefgh ") for _index in range(6000))
    parts = draw.randint(300, 900)
    yield "stock", BIG, ({"_key": f"k{number}", "number": number, "text": filler} for number in range(big))
    yield "stock", "parts", (
        {
            "_key": f"p{number}", "group": number % 13, "weight": draw.choice(ODD_NUMBERS), "expires": FAR_FUTURE,
            "name": draw.choice(["Mutter", "écrou", "ナット", "\u0000\t\"\\/", ""]),
            "deep": {"list": [[], {}, None, True]},
        }
        for number in range(parts)
    )
    yield "stock", "links", (
        {"_key": f"l{number}", "_from": f"parts/p{draw.randrange(parts)}", "_to": f"parts/p{draw.randrange(parts)}"}
        for number in range(draw.randint(100, 600))
    )
    yield "stock", "places", (
        {"site": f"site{number % 5}", "number": number, "free": draw.random() < 0.5} for number in range(200)
    )
    yield "stock", "codes", (
        {"_key": f"c{number}", **({"code": f"code-{number}"} if number % 3 else {})} for number in range(150)
    )
