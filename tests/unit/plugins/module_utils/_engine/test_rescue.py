# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A rescue wins the record before it touches the source, and comes too late once the opening is decided."""

from __future__ import annotations

import base64
import json

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import decision as record
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.decision import Decision
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.rescue import rescue, ticket
from tests.unit.control_fakes import FakeStore, FakeWorld


def journal(state: str) -> FakeStore:
    """A record in that state."""
    store = FakeStore()
    store.create(record.KEY, {"state": state, "former_mode": "default", "agent": "first", "guard_seconds": 9.0})
    return store


@pytest.mark.parametrize("state", [record.FENCING, record.FENCED, record.ROLLING_BACK])
def test_i6_a_fenced_source_is_given_back(state: str) -> None:
    """By the record, and a second time nothing is left to do."""
    store, world = journal(state), FakeWorld(mode="readonly")

    def before(name: str) -> None:
        if name == "set_mode default":
            assert store.documents[record.KEY].body["state"] == record.ROLLING_BACK

    world.before = before
    assert rescue(store, world) == {"changed": True, "decision": record.NONE, "mode": "default"}
    assert rescue(store, world)["changed"] is False
    assert world.calls.count("set_mode default") == 1


@pytest.mark.parametrize("state", [record.OPENING, record.COMPLETED, record.REVOKING, record.REVOKED])
def test_i7_a_decided_opening_is_not_touched(state: str) -> None:
    """The source stays as it is."""
    store, world = journal(state), FakeWorld(mode="readonly")
    with pytest.raises(CutoverError) as refused:
        rescue(store, world)
    assert refused.value.code == "CUT-RESCUE-1"
    assert (world.mode, world.calls) == ("readonly", [])


def test_i7_the_opening_that_is_faster_is_obeyed() -> None:
    """Between reading and writing the record."""
    store, world = journal(record.FENCED), FakeWorld(mode="readonly")

    def agent(name: str) -> None:
        if name.startswith("replace"):
            store.before = lambda name: None
            rival = Decision(store)
            rival.read()
            rival.advance(record.OPENING)

    store.before = agent
    with pytest.raises(CutoverError) as refused:
        rescue(store, world)
    assert refused.value.code == "CUT-RESCUE-1"
    assert world.mode == "readonly"


def test_the_token_is_good_for_the_mode_alone_and_for_a_limited_time() -> None:
    """An hour after the deadline."""
    made = ticket(b"0123456789abcdef", ["https://c1:8529"], 100.0)
    payload = made["token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["allowed_paths"] == ["/_admin/server/mode"]
    assert made["coordinators"] == ["https://c1:8529"]
    assert made["expires_at"].endswith("Z")
