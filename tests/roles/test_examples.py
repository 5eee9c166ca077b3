# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every example of every module is run as it is printed, in the order of a migration; results are as documented."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.controller.fake import TOKEN as CONTROLLER_TOKEN
from tests.controller.fake import Controller, running
from tests.roles.conftest import PASSWORD, TOKEN, Host
from tests.roles.documented import differences, module_names, part_of
from tests.testbed.platform.launch import TestPlatform
from tests.unit.agent_fakes import Certificates

# Starts many processes one after another; on a busy machine that takes minutes.
pytestmark = pytest.mark.timeout(600)

# Module, number of its example, what its refusal says ("" when it succeeds), and what it returns on request.
ORDER: tuple[tuple[str, int, str, tuple[str, ...]], ...] = (
    ("agent_archive", 0, "", ()),
    ("controller_objects", 0, "", ()),
    ("tls_keyfile", 0, "", ()),
    ("tls_keyfile", 1, "", ()),
    ("tls_keyfile", 2, "", ()),
    ("deployment_info", 0, "", ()),
    ("deployment_info", 1, "", ()),
    ("deployment_backup", 0, "", ()),
    ("deployment_backup", 1, "", ()),
    ("precheck", 0, "the prechecks are not passed", ()),
    ("precheck", 1, "", ("query_result",)),
    ("migration", 0, "", ()),
    ("migration_watch", 0, "", ()),
    ("migration", 7, "", ()),
    ("migration", 8, "", ()),
    ("migration", 9, "", ()),
    ("migration_info", 0, "", ()),
    ("migration_info", 2, "", ("rescue_ticket",)),
    ("migration_info", 3, "", ("shards", "query_result")),
    ("verification", 0, "", ()),
    ("verification", 1, "", ()),
    ("migration", 4, "", ()),
    ("migration", 2, "", ()),
    ("migration", 3, "", ()),
    ("migration", 1, "", ()),
    ("migration_info", 1, "", ("changes",)),
    ("migration", 10, "the migration is completed", ()),
    ("migration", 5, "", ()),
    ("migration", 6, "127.0.0.1:2", ()),
    ("server_mode", 0, "", ()),
)


def in_this_place(host: Host, value: Any, platform: TestPlatform, awx: str) -> Any:
    """An example's value with the files and endpoints of this machine in the place of the printed ones."""
    if isinstance(value, dict):
        return {name: in_this_place(host, inner, platform, awx) for name, inner in value.items()}
    if isinstance(value, list):
        return [in_this_place(host, inner, platform, awx) for inner in value]
    places = {
        "/etc/cutover-arangodb/ca.pem": str(host.install_path("config/ca.pem")),
        "/etc/cutover-arangodb/controller-ca.pem": str(host.install_path("config/ca.pem")),
        "/etc/cutover-arangodb/cutover.token": str(host.directory / "token"),
        "/etc/cutover-arangodb/read.token": str(host.directory / "token"),
        "/etc/cutover-arangodb/source-ca.pem": str(host.install_path("config/ca.pem")),
        "/etc/cutover-arangodb/source.jwt": str(host.install_path("config/source.jwt")),
        "/tmp/cutover-agent.pyz": str(host.directory / "example.pyz"),
        "example-key": platform.key_id,
        "hmkuedzw9oavvjmjdo0i": platform.deployment,
        "https://awx.example.com": awx,
        "https://coordinator-1.db.example.com:8529": "https://127.0.0.1:1",
        "https://target.example.com:8529": "https://127.0.0.1:2",
    }
    if not isinstance(value, str):
        return value
    return places.get(value, value.replace("/tmp/cutover-certificates", str(host.directory)))


def test_every_example_is_in_the_order() -> None:
    every = [(module, number) for module in module_names() for number in range(len(part_of(module, "EXAMPLES")))]
    assert sorted((module, number) for module, number, _refusal, _asked in ORDER) == every


def test_modules_describe_the_status_document_alike() -> None:
    first, *others = (part_of(module, "RETURN")["migration"] for module in module_names() if "migration" in module)
    assert others == [first, first]


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestPlatform]:
    """The managed platform of the examples, where the environment says that it is."""
    with TestPlatform.start(tmp_path, options={"time_scale": 0.02}) as started:
        monkeypatch.setenv("CUTOVER_PLATFORM_ENDPOINT", started.url)
        monkeypatch.setenv("CUTOVER_PLATFORM_CA_PATH", str(started.ca_path))
        yield started


@pytest.fixture
def awx(certificates: Certificates) -> Iterator[str]:
    """The address of the automation controller of the examples."""
    with running(Controller(), certificates.server_keyfile) as address:
        yield address


def test_examples_do_what_they_say(host: Host, platform: TestPlatform, awx: str) -> None:
    assert host.play("deploy_agent").code == 0
    (host.directory / "token").write_text(TOKEN)
    examples = [part_of(module, "EXAMPLES")[number] for module, number, *_rest in ORDER]
    tasks = [in_this_place(host, example, platform, awx) for example in examples]
    secrets = {
        "vault_target_password": PASSWORD, "vault_platform_key_secret": platform.key_secret,
        "vault_controller_token": CONTROLLER_TOKEN,
        "vault_rescue_ticket": {"token": "a.rescue.token", "coordinators": ["https://127.0.0.1:1"]},
    }  # fmt: skip
    results = host.run_tasks(tasks, **secrets)
    for (module, number, refusal, asked), result in zip(ORDER, results, strict=True):
        assert refusal in result.get("msg", ""), (module, number, result)
        assert bool(result.get("failed")) is bool(refusal), (module, number, result)
        # The fake engine's status document is a small one; the real one is compared in test_against_clusters.py.
        assert differences(module, result, asked=asked, deep="migration" not in result) == [], (module, number)
    by_place = {(module, number): result for (module, number, *_rest), result in zip(ORDER, results, strict=True)}
    assert by_place["precheck", 1]["query_result"]
    assert by_place["migration_info", 3]["query_result"] == []
    assert by_place["deployment_info", 0]["credentials"] is None
    assert by_place["deployment_info", 1]["credentials"]["password"]
    assert by_place["deployment_backup", 0]["backup"]["available"] is True
    assert by_place["deployment_backup", 1]["changed"] is True
    assert by_place["migration", 1]["migration"]["state"] == "completed"
    assert by_place["migration", 5]["migration"]["state"] == "aborted"
