# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Messages to systemd, received by a socket of our own."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.notify import Notifier


@pytest.mark.parametrize("abstract", [False, True])
def test_fields_arrive(tmp_path: Path, abstract: bool) -> None:
    name = "@cutover-test-notify" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name[1:] if abstract else name)
        manager.settimeout(5)
        notifier = Notifier({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "60000000"})
        notifier.send(READY="1", STATUS="ready")
        assert manager.recv(100) == b"READY=1\nSTATUS=ready"
    assert notifier.watchdog_interval == 30.0


def test_without_systemd_nothing_happens(caplog: pytest.LogCaptureFixture) -> None:
    Notifier({}).send(READY="1")
    assert Notifier({}).watchdog_interval is None
    assert not caplog.records
    Notifier({"NOTIFY_SOCKET": "/nowhere/at/all"}).send(READY="1")
    assert "READY" in caplog.text
