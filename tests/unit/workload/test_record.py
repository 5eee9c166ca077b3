# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The workload's record keeps the last acknowledged state per key and side."""

from __future__ import annotations

from pathlib import Path

from tests.workload.record import Record

PLACE = ("shop", "orders")


def test_record_survives_its_file(tmp_path: Path) -> None:
    record = Record()
    record.acknowledge("source", PLACE, {"a": {"_key": "a", "_rev": "_1", "n": 1}, "b": {"_key": "b", "_rev": "_2"}})
    record.acknowledge("target", PLACE, {"a": None})
    record.lost("source", PLACE, {"c": {"_key": "c", "n": 3}})
    record.save(tmp_path / "record")
    entries = Record.load(tmp_path / "record")[PLACE]
    assert entries == record.entries()[PLACE]
    assert entries["a"].acknowledged == {"source": {"_key": "a", "_rev": "_1", "n": 1}, "target": None}
    assert entries["c"].acknowledged == {} and entries["c"].unknown == {"source": [{"_key": "c", "n": 3}]}
    assert record.writes == {"source": 2, "target": 1}


def test_downtime_is_from_the_last_write_here_to_the_first_there() -> None:
    record = Record()
    record.acknowledge("source", PLACE, {"a": None})
    assert record.downtime() is None
    record.acknowledge("target", PLACE, {"a": None})
    first = record.downtime()
    record.acknowledge("target", PLACE, {"a": None})
    assert first is not None and first >= 0
    assert record.downtime() == first


def test_truncate_empties_and_drop_forgets() -> None:
    record = Record()
    record.acknowledge("source", PLACE, {"a": {"_key": "a"}})
    record.emptied("source", PLACE)
    assert record.entries()[PLACE]["a"].acknowledged == {"source": None}
    record.emptied("source", PLACE, dropped=True)
    assert record.entries() == {}
