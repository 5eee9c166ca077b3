# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A whole migration by playbooks, as talkative as they can be; afterwards every secret is looked for everywhere."""

from __future__ import annotations

import base64
import dataclasses
import http.client
import json
import os
import re
import secrets
import ssl
import stat
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.bad_input.sites import fill
from tests.roles.conftest import ROOT, TOKEN, Host
from tests.testbed.client import Client
from tests.testbed.launch import TestCluster

pytestmark = pytest.mark.timeout(900)

TIME_SCALE = 0.2
JWT = re.compile(rb"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}")
# Where a secret has to be: the file that the role copies, and the start request that survives a restart.
KEPT = {"host/config/source.jwt": "source JWT secret", "host/state/migration.json": "target password"}
PATHS = ("/v1/migration", "/v1/migration/shards", "/v1/migration/findings", "/v1/migration/report", "/metrics", "/")


@dataclass
class Scanner:
    """Knows every secret by name, in the forms in which it travels, and collects where one was found."""

    forms: dict[bytes, str] = field(default_factory=dict)
    found: set[tuple[str, str]] = field(default_factory=set)

    def know(self, name: str, secret: str, user: str | None = None) -> None:
        """Look for a secret; with ``user`` for its Basic credentials, too."""
        self.forms[secret.encode()] = name
        self.forms[base64.b64encode(secret.encode())] = name
        if user is not None:
            self.forms[base64.b64encode(f"{user}:{secret}".encode())] = name

    def look(self, where: str, content: bytes) -> None:
        """Note what is in there."""
        self.found |= {(where, name) for form, name in self.forms.items() if form in content}
        if JWT.search(content):
            self.found.add((where, "a token"))

    def look_into_files(self, root: Path, *parts: str) -> None:
        """Look into every file below some directories."""
        for part in parts:
            for path in sorted((root / part).rglob("*")):
                if path.is_file() and not path.is_symlink():
                    self.look(path.relative_to(root).as_posix(), path.read_bytes())


class Processes:
    """Reads arguments and environment of every process of this machine; both stay as they are until it runs another."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._known: set[tuple[Path, bytes]] = set()

    @property
    def seen(self) -> set[bytes]:
        """The arguments of all processes that there were."""
        return {arguments for _process, arguments in self._known}

    def _run(self) -> None:
        while not self._stop.wait(0.05):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    self._read(process)
                except OSError:
                    continue  # ended meanwhile, or somebody else's

    def _read(self, process: Path) -> None:
        arguments = (process / "cmdline").read_bytes()
        if (process, arguments) in self._known:
            return
        self._scanner.look("arguments of a process", arguments)
        self._scanner.look("environment of a process", (process / "environ").read_bytes())
        self._known.add((process, arguments))

    def __enter__(self) -> Processes:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join(30)


@pytest.fixture
def clusters(tmp_path: Path) -> Iterator[tuple[TestCluster, TestCluster]]:
    """A source with data and a user, and a target; every password is drawn."""
    options = {"time_scale": TIME_SCALE}
    drawn = [secrets.token_urlsafe(18) for _index in range(2)]
    with (
        TestCluster.start(tmp_path, name="source", root_password=drawn[0], options=options) as source,
        TestCluster.start(
            tmp_path, name="target", flavour="managed", root_password=drawn[1], options=options
        ) as target,
    ):
        fill(source, "shop", 300)
        yield source, target


@pytest.fixture
def scanner(clusters: tuple[TestCluster, TestCluster]) -> Scanner:
    """Everything that nobody may see."""
    source, target = clusters
    made = Scanner()
    made.know("agent token", TOKEN)
    for name, cluster in (("source", source), ("target", target)):
        made.know(f"{name} password", cluster.root_password, "root")
        made.know(f"{name} JWT secret", cluster.jwt_secret_path.read_text().strip())
    password = secrets.token_urlsafe(18)
    with Client.root(source) as root:
        assert root("POST", "/_api/user", {"user": "app", "passwd": password}).status == 201
        assert root("PUT", "/_api/user/app/database/shop", {"grant": "rw"}).status == 200
    made.know("user's password", password, "app")
    for _revision, raw in source.control.documents("_system", "_users").values():
        made.know("user's password hash", json.loads(raw)["authData"]["simple"]["hash"])
    return made


@pytest.fixture
def talkative(host: Host, installed: Path, clusters: tuple[TestCluster, TestCluster]) -> Host:
    """The host with the real engine; modules are sent as files, as they are by default."""
    source, target = clusters
    variables = {
        **host.variables,
        "ansible_pipelining": False, "ansible_remote_tmp": str(host.directory / "remote"),
        "source_endpoints": source.coordinators, "source_ca_path": str(source.ca_path),
        "target_endpoints": target.coordinators, "target_ca_path": str(target.ca_path),
        "target_password": target.root_password, "ignore_metrics": True, "settle_after": 5, "late_write_watch": 1,
        "source_jwt_secret_path": str(source.jwt_secret_path), "agent_time_scale": TIME_SCALE,
        "agent_source_jwt_secret_source": str(source.jwt_secret_path),
    }  # fmt: skip
    return dataclasses.replace(host, collections=installed, variables=variables)


def published(variables: Mapping[str, object]) -> Iterator[tuple[str, bytes]]:
    """Everything that the agent shows to whoever may read."""
    context = ssl.create_default_context(cafile=str(variables["agent_tls_ca_source"]))
    connection = http.client.HTTPSConnection("127.0.0.1", int(str(variables["agent_port"])), context=context)
    for path in PATHS:
        connection.request("GET", path, headers={"authorization": f"Bearer {TOKEN}"})
        yield path, connection.getresponse().read()
    connection.close()


def look_everywhere(scanner: Scanner, host: Host, clusters: tuple[TestCluster, TestCluster]) -> None:
    """Files of agent and Ansible, the agent's answers, the journal, and the addresses that were asked."""
    scanner.look_into_files(host.directory, "host", "ansible", "remote")
    for path, answer in published(host.variables):
        scanner.look(f"GET {path}", answer)
    for key, (_revision, raw) in clusters[1].control.documents("_system", "_cutover").items():
        scanner.look(f"journal document {key}", raw)
    for cluster in clusters:
        scanner.look(f"requests to the {cluster.name}", json.dumps(cluster.control.get("/state/requests")).encode())


def test_no_secret_is_shown_anywhere(
    talkative: Host, clusters: tuple[TestCluster, TestCluster], scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = clusters
    assert JWT.search(str(Client.superuser(source, source.coordinators[0]).authorization).encode())
    log = talkative.directory / "ansible" / "ansible.log"
    log.parent.mkdir()
    monkeypatch.setenv("ANSIBLE_LOG_PATH", str(log))

    def play(name: str, *, refused: bool = False, **extra: object) -> None:
        played = talkative.play(name, "-vvv", "--diff", **extra)
        scanner.look(f"output of {name}", played.output.encode())
        assert bool(played.code) is refused, played.output

    wrong = secrets.token_urlsafe(18)
    scanner.know("mistyped password", wrong, "root")
    with Processes(scanner) as processes:
        play("precheck")
        play("precheck", refused=True, target_password=wrong)
        play("deploy_agent")
        play("migrate", refused=True, target_password=wrong)
        play("migrate")
        target.control.fault("status", path_regex="/_api/document/", status=401, errorNum=11, count=2)
        with Client.root(source) as root:
            for number in range(50):
                assert root("POST", "/_db/shop/_api/document/items", {"later": number}).status in (201, 202)
        play("status", watch_until="ready", watch_timeout=60)
        look_everywhere(scanner, talkative, clusters)
        play("pause", pause_reason="backup")
        play("limits", load="gentle")
        play("resume")
        play("watch", watch_timeout=60)
        play("verify", verify_mode="documents")
        play("rehearse", fence_seconds=10)
        play("server_mode", server_mode="default")
        look_everywhere(scanner, talkative, clusters)
        play("cutover", gate_timeout=30)
        look_everywhere(scanner, talkative, clusters)
        play("migrate", refused=True)
        play("abort", refused=True)
    assert_private(talkative.directory)
    assert any(b"cutover-agent" in seen and b"serve" in seen for seen in processes.seen)
    assert any(b"ansible-playbook" in seen for seen in processes.seen)
    assert os.path.getsize(log) > 10_000
    assert len(target.control.documents("shop", "items")) == 350
    assert sorted(scanner.found) == sorted(KEPT.items())


def test_the_end_shows_no_secret_either(
    talkative: Host, clusters: tuple[TestCluster, TestCluster], scanner: Scanner
) -> None:
    """Given up, cleaned up, and the agent taken away."""
    for name, extra in (
        ("deploy_agent", {}), ("migrate", {}), ("abort", {"cleanup": True}), ("remove_agent", {}),
    ):  # fmt: skip
        played = talkative.play(name, "-vvv", "--diff", **extra)
        assert played.code == 0, played.output
        scanner.look(f"output of {name}", played.output.encode())
    scanner.look_into_files(talkative.directory, "ansible", "remote")
    assert scanner.found == set()


def test_every_playbook_is_played_with_all_its_talk() -> None:
    """Here, or where its own test looks for the secrets that it has."""
    elsewhere = {"rescue": "test_rescue.py", "configure_controller": "test_configure_controller.py"}
    here = set(re.findall(r'(?:play\(|\()"([a-z_]+)"', Path(__file__).read_text()))
    every = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
    assert every - here == set(elsewhere)
    for name, module in elsewhere.items():
        text = (Path(__file__).parent / module).read_text()
        assert re.search(rf'"{name}".*"-vvv"', text), name


def assert_private(directory: Path) -> None:
    """What has to hold a secret can be read by its owner only."""
    for name in KEPT:
        assert stat.S_IMODE((directory / name).stat().st_mode) == 0o600, name
