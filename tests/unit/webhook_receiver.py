# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A receiver of webhooks on loopback, over TLS, that verifies signatures and answers as it is told."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import queue
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SECRET = "hush-webhook-secret-0123456789"
WAIT = 20.0  # seconds; much less than a mutant has


class Receiver:
    """``plan`` holds answers to give first: a status, or None to close without one; then everything is taken.

    ``tries`` are all signed bodies in the order in which they came, ``taken`` those that were answered with 200.
    """

    def __init__(self) -> None:
        self.plan: list[int | None] = []
        self.tries: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.port = 0
        self.hold = threading.Event()
        self.hold.set()
        self._taken: queue.Queue[dict[str, Any]] = queue.Queue()

    @property
    def url(self) -> str:
        """Where it is posted to."""
        return f"https://127.0.0.1:{self.port}/hooks/unguessable-path"

    def next(self) -> dict[str, Any]:
        """The next event that was taken; raises ``queue.Empty`` when none comes."""
        return self._taken.get(timeout=WAIT)

    def receive(self, body: bytes, header: str) -> int | None:
        """The answer to one request, as the event source ansible.eda.webhook would decide on the signature."""
        self.hold.wait(WAIT)
        wanted = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(header.removeprefix("sha256="), wanted):
            return 401
        event = json.loads(body)
        self.tries.append(event)
        answer = self.plan.pop(0) if self.plan else 200
        if answer == 200:
            self._taken.put(event)
        return answer


@contextlib.contextmanager
def receiver(keyfile: Path, known: Receiver | None = None) -> Iterator[Receiver]:
    """It listens until the block ends; ``known`` listens again where it did."""
    receives = known or Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receives.paths.append(self.path)
            answer = receives.receive(body, self.headers.get("X-Hub-Signature-256", ""))
            if answer is None:
                self.close_connection = True
                return
            self.send_response(answer)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_arguments: Any) -> None:
            """A client that ends in the middle is part of the tests."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keyfile)
    server = Server(("127.0.0.1", receives.port), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    receives.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receives
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
