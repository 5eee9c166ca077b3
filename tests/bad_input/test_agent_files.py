# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with an agent's own files: configuration, certificates of both ends, state directory, Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.plugin_utils import _x509 as x509
from tests.bad_input.commands import run_cli
from tests.bad_input.sites import TIME_SCALE, Sites, untouched
from tests.bad_input.test_agent_start import FAILED, USAGE, change
from tests.bad_input.test_wrong_time import ready
from tests.e2e.agent import Agent, Refused
from tests.testbed.certificates import private
from tests.testbed.client import Client

NOW = datetime.now(timezone.utc)
NAMES = ("127.0.0.1", "localhost")
SERVER = x509.Wanted("server", "agent", NAMES)


def authority(name: str) -> x509.Pair:
    """A CA."""
    return x509.make(x509.Wanted("ca", name, days=3650), None, NOW)


@pytest.fixture
def agent(sites: Sites, archive: Path, tmp_path: Path) -> Iterator[Agent]:
    """An agent that has its files and does not run."""
    made = Agent(archive, tmp_path / "agent", sites.source.jwt_secret_path, TIME_SCALE)
    yield made
    made.stop()


def serve(archive: Path, config: Path) -> tuple[int, str]:
    """Exit code and last line of an agent that does not start; it says nothing else than that."""
    done = run_cli(archive, "serve", "--config", str(config))
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert "Remedy: " in lines[0]
    return done.returncode, lines[0]


CONFIGURATIONS: tuple[tuple[str, Any, str], ...] = (
    ("overwrite", True, "unknown field; known are allowed_sources, "),
    ("port", "8629", "must be a whole number from 0 to 65535"),
    ("port", 65536, "must be a whole number from 0 to 65535"),
    ("tls_keyfile", "tls.keyfile", "must be an absolute path"),
    ("tokens", {"ops": "secret"}, "must be a list of objects with name, sha256 and role"),
    ("log_format", "xml", "must be one of text, json, not 'xml'"),
    ("time_scale", 2, "must be a number above 0 and at most 1"),
    ("allowed_sources", "https://db:8529", "must be a list of endpoints"),
    ("state_directory", None, "is missing"),
    ("webhook", "https://eda.example.com/", "must be an object with url, secret_path, ca, timeout, max_lag"),
)


@pytest.mark.parametrize(("field", "value", "says"), CONFIGURATIONS)
def test_a_configuration_with_a_wrong_field(agent: Agent, archive: Path, field: str, value: Any, says: str) -> None:
    change(agent.config_path, **{field: value})
    code, line = serve(archive, agent.config_path)
    assert code == USAGE
    assert line.startswith(f"agent configuration: {field}: {says}")
    assert "(CUT-AGENT-2)" in line
    assert os.listdir(agent.state_directory) == []


def test_an_address_of_another_machine(agent: Agent, archive: Path) -> None:
    change(agent.config_path, listen_host="203.0.113.9", port=8629)
    code, line = serve(archive, agent.config_path)
    assert code == FAILED
    assert line.startswith("port 8629: the agent cannot listen on 203.0.113.9:8629: Cannot assign requested address")
    assert "choose another port or listen_host of this machine" in line


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("missing", "tls_keyfile {}: No such file or directory"),
        ("without a key", "tls_keyfile {}: not a usable PEM file"),
        ("key of another", "tls_keyfile {}: not a usable PEM file (KEY_VALUES_MISMATCH)"),
        ("client CA missing", "client_ca {}: No such file or directory"),
    ],
)
def test_certificates_that_cannot_be_loaded(
    agent: Agent, archive: Path, tmp_path: Path, fault: str, says: str
) -> None:
    ours, path = authority("ours"), tmp_path / "given.pem"
    good = x509.make(SERVER, ours, NOW)
    if fault == "without a key":
        path.write_bytes(x509.certificates_pem(good.chain))
    elif fault == "key of another":
        private(path, x509.keyfile_pem(x509.Pair(ours.key, good.chain)))
    change(agent.config_path, **{"client_ca" if fault.startswith("client") else "tls_keyfile": str(path)})
    code, line = serve(archive, agent.config_path)
    assert code == FAILED
    assert line.startswith(says.format(path))
    assert "(CUT-AGENT-4)" in line


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("another name", "IP address mismatch, certificate is not valid for '127.0.0.1'"),
        ("expired", "certificate has expired"),
        ("another CA", "unable to get local issuer certificate"),
    ],
)
def test_a_client_does_not_trust_what_it_should_not(
    agent: Agent, archive: Path, tmp_path: Path, fault: str, says: str
) -> None:
    ours, theirs = authority("ours"), authority("theirs")
    pair = {
        "another name": x509.make(x509.Wanted("server", "x", ("other.example.com",)), ours, NOW),
        "expired": x509.make(SERVER, ours, NOW - timedelta(days=400)),
        "another CA": x509.make(SERVER, theirs, NOW),
    }[fault]
    keyfile, ca = tmp_path / "given.keyfile", tmp_path / "ours.pem"
    private(keyfile, x509.keyfile_pem(pair))
    ca.write_bytes(x509.certificates_pem(ours.chain))
    change(agent.config_path, tls_keyfile=str(keyfile))
    begin(agent)
    agent.ca_path = ca
    done = run_cli(archive, "status", agent=agent)
    assert done.returncode != 0
    assert says in done.stderr, done.stderr
    assert "Remedy: " in done.stderr
    assert agent.token not in done.stderr


def begin(agent: Agent) -> None:
    """Start it, although its client here does not trust it."""
    agent._context.check_hostname = False
    agent._context.verify_mode = 0  # type: ignore[assignment]
    agent.start()


def test_client_certificates_and_tokens_of_others(agent: Agent, archive: Path, tmp_path: Path) -> None:
    ours, theirs = authority("ours"), authority("theirs")
    client_ca = tmp_path / "clients.pem"
    client_ca.write_bytes(x509.certificates_pem(ours.chain))
    change(agent.config_path, client_ca=str(client_ca), clients=[{"subject": "ops", "role": "read"}])
    agent.start()
    said = {}
    for name, signer, subject in (("ops", ours, "ops"), ("unnamed", ours, "nobody"), ("theirs", theirs, "ops")):
        keyfile = tmp_path / f"{name}.keyfile"
        private(keyfile, x509.keyfile_pem(x509.make(x509.Wanted("client", subject), signer, NOW)))
        flags = ["--agent.endpoint", agent.endpoint, "--agent.cacert", str(agent.ca_path)]
        said[name] = run_cli(archive, "status", *flags, "--agent.client-auth-keyfile", str(keyfile))
    assert said["ops"].returncode == 0, said["ops"].stderr
    assert said["unnamed"].returncode != 0
    assert "(CUT-AGENT-10)" in said["unnamed"].stderr
    # TLS ends before anything can be answered: the remedy has to name the certificate among the causes.
    assert said["theirs"].returncode != 0
    assert "where it demands client certificates, that its client_ca has signed" in said["theirs"].stderr
    agent.token = "the-token-of-somebody-else"
    done = run_cli(archive, "status", agent=agent)
    assert done.returncode != 0
    assert "(CUT-AGENT-10)" in done.stderr
    assert agent.token not in done.stderr


def test_two_agents_on_one_state_directory(agent: Agent, archive: Path, tmp_path: Path) -> None:
    agent.start()
    second = tmp_path / "second.json"
    shutil.copy(agent.config_path, second)
    change(second, port=0)
    code, line = serve(archive, second)
    assert code == FAILED
    assert line.startswith(f"state_directory {agent.state_directory}: another agent is using it (CUT-AGENT-6)")
    assert agent.status()["state"] == "inactive"


class Disk:
    """A file system in memory whose size changes while it is used; memory is taken by what is written alone."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        done = self._mount("-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs")
        if done.returncode != 0:
            pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")

    def _mount(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["mount", *arguments, str(self.directory)], capture_output=True, text=True, timeout=30, check=False
        )

    def resize(self, size: int) -> None:
        """Give it ``size`` bytes."""
        done = self._mount("-o", f"remount,size={size}")
        assert done.returncode == 0, done.stderr

    def fill(self) -> None:
        """Leave nothing free."""
        figures = os.statvfs(self.directory)
        self.resize((figures.f_blocks - figures.f_bfree) * figures.f_frsize)

    def unmount(self) -> None:
        """Away with it."""
        subprocess.run(["umount", "-l", str(self.directory)], check=True, timeout=30)


@pytest.fixture
def disk(agent: Agent) -> Iterator[Disk]:
    """A small disk of its own for the agent's state."""
    if os.geteuid() != 0:
        pytest.skip("root is needed to mount a small disk")
    made = Disk(agent.state_directory)
    yield made
    agent.stop()
    made.unmount()


def test_a_full_disk_is_said_and_waited_out(sites: Sites, agent: Agent, disk: Disk) -> None:
    """Before the start nothing is begun; while a migration runs nothing is lost, and it goes on by itself."""
    target = sites.another_target()
    request = sites.request(target)
    agent.start()
    with untouched(sites.source), pytest.raises(Refused) as caught:
        agent.call("POST", "/v1/migration", request)
    assert caught.value.error["message"].endswith("has only 0.0 GiB free")
    assert str(disk.directory) in caught.value.error["message"]
    assert caught.value.error["remedy"].startswith("Free disk space")
    disk.resize(2 << 30)
    agent.call("POST", "/v1/migration", request)
    agent.wait("ready", ready, 60)

    disk.fill()
    with Client.root(sites.source) as root:
        for number in range(200):
            document = {"_key": f"full-{number}", "text": "x" * 1000}
            assert root("POST", "/_db/shop/_api/document/items", document).status < 300
    agent.wait("said", lambda status: "No space left" in str(status["waiting"]["for"]), 60)
    agent.kill()
    agent.start()
    disk.resize(2 << 30)
    agent.wait("ready again", ready, 90)
    keys = target.control.documents("shop", "items").keys()
    assert [number for number in range(200) if f"full-{number}" not in keys] == []
    agent.call("POST", "/v1/migration/abort", {})
    agent.wait("aborted", lambda status: status["state"] == "aborted", 30)


OLD = ("python2.7", "python3.6", "python3.7", "python3.8")


def old_python(name: str) -> str | None:
    """An interpreter of pyenv or of the system."""
    version = name.removeprefix("python")
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = sorted(root.glob(f"versions/{version}.*/bin/{name}"))
    return str(found[-1]) if found else None


@pytest.mark.parametrize("name", OLD)
def test_a_python_that_is_too_old_is_told_in_one_line(archive: Path, tmp_path: Path, name: str) -> None:
    """By that Python where it is here; everywhere by the archive's first file with the version of that Python."""
    version = tuple(map(int, name.removeprefix("python").split(".")))
    said = "cutover-agent needs Python 3.9 or newer, this is %d.%d\n" % version  # noqa: UP031  (as the archive does)
    with zipfile.ZipFile(archive) as packed:
        packed.extract("__main__.py", tmp_path)
    code = f"import runpy, sys; sys.version_info = {version}; runpy.run_path({str(tmp_path / '__main__.py')!r})"
    commands = [[sys.executable, "-c", code]]
    interpreter = old_python(name)
    if interpreter is not None:
        commands.append([interpreter, str(archive), "serve"])
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (USAGE, "", said)
