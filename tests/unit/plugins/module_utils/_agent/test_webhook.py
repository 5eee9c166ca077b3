# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Events reach a webhook signed, in order and each until it was taken, and nothing waits for it."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._agent import outbox
from ansible_collections.cutover.arangodb.plugins.module_utils._agent.config import WebhookConfig
from ansible_collections.cutover.arangodb.plugins.module_utils._agent.outbox import Outbox
from ansible_collections.cutover.arangodb.plugins.module_utils._agent.webhook import (
    MOST_BODY,
    Webhook,
    body_of,
    read_secret,
    signature,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._core.endpoint import Endpoint
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from tests.unit.agent_fakes import Certificates, agent_config, running_agent
from tests.unit.webhook_receiver import SECRET, WAIT, Receiver, receiver

QUICK = 0.02


def config_for(receives: Receiver, certificates: Certificates, directory: Path, **changes: Any) -> WebhookConfig:
    """The configuration of a webhook of this receiver."""
    secret = directory / "webhook.secret"
    secret.write_text(f"{SECRET}\n")
    target = receives.url.split(str(receives.port), 1)[1]
    endpoint = Endpoint("https", "127.0.0.1", receives.port)
    return replace(WebhookConfig(endpoint, target, secret, certificates.ca, timeout=20.0), **changes)


@contextlib.contextmanager
def webhook(config: WebhookConfig, directory: Path, *, time_scale: float = QUICK) -> Iterator[Webhook]:
    """A webhook that runs until the block ends."""
    posts = Webhook(config, directory / "state", time_scale=time_scale)
    posts.start()
    try:
        yield posts
    finally:
        posts.close()


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + WAIT
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_events_are_posted_signed_and_in_order(certificates: Certificates, tmp_path: Path) -> None:
    with (
        receiver(certificates.server_keyfile) as receives,
        webhook(config_for(receives, certificates, tmp_path), tmp_path) as posts,
    ):
        for number in range(20):
            posts.put("state", {"kind": "state", "n": number})
        posts.put("status", {"kind": "status", "line": "not sent"})
        posts.put("ready", {"kind": "ready", "n": 20})
        taken = [receives.next() for _ in range(21)]
        until(lambda: posts.figures() == {"delivered": 21, "failed": 0, "dropped": 0, "waiting": 0})
    assert [event["n"] for event in taken] == list(range(21))
    assert [event["sequence"] for event in taken] == list(range(1, 22))
    assert len({event["stream"] for event in taken}) == 1
    assert all(event["sent_at"].endswith("Z") for event in taken)
    assert set(receives.paths) == {"/hooks/unguessable-path"}


def test_the_signature_is_that_of_the_whole_body() -> None:
    """The form of the event source ansible.eda.webhook: hexadecimal digits, after the algorithm's name."""
    body = body_of({"kind": "problem", "text": "größer"}, "2026-01-01T00:00:00.000Z")
    wanted = hmac.new(SECRET.encode(), body.decode().encode("utf-8"), hashlib.sha256).hexdigest()
    assert signature(SECRET.encode(), body) == f"sha256={wanted}"
    assert json.loads(body) == {"kind": "problem", "text": "größer", "sent_at": "2026-01-01T00:00:00.000Z"}


@pytest.mark.parametrize("answer", [500, 404, 429, 302, None])
def test_an_event_is_tried_until_it_is_taken(certificates: Certificates, tmp_path: Path, answer: int | None) -> None:
    """None of those behind it overtakes it."""
    with receiver(certificates.server_keyfile) as receives:
        receives.plan = [answer] * 3
        with webhook(config_for(receives, certificates, tmp_path), tmp_path) as posts:
            for number in range(3):
                posts.put("state", {"n": number})
            assert [receives.next()["n"] for _ in range(3)] == [0, 1, 2]
    tried = [event["n"] for event in receives.tries]
    assert tried[:3] == [0, 0, 0]
    assert tried == sorted(tried)
    assert tried[-2:] == [1, 2]


def test_a_receiver_that_does_not_answer_in_time_is_tried_again(certificates: Certificates, tmp_path: Path) -> None:
    with receiver(certificates.server_keyfile) as receives:
        receives.hold.clear()
        with webhook(config_for(receives, certificates, tmp_path, timeout=0.3), tmp_path) as posts:
            posts.put("state", {"n": 0})
            until(lambda: posts.figures()["failed"] >= 2)
            (problem,) = posts.problems()
            assert "no answer in time" in problem["text"]
            receives.hold.set()
            assert receives.next()["n"] == 0
            until(lambda: not posts.problems())


def test_a_receiver_that_is_away_is_told_of_and_gets_everything_when_it_is_back(
    certificates: Certificates, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with receiver(certificates.server_keyfile) as receives:
        config = config_for(receives, certificates, tmp_path)
    with webhook(config, tmp_path) as posts:
        posts.put("state", {"n": 0})
        posts.put("state", {"n": 1})
        until(lambda: posts.figures()["failed"] >= 3)
        (problem,) = posts.problems()
        assert (problem["code"], problem["severity"]) == ("CUT-AGENT-23", "warning")
        assert problem["where"] == f"webhook https://127.0.0.1:{receives.port}"
        assert "2 wait" in problem["text"]
        with receiver(certificates.server_keyfile, receives):
            assert [receives.next()["n"] for _ in range(2)] == [0, 1]
            until(lambda: posts.problems() == [] and posts.figures()["waiting"] == 0)
    lines = [line for line in caplog.messages if "webhook does not take events" in line]
    assert len(lines) == 1
    assert any("takes events again" in line for line in caplog.messages)
    assert SECRET not in caplog.text + json.dumps(problem)
    assert "unguessable" not in caplog.text + json.dumps(problem)


def test_a_receiver_of_another_authority_gets_nothing(certificates: Certificates, tmp_path: Path) -> None:
    with (
        receiver(certificates.foreign_keyfile) as receives,
        webhook(config_for(receives, certificates, tmp_path), tmp_path) as posts,
    ):
        posts.put("state", {"n": 0})
        until(lambda: posts.figures()["failed"] >= 2)
        assert "certificate" in posts.problems()[0]["text"]
    assert receives.tries == receives.paths == []


def test_what_was_not_delivered_is_delivered_after_a_restart_with_its_number(
    certificates: Certificates, tmp_path: Path
) -> None:
    with receiver(certificates.server_keyfile) as receives:
        receives.plan = [500] * 1000
        config = config_for(receives, certificates, tmp_path)
        with webhook(config, tmp_path) as posts:
            posts.put("state", {"n": 0})
            posts.put("state", {"n": 1})
            until(lambda: posts.figures()["failed"] >= 1)
        receives.plan = []
        with webhook(config, tmp_path) as posts:
            posts.put("state", {"n": 2})
            taken = [receives.next()]
            while taken[-1]["n"] != 2:
                taken.append(receives.next())
    # A try that the end of the agent cut off may have been taken: its number comes again.
    assert list(dict.fromkeys((event["sequence"], event["n"]) for event in taken)) == [(1, 0), (2, 1), (3, 2)]
    assert len({event["stream"] for event in taken}) == 1


def test_a_killed_agent_has_kept_what_waits(certificates: Certificates, tmp_path: Path) -> None:
    """Also what came while it waited to try again."""
    with receiver(certificates.server_keyfile) as receives:
        receives.plan = [500] * 1000
        with webhook(config_for(receives, certificates, tmp_path), tmp_path, time_scale=1000.0) as posts:
            posts.put("state", {"n": 0})
            until(lambda: posts.figures()["failed"] >= 1)
            posts.put("state", {"n": 1})
            until(lambda: Outbox(tmp_path / "state/webhook.json").waiting == 2)


def test_what_has_no_room_is_dropped_and_leaves_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "KEPT", 3)
    box = Outbox(tmp_path / "webhook.json")
    for number in range(5):
        box.add({"n": number})
    found = box.first()
    assert found is not None
    assert (found["sequence"], box.waiting, box.dropped) == (3, 3, 2)
    box.delivered({"sequence": 2})
    assert box.waiting == 3
    box.delivered(found)
    assert box.waiting == 2


def test_a_file_that_cannot_be_used_begins_another_stream(tmp_path: Path) -> None:
    path = tmp_path / "webhook.json"
    first = Outbox(path)
    first.add({"n": 0})
    first.save()
    assert Outbox(path).stream == first.stream
    path.write_text('{"next": ')
    other = Outbox(path)
    assert (other.stream != first.stream, other.waiting) == (True, 0)


def test_a_disk_that_takes_nothing_does_not_keep_events_back(certificates: Certificates, tmp_path: Path) -> None:
    with receiver(certificates.server_keyfile) as receives:
        config = config_for(receives, certificates, tmp_path)
        (tmp_path / "state").write_text("in the way")
        with webhook(config, tmp_path) as posts:
            posts.put("state", {"n": 0})
            assert receives.next()["n"] == 0


def test_a_large_event_is_cut() -> None:
    body = body_of({"kind": "problem", "sequence": 7, "problem": {"text": "x" * MOST_BODY}}, "now")
    assert json.loads(body) == {"kind": "problem", "sequence": 7, "cut": True, "sent_at": "now"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read: No such file"),
        (b"short\n", "must hold 16 to 4096 characters"),
        (b"", "must hold 16"),
        (b"x" * 5000, "must hold 16"),
        (b"\xff" * 20, "printable ASCII"),
        (b"two lines of it\nare too many", "printable ASCII"),
    ],
)
def test_a_secret_that_cannot_be_used_is_refused(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CutoverError, match=says) as caught:
        read_secret(path)
    assert caught.value.code == "CUT-AGENT-9"
    assert caught.value.message.startswith("webhook.secret_path: ")
    assert not content or content.decode("latin1") not in caught.value.message


def test_an_authority_that_cannot_be_used_is_named(certificates: Certificates, tmp_path: Path) -> None:
    config = config_for(Receiver(), certificates, tmp_path, ca=tmp_path / "none.pem")
    with pytest.raises(CutoverError, match=r"webhook\.ca: ") as caught:
        Webhook(config, tmp_path)
    assert caught.value.code == "CUT-AGENT-4"


def test_a_new_secret_is_used_without_a_restart(certificates: Certificates, tmp_path: Path) -> None:
    """What waits is signed with it; one that cannot be used changes nothing."""
    with receiver(certificates.server_keyfile) as receives:
        hook = config_for(receives, certificates, tmp_path)
        hook.secret_path.write_text("hush-another-secret-of-the-webhook")
        with running_agent(agent_config(certificates, tmp_path, webhook=hook, time_scale=QUICK), certificates) as agent:
            until(lambda: [one["code"] for one in agent.api().status()["problems"]] == ["CUT-AGENT-23"])
            assert receives.tries == []
            hook.secret_path.write_text(SECRET)
            agent.service.reload()
            assert receives.next()["kind"] == "state"
            hook.secret_path.write_text("short")
            agent.service.reload()
            agent.engine.document = {**agent.engine.document, "state": "failed"}
            assert receives.next()["state"] == "failed"


def test_an_agent_posts_its_events_and_warns_while_nobody_takes_them(
    certificates: Certificates, tmp_path: Path
) -> None:
    with receiver(certificates.server_keyfile) as receives:
        hook = config_for(receives, certificates, tmp_path, max_lag=10.0)
        config = agent_config(certificates, tmp_path, webhook=hook, time_scale=QUICK)
        with running_agent(config, certificates) as agent:
            assert receives.next()["kind"] == "state"
            receives.plan = [503] * 1000
            agent.engine.document = {
                **agent.engine.document, "replication": {**agent.engine.document["replication"], "lag_seconds": 11.0}
            }  # fmt: skip
            until(lambda: agent.api().status()["problems"] != [])
            assert [one["code"] for one in agent.api().status()["problems"]] == ["CUT-AGENT-23"]
            receives.plan = []
            event = receives.next()
            assert (event["kind"], event["high"], event["lag_seconds"], event["max_lag"]) == ("lag", True, 11.0, 10.0)
            until(lambda: agent.api().status()["problems"] == [])
