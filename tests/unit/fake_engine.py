# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An engine that follows the states of a migration at once and remembers what it was asked.

Tests put this file in the place of the engine inside an installed collection, too: it imports nothing of the tests.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import SYSTEM_CLOCK
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import spec
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.load import Load
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.spec_values import refuse

STATUS: dict[str, Any] = {
    "schema": 1,
    "migration": {"id": None, "name": "default", "config_digest": None},
    "at": "2026-11-23T00:00:00Z",
    "age_seconds": 0.1,
    "state": "inactive",
    "since": None,
    "pause": {"state": "none", "by": None, "reason": None, "since": None},
    "waiting": {"for": None, "since": None},
    "reason": {"code": None, "text": None, "remedy": None},
    "allowed_actions": ["start"],
    "progress": {"percent": 50.0, "bytes_copied": 1536, "bytes_total": 3072, "documents_copied": 7,
                 "documents_total": 14, "bytes_per_second": None, "eta_seconds": 200, "eta_low": 140, "eta_high": 320},
    "replication": {"lag_seconds": 0.4, "applied_total": 12, "behind_bytes": None, "operations_per_second": None,
                    "retention_runway_seconds": None, "servers": []},
    "shards": {"pending": 1, "copying": 1, "catching_up": 0, "in_sync": 2, "held": 0, "suspect": 0, "total": 4},
    "throttle": {"active": False, "reason": None, "metric": None, "value": None, "threshold": None, "since": None,
                 "load": "balanced"},
    "cutover": {"ready": False, "blockers": [], "predicted_downtime_seconds": None, "step": None, "steps": [],
                "last_attempt": None, "attempts": 0},
    "source": {"mode": "default"},
    "target": {"mode": "default"},
    "problems": [],
    "workers": [],
    "joined": None,
    "findings_total": 0,
    "late_indexes": {"pending": 0, "built": 0, "failed": 0},
    "limits": {},
    "links": {},
    "verification": None,
    "totals": {"errors": 0, "retries": 1, "recopies": 0, "restarts": 0},
}  # fmt: skip

CHANGES: dict[str, Any] = {
    "at": "2026-11-23T00:00:00Z",
    "opened_at": "2026-11-22T00:00:00Z",
    "collections": [],
    "totals": {"created": 0, "changed": 0, "removed": 0},
    "definitions": [],
    "source_mode": "readonly",
}


VERIFIED: dict[str, Any] = {
    "mode": "keys", "equal": True, "at": "2026-11-23T00:00:00.000Z", "seconds": 0.4, "repaired": 0,
    "collections": [
        {"database": "db", "collection": "c", "source_documents": 3, "target_documents": None, "equal": True},
    ],
    "not_in_sync": [], "differences": [], "differences_total": 0,
    "aspects": [
        {"what": "indexes", "verified": True, "equal": True, "differences": [], "why": None},
        {"what": "tasks", "verified": False, "equal": None, "differences": [], "why": "they are not migrated"},
    ],
}  # fmt: skip


class FakeEngine:
    """Follows the states of a migration at once; `fail` makes the next control call raise."""

    def __init__(self) -> None:
        self.document = copy.deepcopy(STATUS)
        self.calls: list[tuple[str, Any]] = []
        self.fail: Exception | None = None
        self.mode = "default"
        self.holds = False
        self.stop_result = "completed"
        self.rehearse_result = "rehearsed"
        self.asked_by = ""
        self.found = copy.deepcopy(CHANGES)
        self.verified = copy.deepcopy(VERIFIED)
        self.closed = False

    def _note(self, name: str, argument: Any) -> None:
        self.calls.append((name, argument))
        if self.fail is not None:
            failure, self.fail = self.fail, None
            raise failure

    def recover(self) -> None:
        self._note("recover", None)

    def start(self, request: Mapping[str, object]) -> bool:
        self._note("start", dict(request))
        digest = spec.parse(request).config_digest
        running = self.document["state"] not in ("inactive", "aborted")
        if running and digest == self.document["migration"]["config_digest"]:
            return False
        if self.document["state"] == "completed":
            raise CutoverError("CUT-STATE-1", "the migration was completed at 2026-11-23T00:00:00Z")
        if running:
            raise CutoverError("CUT-STATE-2", "another specification is running")
        self.document["migration"]["config_digest"] = digest
        self.document["target"]["endpoints"] = request["target_endpoints"]
        self.document["state"] = "running"
        self.document["shards"]["in_sync"] = 4
        return True

    def rehearse(self, options: Mapping[str, object], by: str = "") -> bool:
        self._note("rehearse", dict(options))
        spec.parse_options(options, spec.REHEARSE_OPTIONS)
        self.document["cutover"]["last_attempt"] = {
            "at": "now", "result": self.rehearse_result, "reason": None, "fenced_seconds": None,
        }  # fmt: skip
        return True

    def revoke(self, options: Mapping[str, object], by: str = "") -> bool:
        self._note("revoke", dict(options))
        spec.parse_options(options, spec.REVOKE_OPTIONS)
        if options.get("name") != "default":
            raise CutoverError("CUT-SPEC-1", "name: another one", details={"field": "name"})
        changed: bool = self.document["state"] == "completed"
        self.document["state"] = "aborted"
        return changed

    def changes(self, options: Mapping[str, object]) -> dict[str, Any]:
        self._note("changes", dict(options))
        spec.parse_options(options, spec.CHANGES_OPTIONS)
        return copy.deepcopy(self.found)

    def verification(self, options: Mapping[str, object]) -> dict[str, Any]:
        self._note("verification", dict(options))
        spec.parse_options(options, spec.VERIFICATION_OPTIONS)
        return copy.deepcopy(self.verified)

    def stop(self, options: Mapping[str, object], by: str = "") -> bool:
        self._note("stop", dict(options))
        spec.parse_options(options, spec.STOP_OPTIONS)
        self.asked_by = by
        if self.document["state"] == "completed":
            return False
        if self.document["state"] == "inactive":
            raise CutoverError("CUT-STATE-3", "nothing was started")
        if self.document["state"] == "stopping":
            if options.get("hold_opening") and not self.holds:
                raise CutoverError("CUT-STATE-5", "the cutover under way does not hold its opening")
            return False
        self.holds = bool(options.get("hold_opening"))
        if self.holds:
            self.document["state"] = "stopping"
            self.document["cutover"]["steps"] = [{"name": "cancel writers", "state": "done", "seconds": 0.1}]
        elif self.stop_result == "completed":
            self.document["state"] = "completed"
        else:
            self.document["cutover"]["attempts"] += 1
            self.document["cutover"]["last_attempt"] = {
                "at": "later", "result": self.stop_result, "reason": "a server did not answer", "fenced_seconds": 1.0,
            }  # fmt: skip
        return True

    def release(self, options: Mapping[str, object]) -> bool:
        self._note("release", dict(options))
        checked = spec.parse_options(options, spec.RELEASE_OPTIONS)
        if "open" not in checked:
            raise refuse("open", "is required", "CUT-SPEC-3")
        if self.document["state"] != "stopping":
            return False
        self.document["state"] = "completed" if checked["open"] else "running"
        if not checked["open"]:
            self.document["cutover"]["last_attempt"] = {
                "at": "now", "result": "rolled-back", "reason": options.get("reason"), "fenced_seconds": 1.0,
            }  # fmt: skip
        return True

    def abort(self, options: Mapping[str, object]) -> bool:
        self._note("abort", dict(options))
        spec.parse_options(options, spec.ABORT_OPTIONS)
        changed = self.document["state"] not in ("inactive", "aborted")
        if changed:
            self.document["state"] = "aborted"
        return changed

    def pause(self, options: Mapping[str, object]) -> bool:
        self._note("pause", dict(options))
        reason = spec.parse_options(options, spec.REASON_OPTIONS).get("reason")
        changed: bool = self.document["pause"]["state"] == "none"
        if changed:
            self.document["pause"] = {"state": "paused", "by": "operator", "reason": reason, "since": "now"}
        return changed

    def resume(self, options: Mapping[str, object]) -> bool:
        self._note("resume", dict(options))
        spec.parse_options(options, spec.REASON_OPTIONS)
        changed: bool = self.document["pause"]["state"] != "none"
        self.document["pause"] = copy.deepcopy(STATUS["pause"])
        return changed

    def limits(self, options: Mapping[str, object]) -> bool:
        self._note("limits", dict(options))
        shown = Load(**spec.parse_options(options, spec.LIMITS_OPTIONS)).shown(SYSTEM_CLOCK.wall())
        before = self.document["limits"]
        self.document["limits"] = {**before, **{name: shown[name] for name in options}}
        return bool(self.document["limits"] != before)

    def status(self) -> dict[str, Any]:
        return copy.deepcopy(self.document)

    def shards(self, options: Mapping[str, object]) -> dict[str, Any]:
        self._note("shards", dict(options))
        shard = {"database": "db", "collection": "c", "plan_id": "1", "shard": "s1", "state": "in-sync",
                 "leader": "PRMR-1", "verified_up_to": None, "verified_age_seconds": None}  # fmt: skip
        return {"shards": [shard], "total": 1}

    def findings(self) -> list[dict[str, Any]]:
        at = "2026-11-23T00:00:00Z"
        return [
            {"code": "CUT-X-1", "severity": "warning", "where": "db/c", "message": "<odd>", "remedy": "look",
             "key": None, "id": "CUT-X-1|db/c|", "count": 1, "first_at": at, "last_at": at, "accepted": None},
        ]  # fmt: skip

    def report(self) -> dict[str, Any] | None:
        return {"result": "completed"} if self.document["state"] == "completed" else None

    def rescue_ticket(self) -> dict[str, Any]:
        return {"token": "a.rescue.token", "expires_at": "2030-01-01", "coordinators": ["https://c1:8529"]}

    def server_mode(self) -> dict[str, Any]:
        return {"mode": self.mode, "servers": {"CRDN-1": self.mode}}

    def set_server_mode(self, mode: str) -> bool:
        self._note("set_server_mode", mode)
        changed = mode != self.mode
        self.mode = mode
        return changed

    def close(self, timeout: float) -> None:
        self.closed = True


@dataclass
class EngineConfig:
    """What the real engine is configured with."""

    state_directory: Any
    source_jwt_secret_path: Any
    allowed_sources: Any = None
    allowed_targets: Any = None
    time_scale: float = 1.0
    hostname: str = ""


class Engine(FakeEngine):
    """The fake engine, made as the agent makes the real one."""

    def __init__(self, config: EngineConfig) -> None:
        super().__init__()
        self.config = config
