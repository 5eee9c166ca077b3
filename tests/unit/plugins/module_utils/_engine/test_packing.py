# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bodies are compressed where the target takes them and, unless ordered, where that is the quicker way."""

from __future__ import annotations

import json
import threading
import zlib
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._core.http import Response
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.packing import Packed, Packing
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.patience import Patience, Troubles, WriteGate
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import ShardId
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.target import TargetWriter

BIG = [b"x" * 100_000, b"y" * 50_000]


class Probed:
    """A target that answers the probe so; the last answer stays."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.asked = 0

    def json(self, _method: str, _path: str, *, data: list[bytes], headers: dict[str, str], **_options: Any) -> Any:
        """The probe."""
        self.asked += 1
        assert headers["Content-Encoding"] == "deflate"
        assert json.loads(zlib.decompress(data[0]))["query"] == "RETURN 1"
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def packing(policy: str, *answers: object) -> tuple[Packing, Probed]:
    """With a target that takes it if nothing else is said."""
    target: Any = Probed(*(answers or ({"result": [1]},)))
    return Packing(target, policy), target


def failure(is_retriable: bool) -> CutoverError:
    """An error instead of an answer to the probe."""
    return CutoverError("CUT-ARANGO-1", "no", retriable=is_retriable)


def test_a_body_says_the_same_when_it_is_unpacked() -> None:
    """The parts in their order; the target is told, and the report has both figures."""
    packer, target = packing("always")
    packed = packer.pack(BIG)
    assert packed.headers == {"Content-Encoding": "deflate"}
    assert zlib.decompress(b"".join(packed.data)) == b"".join(BIG)
    packer.pack(BIG)
    assert target.asked == 1
    figures = packer.document()
    assert figures["bytes_before"] == 300_000 > 10 * figures["bytes_sent"] > 0


def test_never_asks_nothing() -> None:
    """Not even whether the target could."""
    packer, target = packing("never")
    assert packer.pack(BIG) == Packed(BIG, 150_000)
    assert target.asked == 0


def test_small_bodies_stay_as_they_are() -> None:
    """They gain nothing."""
    packer, _target = packing("always")
    assert not packer.pack([b"x" * 4000]).is_compressed


@pytest.mark.parametrize("policy", ["auto", "always"])
def test_a_target_that_does_not_take_them_gets_plain_ones(policy: str) -> None:
    """It is asked once; passing trouble is no answer, and is asked again."""
    packer, target = packing(policy, failure(True), failure(False))
    assert not any(packer.pack(BIG).is_compressed for _time in range(10))
    assert target.asked == 2
    assert packer.document()["taken_by_target"] is False


@pytest.mark.parametrize("is_quicker", [True, False])
def test_auto_takes_the_quicker_way(is_quicker: bool) -> None:
    """Both are tried at first and now and then; a change of the way is noticed."""
    packer, _target = packing("auto")
    for wanted in (is_quicker, not is_quicker):
        chosen = []
        for _time in range(600):
            packed = packer.pack(BIG)
            seconds = 1.0 if packed.is_compressed is wanted else 9.0
            packer.sent(Packed(packed.data, packed.size, packed.is_compressed), seconds, None)
            chosen.append(packed.is_compressed)
        assert 0 < chosen[-300:].count(not wanted) < 20


class Ticking:
    """A clock by which compressing anything takes a second."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        """See ``Clock``."""
        self.now += 1.0
        return self.now

    def wall(self) -> float:
        """See ``Clock``."""
        return self.now


def test_auto_compresses_no_whole_body_where_sending_takes_less_time_than_compressing() -> None:
    """A part tells: the whole would cost as much as several that are sent."""
    target: Any = Probed({"result": [1]})
    packer = Packing(target, "auto", Ticking())
    for _time in range(600):
        packed = packer.pack(BIG)
        assert not packed.is_compressed
        packer.sent(packed, 0.5, None)
    assert packer.document()["bytes_sent"] == 0
    for _time in range(600):
        packed = packer.pack(BIG)
        packer.sent(packed, 1000.0 if not packed.is_compressed else 1.0, None)
    assert packed.is_compressed, "the line has become slow"


def test_auto_knows_that_compression_shortens_the_way_only() -> None:
    """Where the target takes its time and the line does not, a smaller body would be answered no sooner."""
    target: Any = Probed({"result": [1]})
    packer = Packing(target, "auto", Ticking())
    for sending in (20.0, 900.0):
        for _time in range(600):
            packed = packer.pack(BIG)
            packer.sent(packed, 1000.0 if not packed.is_compressed else 1.0, sending)
        assert packed.is_compressed == (sending == 900.0)
        assert (packer.document()["bytes_sent"] == 0) == (sending == 20.0)


class Taking(Probed):
    """A target that takes every write, and keeps the last one."""

    def request(self, _method: str, _path: str, *, data: list[bytes], headers: dict[str, str], **_options: Any) -> Any:
        """A write."""
        self.last = (b"".join(data), headers)
        return Response(200, {}, b"")


def test_a_write_tells_what_it_holds() -> None:
    """The target could not know otherwise."""
    target: Any = Taking({"result": [1]})
    patience = Patience(threading.Event(), Troubles())
    gate = WriteGate(lambda: None, patience)
    writer = TargetWriter(target, gate, patience, target, 1 << 20, Packing(target, "always"))
    writer.write(ShardId("d", "1", "s"), list, "PUT", "/x", query={}, data=BIG)
    body, headers = target.last
    assert headers == {"Content-Type": "application/json", "Content-Encoding": "deflate"}
    assert zlib.decompress(body) == b"".join(BIG)
