# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A paused deployment is woken and waited for (platform facts §3.8)."""

from __future__ import annotations

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._core.platform_rules import state_problems
from ansible_collections.cutover.arangodb.plugins.module_utils._platform import deployments
from ansible_collections.cutover.arangodb.plugins.module_utils._platform.resuming import resume
from ansible_collections.cutover.arangodb.plugins.module_utils._platform.waiting import Waiting
from tests.testbed.platform.launch import TestPlatform
from tests.unit.plugins.module_utils._platform.conftest import Connect


def test_it_is_ready_afterwards(platform: TestPlatform, connect: Connect) -> None:
    client, told = connect(), []
    platform.control.fault("state", state="paused")
    found = deployments.find(client, platform.deployment, None)
    woken = resume(client, found, Waiting(30.0, 0.01, told.append))
    assert list(state_problems(woken)) == []
    assert any("is being resumed" in text for text in told)


def test_one_that_is_awake_already_is_fine(platform: TestPlatform, connect: Connect) -> None:
    client = connect()
    found = deployments.find(client, platform.deployment, None)
    assert list(state_problems(resume(client, found, Waiting(30.0, 0.01)))) == []


def test_it_takes_too_long(platform: TestPlatform, connect: Connect) -> None:
    client = connect()
    platform.control.fault("state", state="not-ready")
    found = deployments.find(client, platform.deployment, None)
    with pytest.raises(CutoverError, match="is not ready yet") as late:
        resume(client, found, Waiting(0.0, 0.01))
    assert (late.value.code, late.value.retriable) == ("CUT-PLATFORM-14", True)


def test_a_read_only_key_cannot(platform: TestPlatform, connect: Connect) -> None:
    key = platform.control.fault("add_key", is_readonly=True)["result"]
    platform.control.fault("state", state="paused")
    client = connect(key_id=key["id"], key_secret=key["secret"])
    found = deployments.find(client, platform.deployment, None)
    with pytest.raises(CutoverError) as refused:
        resume(client, found, Waiting(5.0, 0.01))
    assert refused.value.code == "CUT-PLATFORM-11"


def test_a_key_without_the_permission_cannot(platform: TestPlatform, connect: Connect) -> None:
    key = platform.control.fault("add_key", roles=["deployment-viewer"])["result"]
    platform.control.fault("state", state="paused")
    client = connect(key_id=key["id"], key_secret=key["secret"])
    found = deployments.find(client, platform.deployment, None)
    with pytest.raises(CutoverError) as refused:
        resume(client, found, Waiting(5.0, 0.01))
    assert refused.value.code == "CUT-PLATFORM-3"
