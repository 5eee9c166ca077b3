# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A downgrade while a migration runs: the older agent says so and touches nothing (design §4.8)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.engine import Engine
from tests.integration.engine_case import Fill, make_engine, ready, request_of, wait_status
from tests.integration.pair import Pair

JOURNAL = "_cutover"


def _journal(pair: Pair) -> dict[str, Any]:
    return dict(pair.target.control.documents("_system", JOURNAL))


def _begun(pair: Pair) -> None:
    fill = Fill(pair)
    fill.definitions()
    fill.documents(20)
    engine = make_engine(pair)
    engine.start(request_of(pair))
    wait_status(engine, ready)
    engine.close(20.0)


def _refused_to_resume(engine: Engine, code: str) -> None:
    try:
        engine.recover()
        status = wait_status(engine, lambda status: status["state"] == "failed", fail_on=False)
        assert status["reason"]["code"] == code
        assert "newer" in status["reason"]["remedy"]
    finally:
        engine.close(20.0)


def test_i7_a_journal_of_a_newer_version_is_refused(pair: Pair) -> None:
    _begun(pair)
    for key in _journal(pair):
        pair.clients.target.json(
            "PATCH", f"/_api/document/{JOURNAL}/{key}", database="_system", body={"schema": 99}
        )
    before = _journal(pair)
    _refused_to_resume(make_engine(pair), "CUT-JOURNAL-3")
    other = make_engine(pair, pair.directory / "other")
    try:
        with pytest.raises(CutoverError) as refused:
            other.start(request_of(pair))
        assert refused.value.code == "CUT-JOURNAL-3"
    finally:
        other.close(20.0)
    assert _journal(pair) == before


def test_i7_a_state_directory_of_a_newer_version_is_refused(pair: Pair) -> None:
    _begun(pair)
    path = pair.directory / "engine" / "migration.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))
    before = _journal(pair)
    engine = make_engine(pair)
    try:
        with pytest.raises(CutoverError, match="written by a newer version"):
            engine.recover()
    finally:
        engine.close(20.0)
    assert _journal(pair) == before
    assert json.loads(path.read_text())["format"] == 99
