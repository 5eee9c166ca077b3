# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rows: compared as texts, and decoded where revisions have another form."""

from __future__ import annotations

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.revision import encode
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.likeness import Likeness
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.verify.reading import Reading
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.verify.rows import hashes_alike, lookup, same
from tests.unit.front_fake import refusal
from tests.unit.plugins.module_utils._engine.verify.two_sides import Cluster


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        ((), (), True),
        (("_a/1",), ("_a/1",), True),
        (("_a/1",), ("_a/2",), False),
        (("_a/1",), ("_b/1",), False),
        (("_a/1",), (), False),
        (("_a", "_b"), ("_a",), False),
        (("12345/1",), (f"{encode(12345)}/2",), True),
        (("12345",), (encode(12346),), False),
    ],
)
def test_same(left: tuple[str, ...], right: tuple[str, ...], equal: bool) -> None:
    assert same(left, right) is equal


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        ((), (), True),
        (("_a/1",), ("_b/1",), True),
        (("_a/1",), ("_a/2",), False),
        (("_a/1",), (), False),
        ((), ("_b/1",), False),
    ],
)
def test_same_where_the_target_makes_revisions(left: tuple[str, ...], right: tuple[str, ...], equal: bool) -> None:
    assert same(left, right, Likeness.CONTENT) is equal


def test_lookup_gives_what_is_there() -> None:
    cluster = Cluster()
    cluster.documents = {"a:b": (1 << 50, 3)}
    revision = encode(1 << 50)
    assert lookup(cluster, "db", "things", ["a:b", "missing"], True) == {"a:b": (f"{revision}/3",)}
    assert lookup(cluster, "db", "things", ["a:b"], False) == {"a:b": (revision,)}


def test_versions_that_hash_differently_are_noticed() -> None:
    assert hashes_alike(Cluster(), Cluster()) is True
    assert hashes_alike(Cluster(), Cluster(seed=1)) is False


def test_a_server_without_the_function_compares_by_revisions() -> None:
    def refuse(**_options: object) -> None:
        raise refusal(400, 1540)

    old = Cluster()
    old.on("POST _system /_api/cursor", refuse)
    assert hashes_alike(old, Cluster()) is False


@pytest.mark.parametrize("seed", [0, 1])
def test_keys_are_read_back_by_hashes_before_anything_was_compared(seed: int) -> None:
    """After a restart everything may be covered already: whole documents would be read for each written key."""
    source, target = Cluster(), Cluster(seed=seed)
    reading = Reading(source, target)
    source.documents = {"a": (1 << 50, 3)}
    reading.look_up(source, ("db", "1"), "things", ["a"], Likeness.REVISION)
    assert reading.is_hashed(("db", "1")) is (seed == 0)
