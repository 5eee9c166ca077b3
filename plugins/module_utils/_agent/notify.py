# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Messages to systemd: ready, watchdog, status line. Without systemd nothing is sent."""
from __future__ import annotations

import logging
import os
import socket
from typing import Mapping

LOG = logging.getLogger(__name__)


class Notifier:
    """Sends to the datagram socket named in NOTIFY_SOCKET."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        variables = os.environ if environment is None else environment
        address = variables.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the null byte of an abstract socket (sd_notify(3)).
        self._address = "\0" + address[1:] if address.startswith("@") else address
        microseconds = variables.get("WATCHDOG_USEC", "")
        self.watchdog_interval = int(microseconds) / 2_000_000 if microseconds.isdigit() else None

    def send(self, **fields: str) -> None:
        """Send e.g. READY="1"; a failure is logged, since the service itself is fine."""
        if not self._address:
            return
        message = "\n".join(f"{name}={value}" for name, value in fields.items())
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.sendto(message.encode("utf-8"), self._address)
        except OSError as error:
            LOG.warning("systemd was not told %s: %s", ", ".join(fields), error)
