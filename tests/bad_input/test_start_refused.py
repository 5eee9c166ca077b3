# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Wrong start requests to a running agent, by its API and by its command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bad_input.cases import CASES, HIDDEN, PRECHECK, SECRETS, Case, SecretFile
from tests.bad_input.commands import run_cli, start_flags
from tests.bad_input.conftest import IdleAgent
from tests.bad_input.sites import PASSWORD, Sites, untouched
from tests.e2e.agent import Agent, Refused

LIMIT = 1 << 20


def refusal(agent: Agent, target: str, body: object, method: str = "POST") -> Refused:
    """What the agent refuses; it has nothing to hide in it, and still nothing is started."""
    with pytest.raises(Refused) as caught:
        agent.call(method, target, body)
    shown = json.dumps(caught.value.error)
    assert HIDDEN not in shown
    assert PASSWORD not in shown
    assert agent.status()["state"] == "inactive"
    return caught.value


def assert_explains(error: dict[str, Any], case: Case) -> None:
    """The message names the option and what is wrong with it, the remedy says what to do."""
    assert error["code"] == case.code
    message, remedy = error["message"], error["remedy"]
    if case.check:
        failed = error["details"]["checks"]
        assert [check["id"] for check in failed][:1] == [case.check], failed
        assert failed[0]["message"] in message
        message, remedy = failed[0]["message"], failed[0]["remedy"]
    else:
        assert error["details"]["field"] == case.option
    assert case.option in message
    assert [words for words in case.says if words not in message] == [], message
    assert case.remedy in remedy


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_start_is_refused_and_nothing_is_touched(sites: Sites, idle: IdleAgent, case: Case) -> None:
    with untouched(*sites.all):
        refused = refusal(idle.agent, "/v1/migration", sites.request(**case.changes(sites)))
    assert refused.status == case.http_status
    assert_explains(dict(refused.error), case)


def test_a_single_server_is_no_source(sites: Sites, idle: IdleAgent, secret_of_single: None) -> None:
    request = sites.request(source_endpoints=sites.single.coordinators, source_ca_path=str(sites.single.ca_path))
    with untouched(*sites.all):
        refused = refusal(idle.agent, "/v1/migration", request)
    assert refused.status == 422
    (check,) = refused.error["details"]["checks"]
    assert check["id"] == "source-cluster"
    assert check["message"].startswith("source_endpoints: ")
    assert "is a single server or an active failover pair, not a cluster" in check["message"]
    assert "arangodump and arangorestore" in check["remedy"]


@pytest.fixture
def secret_of_single(sites: Sites, idle: IdleAgent) -> Iterator[None]:
    """The idle agent holds the single server's secret: nothing but its kind is wrong."""
    idle.secret.write_bytes(sites.single.jwt_secret_path.read_bytes())
    yield
    idle.secret.write_bytes(sites.source.jwt_secret_path.read_bytes())


@pytest.fixture
def good_secret_afterwards(sites: Sites, idle: IdleAgent) -> Iterator[None]:
    """Whatever a test does to the secret file of the idle agent is undone."""
    yield
    idle.secret.write_bytes(sites.source.jwt_secret_path.read_bytes())
    idle.secret.chmod(0o600)


@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: secret.name)
@pytest.mark.usefixtures("good_secret_afterwards")
def test_the_secret_file_went_bad_after_the_agent_was_started(
    sites: Sites, idle: IdleAgent, secret: SecretFile
) -> None:
    idle.secret.unlink()
    if secret.content is not None:
        idle.secret.write_bytes(secret.content)
    with untouched(*sites.all):
        refused = refusal(idle.agent, "/v1/migration", sites.request())
    assert (refused.status, refused.error["code"]) == (422, PRECHECK)
    check = refused.error["details"]["checks"][0]
    assert check["id"] == secret.check
    assert check["message"].startswith("source_jwt_secret_path: ")
    assert secret.says in check["message"]
    assert secret.remedy in check["remedy"]


@pytest.mark.parametrize(
    ("method", "target", "body", "field"),
    [
        ("POST", "/v1/migration/stop", {"wait_tmeout": 5}, "wait_tmeout"),
        ("POST", "/v1/migration/abort", {"cleanup": "all"}, "cleanup"),
        ("POST", "/v1/migration/pause", {"because": "x"}, "because"),
        ("POST", "/v1/migration/resume", {"at": "noon"}, "at"),
        ("PUT", "/v1/source/server-mode", {"mode": "readonly", "force": True}, "force"),
        ("PUT", "/v1/source/server-mode", {"mode": "off"}, "mode"),
        ("GET", "/v1/migration/shards?status=pending", None, "status"),
    ],
)
def test_unknown_fields_are_refused(
    sites: Sites, idle: IdleAgent, method: str, target: str, body: object, field: str
) -> None:
    with untouched(*sites.all):
        refused = refusal(idle.agent, target, body, method)
    assert refused.status == 400
    assert refused.error["message"].startswith(f"{field}: ")
    assert refused.error["details"]["field"] == field
    assert refused.error["remedy"]


def test_a_body_over_the_limit_is_refused(sites: Sites, idle: IdleAgent) -> None:
    with untouched(*sites.all):
        refused = refusal(idle.agent, "/v1/migration", sites.request(name="n" * LIMIT))
    assert refused.status == 413
    assert f"at most {LIMIT} are taken" in refused.error["message"]
    assert refused.error["details"]["limit"] == LIMIT
    assert refused.error["remedy"]


@pytest.mark.parametrize("action", ["stop", "abort", "pause", "resume"])
def test_nothing_was_started(sites: Sites, idle: IdleAgent, action: str) -> None:
    with untouched(*sites.all):
        refused = refusal(idle.agent, f"/v1/migration/{action}", {})
    assert refused.status == 409
    assert "no migration was started" in refused.error["message"]
    assert refused.error["remedy"] == "Start the migration first."


FOR_THE_COMMAND_LINE = (
    "source-with-credentials", "target-without-scheme", "source-unreachable", "target-unverified", "target-password",
    "target-in-use",
)  # fmt: skip


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name in FOR_THE_COMMAND_LINE], ids=lambda case: case.name
)
def test_the_command_line_says_the_same(sites: Sites, idle: IdleAgent, archive: Path, case: Case) -> None:
    request = sites.request(**case.changes(sites))
    with untouched(*sites.all):
        done = run_cli(archive, "start", *start_flags(request), agent=idle.agent, environment=request)
    assert done.returncode == case.exit_code, done.stderr
    assert done.stdout == ""
    assert f"({case.code}). Remedy: " in done.stderr
    assert case.option in done.stderr
    assert case.remedy in done.stderr
    assert [words for words in case.says if words not in done.stderr] == []
    assert HIDDEN not in done.stderr
    assert PASSWORD not in done.stderr


@pytest.mark.parametrize("command", ["start", "precheck"])
@pytest.mark.parametrize("written", [["--target.password", HIDDEN], [f"--target.password={HIDDEN}"]])
def test_a_password_in_argv_is_refused(
    sites: Sites, idle: IdleAgent, archive: Path, command: str, written: list[str]
) -> None:
    request = sites.request(target_password=None)
    with untouched(*sites.all):
        done = run_cli(archive, command, *start_flags(request), *written, agent=idle.agent)
    assert_secret_refused(done.returncode, done.stderr, "--target.password")


@pytest.mark.parametrize("token", [HIDDEN, f"-{HIDDEN}", f"--{HIDDEN}"])
def test_a_token_in_argv_is_refused_and_so_is_one_that_looks_like_a_flag(
    idle: IdleAgent, archive: Path, token: str
) -> None:
    done = run_cli(archive, "status", "--agent.endpoint", idle.agent.endpoint, "--agent.token", token)
    assert_secret_refused(done.returncode, done.stderr, "--agent.token")


def assert_secret_refused(code: int, text: str, flag: str) -> None:
    """The flag and the remedy are named, the secret isn't."""
    assert code == 2, text
    assert f"{flag} takes file:PATH or env:NAME" in text
    assert "Others can read it there" in text
    assert "change the secret" in text
    assert HIDDEN not in text


def test_a_precheck_that_fails_says_so_by_its_exit_code(sites: Sites, idle: IdleAgent, archive: Path) -> None:
    request = sites.request(target_password=HIDDEN)
    with untouched(*sites.all):
        done = run_cli(archive, "precheck", *start_flags(request), agent=idle.agent, environment=request)
    assert done.returncode == 3, done.stderr
    assert "not passed" in done.stdout
    assert "target_password" in done.stdout
    assert HIDDEN not in done.stdout + done.stderr
