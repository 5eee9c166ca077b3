# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Posts events to a webhook: signed, one at a time and in order, each until it was taken. The migration never waits.

The signature is the one that the event source ansible.eda.webhook verifies: an HMAC-SHA256 of the body alone. The time
of sending therefore stands in the body, so that it is signed, too.
"""
from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
from pathlib import Path
from typing import Any, Mapping, Optional

from .._core.catalogue import lookup
from .._core.clock import SYSTEM_CLOCK, Backoff, Clock, Deadline
from .._core.errors import CutoverError
from .._core.http import HttpClient
from .._core.redact import register_secret
from .._core.repeats import Repeats
from .._core.tls import client_context
from .._engine.times import stamp
from .config import WebhookConfig
from .outbox import Outbox

LOG = logging.getLogger(__name__)
SIGNATURE_HEADER = "X-Hub-Signature-256"
CODE = "CUT-AGENT-23"
# The line of the status is for people who look on; everything in it can be asked for.
UNSENT = frozenset({"status"})
LEAST_SECRET, MOST_SECRET = 16, 4096
MOST_BODY = 64 * 1024
MOST_ANSWER = 64 * 1024
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0


def read_secret(path: Path) -> bytes:
    """The shared secret: printable ASCII without the blanks around it. Raises CUT-AGENT-9, never with the content."""
    shown = f"webhook.secret_path: the file {str(path)!r}"
    try:
        with open(path, "rb") as file:
            raw = file.read(MOST_SECRET + 1)
    except OSError as error:
        raise CutoverError("CUT-AGENT-9", f"{shown} cannot be read: {error.strerror}") from error
    secret = raw.strip()
    if len(secret) < LEAST_SECRET or len(raw) > MOST_SECRET:
        raise CutoverError("CUT-AGENT-9", f"{shown} must hold {LEAST_SECRET} to {MOST_SECRET} characters")
    if not all(32 <= byte < 127 for byte in secret):
        raise CutoverError("CUT-AGENT-9", f"{shown} must hold one line of printable ASCII")
    register_secret(secret.decode("ascii"))
    return secret


def signature(secret: bytes, body: bytes) -> str:
    """The header's value for a body."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def body_of(event: Mapping[str, Any], sent_at: str) -> bytes:
    """The event as JSON in ASCII. What would be too large is told without its details, which the status has."""
    body = json.dumps({**event, "sent_at": sent_at}, separators=(",", ":")).encode("ascii")
    if len(body) <= MOST_BODY:
        return body
    return body_of({**{name: value for name, value in event.items() if len(str(value)) < 1024}, "cut": True}, sent_at)


class Webhook:
    """One thread from ``start`` to ``close``. Raises CUT-AGENT-9 or CUT-AGENT-4 for files that cannot be used."""

    def __init__(
        self, config: WebhookConfig, state_directory: Path, *, time_scale: float = 1.0, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._config = config
        self._clock = clock
        self._secret = read_secret(config.secret_path)
        self._client = _client(config)
        # Paths of webhooks are often secrets themselves: errors name only the endpoint.
        self._request = "POST " + config.target.partition("?")[0]
        self._outbox = Outbox(state_directory / "webhook.json")
        self._backoff = Backoff(FIRST_PAUSE * time_scale, LONGEST_PAUSE * time_scale)
        self._repeats = Repeats(clock)
        self._lock = threading.Lock()
        self._trouble: Optional[dict[str, Any]] = None
        self._delivered = self._failed = 0
        self._news = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhook", daemon=True)

    def start(self) -> None:
        """Begin with what an earlier process left undelivered."""
        LOG.info("events are posted to %s", self._config.endpoint.url)
        self._thread.start()

    def close(self) -> None:
        """End at once; what is undelivered waits on the disk for the next start."""
        self._end.set()
        self._news.set()
        self._client.close()
        if self._thread.is_alive():
            self._thread.join(2.0)
        self._outbox.save()

    def reload(self) -> None:
        """Use secret and CA as they are in the files now; files that cannot be used raise, and change nothing."""
        secret, client = read_secret(self._config.secret_path), _client(self._config)
        before, self._secret, self._client = self._client, secret, client
        before.close()

    def put(self, kind: str, data: Mapping[str, Any]) -> None:
        """Take an event for delivery."""
        if kind not in UNSENT:
            self._outbox.add(data)
            self._news.set()

    def problems(self) -> list[dict[str, Any]]:
        """The warning, as the status document's ``problems`` hold it, while the receiver takes nothing."""
        with self._lock:
            return [] if self._trouble is None else [dict(self._trouble)]

    def figures(self) -> dict[str, int]:
        """For the metrics: counts since the agent runs, and how many events wait."""
        with self._lock:
            counts = {"delivered": self._delivered, "failed": self._failed}
        return {**counts, "dropped": self._outbox.dropped, "waiting": self._outbox.waiting}

    def _run(self) -> None:
        while True:
            self._news.clear()
            if self._end.is_set():
                return
            self._outbox.save()
            event = self._outbox.first()
            if event is None:
                self._news.wait()
                continue
            try:
                self._post(event)
            except CutoverError as error:
                self._went_wrong(error.message.replace(self._request, "POST"))
            except Exception:
                LOG.exception("posting an event failed")
                self._went_wrong("an error of the agent's own, see its log")
            else:
                self._outbox.delivered(event)
                self._went_well()
                continue
            self._rest(self._backoff.next())

    def _post(self, event: Mapping[str, Any]) -> None:
        """One try; raises ``CutoverError`` unless the receiver says that it has the event."""
        body = body_of(event, stamp(self._clock.wall()))
        headers = {"Content-Type": "application/json", SIGNATURE_HEADER: signature(self._secret, body)}
        answer = self._client.request(
            "POST", self._config.target, body=body, headers=headers, max_body=MOST_ANSWER, idempotent=True
        )
        if not 200 <= answer.status < 300:
            raise CutoverError(CODE, f"{self._config.endpoint.url}: answered with the status {answer.status}")

    def _rest(self, seconds: float) -> None:
        """Wait before the same event is tried again; what comes meanwhile is put on the disk."""
        deadline = Deadline(seconds, self._clock)
        while not self._end.is_set() and not deadline.expired:
            self._outbox.save()
            self._news.wait(deadline.remaining())
            self._news.clear()

    def _went_well(self) -> None:
        with self._lock:
            self._delivered += 1
            was, self._trouble = self._trouble, None
        if was is not None:
            self._backoff.reset()
            self._repeats.forget()
            LOG.info("%s takes events again, after %d failed tries", self._config.endpoint.url, was["count"])

    def _went_wrong(self, reason: str) -> None:
        if self._end.is_set():
            return
        now, waiting, dropped = stamp(self._clock.wall()), self._outbox.waiting, self._outbox.dropped
        text = f"the webhook does not take events: {reason}; {waiting} wait, {dropped} were dropped since the start"
        with self._lock:
            self._failed += 1
            was = self._trouble or {"first_at": now, "count": 0}
            self._trouble = {
                "code": CODE, "severity": "warning", "first_at": was["first_at"], "last_at": now,
                "count": was["count"] + 1, "where": f"webhook {self._config.endpoint.url}", "text": text,
                "remedy": lookup(CODE).remedy,
            }  # fmt: skip
        self._repeats.log(LOG, logging.WARNING, reason, f"{text} ({CODE})")


def _client(config: WebhookConfig) -> HttpClient:
    context = None
    if config.endpoint.scheme == "https":
        try:
            context = client_context(None if config.ca is None else str(config.ca))
        except CutoverError as error:
            raise CutoverError("CUT-AGENT-4", f"webhook.ca: {error.message}") from error
    return HttpClient(
        config.endpoint, context=context, pool=1, connect_timeout=config.timeout, timeout=config.timeout
    )
