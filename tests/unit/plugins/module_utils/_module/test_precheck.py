# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the module `precheck` hands on to the checks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._module import precheck


class _Result:
    def as_dict(self) -> dict[str, Any]:
        return {"passed": True, "summary": {}, "checks": [], "capabilities": [], "forecast": None}


@pytest.mark.parametrize("check_mode", [False, True])
def test_nothing_is_tried_on_the_target_in_check_mode(monkeypatch: pytest.MonkeyPatch, check_mode: bool) -> None:
    asked: list[dict[str, Any]] = []

    def run_request(request: dict[str, Any], _environment: object) -> _Result:
        asked.append(request)
        return _Result()

    monkeypatch.setattr(precheck, "run_request", run_request)
    monkeypatch.setattr(precheck, "start_request", lambda _params: {"name": "x"})
    params = dict.fromkeys(("target_password", "state_directory", "listen_host", "port", "deployment"))
    wanted = {"source_jwt_secret_path": "/x", "fail_on_errors": True, "sample_seconds": 2.0, "probe_target": True}
    module: Any = SimpleNamespace(params={**params, **wanted}, check_mode=check_mode)
    result = precheck.run(module)
    assert asked == [{"name": "x", "sample_seconds": 2.0, "probe_target": not check_mode}]
    assert result["changed"] is False
