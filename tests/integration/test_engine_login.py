# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Password or certificate of the target change under a running migration: it waits, and goes on with the new ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.engine import Engine
from tests.integration.engine_case import Fill, make_engine, ready, request_of, wait_status
from tests.integration.pair import PASSWORD, Pair
from tests.testbed import certificates

LATER = [{"_key": f"later{number}", "n": number} for number in range(50)]


@pytest.fixture
def request_with_pem(pair: Pair) -> dict[str, Any]:
    """A start request with the CA as text."""
    request = request_of(pair, target_ca_pem=pair.target.ca_path.read_text())
    del request["target_ca_path"]
    return request


@pytest.fixture
def engine(pair: Pair, request_with_pem: dict[str, Any]) -> Iterator[Engine]:
    """A migration that is in sync."""
    fill = Fill(pair)
    fill.definitions()
    fill.documents(40)
    made = make_engine(pair)
    made.start(request_with_pem)
    wait_status(made, ready)
    yield made
    made.close(20.0)


def waits_for(text: str) -> Any:
    return lambda status: text in str(status["waiting"]["for"])


def blocked(status: dict[str, Any]) -> bool:
    """Whether the gate says that no cutover is possible while something is waited for."""
    return any(blocker["code"] == "CUT-GATE-10" for blocker in status["cutover"]["blockers"])


def assert_all_arrives(pair: Pair, engine: Engine) -> None:
    wait_status(engine, lambda status: status["waiting"]["for"] is None and ready(status))
    assert pair.differences("things", "shop") == []


def test_a_new_password_is_waited_for_and_taken_over(
    pair: Pair, engine: Engine, request_with_pem: dict[str, Any]
) -> None:
    pair.target.control.fault("change_password", user="root", password="rotated")
    pair.insert("things", LATER, "shop")
    waits = waits_for("target credentials")
    wait_status(engine, lambda status: waits(status) and blocked(status))
    assert engine.start({**request_with_pem, "target_password": "rotated"}) is False
    assert_all_arrives(pair, engine)


def test_a_new_certificate_is_waited_for_and_taken_over(
    pair: Pair, engine: Engine, request_with_pem: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "rotated").mkdir()
    ca_path, keyfile = certificates.make(tmp_path / "rotated")
    pair.target.control.fault("load_keyfile", path=str(keyfile))
    pair.insert("things", LATER, "shop")
    wait_status(engine, waits_for("does not verify"))
    with pytest.raises(CutoverError) as refused:
        engine.start({**request_with_pem, "target_ca_pem": "-----BEGIN CERTIFICATE-----\nrubbish"})
    assert refused.value.code == "CUT-TLS-1"
    assert engine.start({**request_with_pem, "target_ca_pem": ca_path.read_text()}) is False
    assert_all_arrives(pair, engine)


def test_a_file_under_the_same_name_is_read_again(pair: Pair, tmp_path: Path) -> None:
    """Whoever gives the CA as a file replaces the file and starts again."""
    fill = Fill(pair)
    fill.definitions()
    fill.documents(40)
    (tmp_path / "rotated").mkdir()
    new_ca, keyfile = certificates.make(tmp_path / "rotated")
    file = tmp_path / "target-ca.pem"
    file.write_text(pair.target.ca_path.read_text())
    request = request_of(pair, target_ca_path=str(file), target_password=PASSWORD)
    engine = make_engine(pair)
    try:
        engine.start(request)
        wait_status(engine, ready)
        pair.target.control.fault("load_keyfile", path=str(keyfile))
        pair.insert("things", LATER, "shop")
        wait_status(engine, waits_for("does not verify"))
        file.write_text(new_ca.read_text())
        assert engine.start(request) is False
        assert_all_arrives(pair, engine)
    finally:
        engine.close(20.0)
