# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a real engine answers is what the API's description says, from the first moment to the last."""

from __future__ import annotations

import json
from typing import Any

import jsonschema

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.openapi_answers import ANSWERS, STATUS
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.context import Environment
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.runner import run_request
from tests.integration.engine_case import Fill, Writer, finished, make_engine, ready, request_of, wait_status
from tests.integration.pair import Pair


def _described(name: str, answer: Any) -> None:
    """Fails with the place that is not as described."""
    schema = {**ANSWERS[name], "components": {"schemas": dict(ANSWERS)}}
    jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(answer)))


def test_every_answer_of_the_engine_is_as_described(pair: Pair) -> None:
    fill = Fill(pair)
    fill.definitions()
    fill.documents(60)
    engine = make_engine(pair)
    seen: set[str] = set()

    def look(status: dict[str, Any]) -> None:
        _described("Status", status)
        assert set(status) <= set(STATUS["properties"]), "describe new fields of the status in openapi_answers.py"
        seen.add(status["state"])

    def as_described(condition: Any) -> Any:
        def check(status: dict[str, Any]) -> bool:
            look(status)
            return bool(condition(status))

        return check

    try:
        look(engine.status())
        environment = Environment(
            source_jwt_secret_path=str(pair.source.jwt_secret_path), state_directory=str(pair.directory)
        )
        _described("Precheck", run_request(request_of(pair), environment).as_dict())
        engine.start(request_of(pair))
        with Writer(pair):
            wait_status(engine, as_described(ready))
            _described("Shards", engine.shards({"limit": 1000, "offset": 0}))
            _described("ServerMode", engine.server_mode())
            _described("RescueTicket", engine.rescue_ticket())
            engine.pause({"reason": "to look"})
            wait_status(engine, as_described(lambda status: status["pause"]["state"] == "paused"))
            engine.resume({})
            wait_status(engine, as_described(ready))
            engine.stop({"wait_timeout": 10.0})
            wait_status(engine, as_described(finished), 60.0)
        _described("Findings", {"findings": engine.findings()})
        _described("Report", engine.report())
        _described("Verification", engine.verification({"mode": "keys"}))
        _described("Changes", engine.changes({}))
    finally:
        engine.close(20.0)
    assert {"inactive", "running", "completed"} <= seen
