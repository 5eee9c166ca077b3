# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The role `agent` from the first --check to the last trace removed."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import time
from datetime import datetime, timezone
from pathlib import Path

import jinja2
import pytest
import yaml

from ansible_collections.cutover.arangodb.plugins.plugin_utils import _x509 as x509
from tests.roles.conftest import ROOT, Host, with_other_engine
from tests.unit.agent_fakes import make_certificates
from tests.unit.webhook_receiver import SECRET, receiver

# Each test starts many processes one after another; on a busy machine that takes minutes.
pytestmark = pytest.mark.timeout(600)


def pid_of(host: Host) -> int:
    return int(json.loads(host.install_path("run/agent.pid").read_text())["pid"])


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_check_install_again_change_remove(host: Host) -> None:
    checked = host.play("deploy_agent", "--check", "--diff")
    assert checked.code == 0, checked.output
    assert checked.changed > 0
    assert list(host.install_path("").iterdir()) == []

    first = host.play("deploy_agent", "--diff")
    assert first.code == 0, first.output
    assert "s3cr3t" not in first.output
    assert "PRIVATE KEY" not in first.output
    assert mode_of(host.install_path("config/agent.json")) == 0o640
    assert mode_of(host.install_path("config/source.jwt")) == 0o600
    assert mode_of(host.install_path("config/tls.keyfile")) == 0o600
    assert mode_of(host.install_path("state")) == 0o750
    link = host.install_path("install/cutover-agent.pyz")
    assert re.fullmatch(r"cutover-agent-[0-9a-f]{12}\.pyz", link.readlink().name)
    pid = pid_of(host)

    again = host.play("deploy_agent")
    assert (again.code, again.changed) == (0, 0), again.output
    assert pid_of(host) == pid

    for age, name in enumerate(("cutover-agent-000000000000.pyz", "cutover-agent-111111111111.pyz"), 1000):
        host.install_path(f"install/{name}").touch()
        os.utime(host.install_path(f"install/{name}"), (age, age))
    changed = host.play("deploy_agent", agent_log_format="json")
    assert changed.code == 0, changed.output
    assert pid_of(host) != pid
    stay = {link.name, link.readlink().name, "cutover-agent-111111111111.pyz"}
    assert {path.name for path in host.install_path("install").iterdir()} == stay

    removed = host.play("remove_agent")
    assert (removed.code, list(host.install_path("").iterdir())) == (0, []), removed.output
    assert host.play("remove_agent").changed == 0


def test_removal_spares_what_is_another_agents(host: Host) -> None:
    """Whether it lies inside of the directories of the removed one, or beside them, where other things are, too."""
    own = {f"agent_{kind}_directory": f"{host.install_path(kind)}/" for kind in ("config", "state", "run", "log")}
    install = host.install_path("install")
    other = host.install_path("config/south/agent.json")
    kept = host.install_path("state/north/agent.lock")
    for path in (other, kept, install / "cutover-agent-000000000000.pyz"):
        path.parent.mkdir(parents=True)
        path.write_text("{}")
    other.write_text('{\n    "source_jwt_secret_path": "/s"\n}\n')
    refused = host.play("remove_agent", **own)
    told = " ".join(refused.output.split())
    assert (refused.code, refused.changed) == (2, 0), refused.output
    assert f"{other.parent}, {kept.parent}: another agent of this host has its files there" in told

    beside = {name: f"{directory}/mine" for name, directory in own.items()}
    host.install_path("config/mine").mkdir()
    removed = host.play("remove_agent", **beside)
    assert (removed.code, removed.changed) == (0, 1), removed.output
    assert all(path.exists() for path in (other, kept, install / "cutover-agent-000000000000.pyz"))

    other.unlink()
    install.joinpath("of-somebody").touch()
    removed = host.play("remove_agent", **beside)
    assert (removed.code, removed.changed) == (0, 1), removed.output
    assert [path.name for path in install.iterdir()] == ["of-somebody"]
    assert host.install_path("config/south").exists()


def test_removal_finds_what_was_copied_elsewhere(host: Host, tmp_path: Path) -> None:
    """Secret and key go with the agent, unless another one of the host has the same, or they were there before."""
    secret, keyfile, other = (host.install_path(name) for name in ("any.jwt", "any.keyfile", "south/agent.json"))
    paths = {"agent_source_jwt_secret_path": str(secret), "agent_client_keyfile": str(keyfile)}
    copied = {**paths, "agent_client_keyfile_source": str(make_certificates(tmp_path).server_keyfile)}
    for path in (secret, keyfile):
        path.touch()
    other.parent.mkdir()
    other.write_text(f'{{\n    "source_jwt_secret_path": "{secret}"\n}}\n')
    assert host.play("remove_agent", **copied).changed == 0
    other.unlink()
    given = host.variables.pop("agent_source_jwt_secret_source")
    assert host.play("remove_agent", **paths).changed == 0
    removed = host.play("remove_agent", agent_source_jwt_secret_source=given, **copied)
    assert (removed.code, removed.changed) == (0, 2), removed.output
    assert [path for path in (secret, keyfile) if path.exists()] == []


def test_an_agent_that_is_not_done_is_not_removed(host: Host, tmp_path: Path) -> None:
    """Neither with late indexes to build nor with a migration that runs; unless it is to be removed all the same."""
    pending = '"late_indexes": {"pending": '
    busy = with_other_engine(host, tmp_path, f"{pending}0", f"{pending}2")
    assert busy.play("deploy_agent").code == 0
    pid = pid_of(host)
    for why in ("late indexes that it still has to build on the target (TTL, vector): 2", "its migration is running"):
        refused = busy.play("remove_agent")
        told = " ".join(refused.output.split())
        assert (refused.code, refused.changed, pid_of(host)) == (2, 0, pid), refused.output
        assert f"The agent on localhost is not done: {why}. " in told
        assert busy.play("migrate", migration_watch=False).code == 0
    removed = busy.play("remove_agent", "-e", "agent_remove_anyway=true")
    assert (removed.code, list(host.install_path("").iterdir())) == (0, []), removed.output


def test_events_are_posted_to_a_webhook(host: Host, tmp_path: Path) -> None:
    """The secret is shown nowhere; another one restarts the agent, and without the address everything of it is gone."""
    certificates = make_certificates(tmp_path)
    with receiver(certificates.server_keyfile) as receives:
        webhook = {
            "agent_webhook_url": receives.url, "agent_webhook_secret": SECRET,
            "agent_webhook_ca_source": str(certificates.ca), "agent_webhook_timeout": 20,
        }  # fmt: skip
        made = host.play("deploy_agent", "--diff", "-vvv", **webhook)
        assert made.code == 0, made.output
        event = receives.next()
        assert (event["kind"], event["state"], event["sequence"]) == ("state", "inactive", 1)
        assert mode_of(host.install_path("config/webhook.secret")) == 0o600
        again = host.play("deploy_agent", **webhook)
        assert (again.code, again.changed) == (0, 0), again.output
        pid = pid_of(host)
        other = host.play("deploy_agent", "--diff", **{**webhook, "agent_webhook_secret": f"other-{SECRET}"})
        assert other.code == 0, other.output
        assert pid_of(host) != pid
    without = host.play("deploy_agent")
    assert without.code == 0, without.output
    assert not host.install_path("config/webhook.secret").exists()
    log = host.install_path("log/agent.log").read_text()
    assert SECRET not in made.output + other.output + without.output + log


def test_bad_input_ends_before_anything_is_touched(host: Host) -> None:
    for name, value in (
        ("agent_listen_host", "0.0.0.0"),
        ("agent_tls_keyfile_source", ""),
        ("agent_tls_ca_source", "/no/such/file"),
        ("agent_supervisor", "cron"),
        ("agent_port", "many"),
        ("agent_webhook_url", "http://eda.example.com/"),
        ("agent_webhook_timeout", "long"),
    ):
        tokens = [] if name == "agent_listen_host" else host.variables["agent_tokens"]
        given = {"agent_tokens": tokens, "agent_webhook_secret": SECRET, name: value}
        refused = host.play("deploy_agent", **given)
        assert refused.code != 0, name
        assert name in refused.output
        assert SECRET not in refused.output
    for content in (b"", b"x" * 65, b"-----BEGIN EC PRIVATE KEY-----\n"):
        (host.directory / "wrong.jwt").write_bytes(content)
        told = refusal(host, agent_source_jwt_secret_source=str(host.directory / "wrong.jwt"))
        assert "wrong.jwt must hold what the source's --server.jwt-secret-keyfile holds: 1 to 64 bytes" in told
    told = refusal(host, agent_source_ca_source=str(host.directory / "wrong.jwt"))
    assert "agent_source_ca_source: " in told
    assert "wrong.jwt holds no certificate in PEM form." in told
    unsigned = host.play("deploy_agent", agent_webhook_url="https://eda.example.com/", agent_webhook_secret="short")
    assert unsigned.code != 0
    assert "agent_webhook_secret must hold 16" in " ".join(unsigned.output.split())
    assert list(host.install_path("").iterdir()) == []


def test_what_the_host_refuses_is_found_before_the_old_agent_is_stopped(host: Host) -> None:
    """A port of somebody else, also in check mode; an address of another machine with the own port; no secret."""
    assert host.play("deploy_agent").code == 0
    running, config = pid_of(host), host.install_path("config/agent.json")
    before = config.read_bytes()
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        port = squatter.getsockname()[1]
        for options in ((), ("--check",)):
            told = refusal(host, *options, agent_port=port)
            where = f"agent_listen_host 127.0.0.1, agent_port {port}: the agent could not listen there"
            assert f"{where}: Address already in use." in told
            assert "Nothing was touched." in told
    assert "agent_port must be from 1 to 65535, not 70000." in refusal(host, agent_port=70000)
    keyfile, ca = (host.directory / f"elsewhere.{kind}" for kind in ("keyfile", "pem"))
    keyfile.write_bytes(host_keyfile("203.0.113.9", ca))
    certificate = {"agent_tls_keyfile_source": str(keyfile), "agent_tls_ca_source": str(ca)}
    told = refusal(host, agent_listen_host="203.0.113.9", **certificate)
    assert "the agent could not listen there: Cannot assign requested address." in told
    del host.variables["agent_source_jwt_secret_source"]
    told = refusal(host, agent_source_jwt_secret_path="/no/such/file")
    assert "agent_source_jwt_secret_path /no/such/file: " in told
    assert (pid_of(host), config.read_bytes()) == (running, before)
    assert host.play("deploy_agent").changed == 0


def refusal(host: Host, *options: str, **extra: object) -> str:
    """What a deployment that must not work says, in one line."""
    refused = host.play("deploy_agent", *options, **extra)
    assert refused.code != 0, refused.output
    return " ".join(refused.output.split())


def host_keyfile(name: str, ca: Path) -> bytes:
    """A keyfile for one name; the certificate of its CA is put to ``ca``."""
    now = datetime.now(timezone.utc)
    authority = x509.make(x509.Wanted("ca", "ours", days=3650), None, now)
    ca.write_bytes(x509.certificates_pem(authority.chain))
    return x509.keyfile_pem(x509.make(x509.Wanted("server", name, (name,)), authority, now))


def test_why_an_agent_does_not_start_is_shown(host: Host) -> None:
    """Its own port is taken by another while it is down."""
    assert host.play("deploy_agent").code == 0
    host.install_path("log/agent.log").write_text("")
    os.kill(pid_of(host), signal.SIGKILL)
    port = host.variables["agent_port"]
    with taken(port):
        refused = host.play("deploy_agent")
    assert refused.code != 0
    told = " ".join(refused.output.split())
    assert "localhost does not run as wanted: port" in told, refused.output
    assert f"port {port}: the agent cannot listen on 127.0.0.1:{port}: Address already in use (CUT-AGENT-3)" in told


def taken(port: int) -> socket.socket:
    """A listener in the place of a process that was killed and may take a moment to let go of the port."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return socket.create_server(("127.0.0.1", port))
        except OSError:
            assert time.monotonic() < deadline, f"port {port} is never free"
            time.sleep(0.05)


def test_a_firewall_is_left_alone_and_named(host: Host) -> None:
    """The address of a protocol at which the agent does not listen stands for a host behind one."""
    hidden = host.play("deploy_agent", agent_listen_host="0.0.0.0", ansible_host="::1")
    assert hidden.code == 0, hidden.output
    assert "Firewalls are left alone" in hidden.output
    reached = host.play("deploy_agent", agent_listen_host="0.0.0.0", ansible_host="127.0.0.1")
    assert (reached.code, reached.changed) == (0, 0), reached.output
    assert "Firewalls are left alone" not in reached.output


def test_the_units_are_hardened_and_complete() -> None:
    variables = {
        "ansible_managed": "managed",
        "agent_instance": "",
        "agent_user": "u",
        "agent_group": "g",
        "agent_python": "/usr/bin/python3",
        "agent_install_directory": "/opt/a",
        "agent_state_directory": "/var/s",
        "__agent_archive": {"sha256": "0123456789abcdef"},
        "__agent_config_path": "/etc/c.json",
    }
    loader = jinja2.FileSystemLoader(ROOT / "roles/agent/templates")
    templates = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    for name, command, watchdog in (("agent", "serve", 60), ("guard", "guard", 300)):
        unit = templates.get_template(f"cutover-{name}.service.j2").render(variables)
        start = f"ExecStart=/usr/bin/python3 /opt/a/cutover-agent-0123456789ab.pyz {command} --config /etc/c.json"
        for line in (start, "Type=notify", f"WatchdogSec={watchdog}", "ProtectSystem=strict", "NoNewPrivileges=yes",
                     "User=u", "ReadWritePaths=/var/s", "CapabilityBoundingSet=", "Restart=on-failure",
                     "[Install]"):  # fmt: skip
            assert f"\n{line}\n" in unit, (name, line)
        assert "{{" not in unit


def test_documented_defaults_are_the_real_ones() -> None:
    specs = yaml.safe_load((ROOT / "roles/agent/meta/argument_specs.yml").read_text())
    options = specs["argument_specs"]["main"]["options"]
    defaults = yaml.safe_load((ROOT / "roles/agent/defaults/main.yml").read_text())
    documented = {name: option["default"] for name, option in options.items() if "default" in option}
    directory = defaults["agent_config_directory"]
    resolved = {
        name: value.replace("{{ agent_config_directory }}", directory) if isinstance(value, str) else value
        for name, value in defaults.items()
    }
    assert documented == resolved
