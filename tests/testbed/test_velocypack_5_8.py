# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Facts §5.8: old versions print large doubles inexactly as JSON; documents read as VelocyPack are exact."""

from __future__ import annotations

import json
import struct

import pytest

from tests.testbed import velocypack
from tests.testbed.inprocess import Direct

LARGE = 1.2345678901234567e18
ACCEPT = {"accept": velocypack.CONTENT_TYPE}


@pytest.mark.parametrize(
    ("value", "packed"),
    [
        (None, "18"), (False, "19"), (True, "1a"), (0, "30"), (9, "39"), (-1, "3f"), (-6, "3a"), (-7, "20f9"),
        (10, "280a"), (256, "290001"), (-129, "217fff"), (1 << 63, "2f0000000000000080"), (1.5, "1b000000000000f83f"),
        ("", "40"), ("abc", "43616263"), ([], "01"), ({}, "0a"), ([1, 2, 3], "0205313233"), ([1], "13043101"),
        ([1, 16], "06080231281003" + "04"), ({"a": 12}, "140741" + "61280c01"), ({"_key": "x"}, "14" + "0631417801"),
        ({"b": 1, "a": 2}, "0b0b02416231416132" + "0603"),
    ],
)  # fmt: skip
def test_forms_of_the_specification(value: object, packed: str) -> None:
    assert velocypack.dumps(value).hex() == packed


def test_long_values_use_wider_numbers() -> None:
    assert velocypack.dumps("x" * 127)[:9] == b"\xbf" + struct.pack("<Q", 127)
    assert [velocypack.dumps(["x" * size, 1])[0] for size in (100, 1000, 100_000)] == [0x06, 0x07, 0x08]
    assert [velocypack.dumps({"a": "x" * size, "b": 1})[0] for size in (100, 1000, 100_000)] == [0x0B, 0x0C, 0x0D]
    assert velocypack.dumps(["x" * 200])[:3] == b"\x13" + bytes([0x80 | 85, 1])


@pytest.mark.parametrize("version", ["3.11.11", "3.12.2", "3.12.10"])
def test_5_8_documents_are_exact_as_velocypack(version: str) -> None:
    direct = Direct(version=version)
    direct("POST", "/_api/collection", {"name": "c"})
    direct("POST", "/_api/document/c", b'{"_key":"k","n":1.2345678901234567e18}')
    printed = json.loads(direct("GET", "/_api/document/c/k").body)["n"]
    assert (printed == LARGE) is (version == "3.12.10")
    number = b"\x1b" + struct.pack("<d", LARGE)
    for answer in (
        direct("GET", "/_api/document/c/k", headers=ACCEPT),
        direct("PUT", "/_api/document/c?onlyget=true", ["k", "none"], headers=ACCEPT),
    ):
        assert answer.status == 200
        assert number in answer.body
