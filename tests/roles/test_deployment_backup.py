# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module `deployment_backup` as tasks: check mode, repetition, differences, failures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.roles.conftest import Host
from tests.testbed.platform.launch import TestPlatform

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestPlatform]:
    """A platform where the environment says that it is."""
    with TestPlatform.start(tmp_path, options={"time_scale": 0.02}) as started:
        monkeypatch.setenv("CUTOVER_PLATFORM_ENDPOINT", started.url)
        monkeypatch.setenv("CUTOVER_PLATFORM_CA_PATH", str(started.ca_path))
        monkeypatch.setenv("ARANGO_GRAPH_API_KEY", started.key_id)
        monkeypatch.setenv("ARANGO_GRAPH_API_SECRET", started.key_secret)
        monkeypatch.setenv("ARANGO_GRAPH_DEPLOYMENT_ID", started.deployment)
        yield started


def backup(name: str = "before", *, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return {"cutover.arangodb.deployment_backup": {"name": name, "wait_interval": 0.05, **options},
            "check_mode": check_mode, "diff": True}  # fmt: skip


def test_check_mode_repetition_and_differences(host: Host, platform: TestPlatform) -> None:
    tasks = [
        backup(check_mode=True), backup(), backup(), backup(upload=True, check_mode=True), backup(upload=True),
        backup(upload=True), backup(state="absent", check_mode=True), backup(state="absent"), backup(state="absent"),
    ]  # fmt: skip
    results = host.run_tasks(tasks)
    assert [bool(one.get("failed")) for one in results] == [False] * len(tasks), results
    assert [one["changed"] for one in results] == [True, True, False, True, True, False, True, True, False]
    would, made, again, _would, uploaded, _again, _would_remove, removed, _gone = results
    assert (would["backup"], would["diff"]["before"]["state"], would["diff"]["after"]["state"]) == (
        None, "absent", "present",
    )  # fmt: skip
    assert made["backup"]["available"] is True
    assert again["backup"]["id"] == made["backup"]["id"] == uploaded["backup"]["id"]
    assert again["diff"]["before"] == again["diff"]["after"]
    assert uploaded["backup"]["uploaded"] is True
    assert removed["backup"] is None
    assert platform.control.get("/state/overview")["backups"] == {}


def test_failures_name_code_and_remedy(host: Host, platform: TestPlatform) -> None:
    reader = platform.control.fault("add_key", is_readonly=True)["result"]
    platform.control.fault("fail_backup", message="not enough disk space")
    as_reader = {"platform_key_id": reader["id"], "platform_key_secret": reader["secret"]}
    results = host.run_tasks([
        backup(**as_reader, check_mode=True), backup(**as_reader), backup(keep_days=-1), backup(name=" "), backup(),
        backup("late", wait_timeout=0), backup("late"),
    ])  # fmt: skip
    codes = [(one.get("failure") or {}).get("code") for one in results]
    assert codes == ["CUT-PLATFORM-11", "CUT-PLATFORM-11", "CUT-SPEC-1", "CUT-SPEC-1", "CUT-PLATFORM-23",
                     "CUT-PLATFORM-24", None]  # fmt: skip
    assert "keep_days" in results[2]["msg"]
    assert "not enough disk space" in results[4]["msg"]
    assert all(one["failure"]["remedy"] for one in results[:6])
    assert results[6]["changed"] is False
