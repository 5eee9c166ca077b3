# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Real systemd hosts without a container engine: a base root a suite, an overlay and a network namespace a host.

Bases are made by mmdebstrap and kept in build/hosts; hosts run under systemd-nspawn and are reached by ssh from the
controller's namespace, in which the tests themselves run (`make hosts-test`). Root is needed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("CUTOVER_HOSTS_CACHE") or ROOT / "build/hosts")
NETWORK = "10.213.77"
CONTROLLER = f"{NETWORK}.1"
NAMESPACE = "cutover-controller"
SUITES = ("bullseye", "bookworm", "trixie")
_PACKAGES = (
    "systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,python3,python3-apt,sudo,iproute2,procps,ca-certificates"
)
# Units that make no sense in a guest, or slow its start.
_MASKED = (
    "systemd-networkd-wait-online.service", "systemd-timesyncd.service", "apt-daily.timer", "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer", "man-db.timer", "console-getty.service",
    "systemd-resolved.service",
)  # fmt: skip
_HOST_KEYS = """[Unit]
Before=ssh.service ssh.socket
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key
[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key
[Install]
WantedBy=multi-user.target
"""
# A guest's reboot ends nspawn with status 133 (--keep-unit), so it is started in a loop. A mount namespace of its own
# with cgroup2 alone: Debian 13 refuses the hybrid hierarchy.
_RUN = """
set -e
umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup
mkdir -p "/sys/fs/cgroup/$2"; echo $$ > "/sys/fs/cgroup/$2/cgroup.procs"
trap 'kill -TERM $child 2>/dev/null' TERM
while :; do
    systemd-nspawn -q -D "$1" -M "$2" --boot --register=no --keep-unit --console=pipe --link-journal=no \\
        --resolv-conf=off --timezone=off --network-namespace-path="/run/netns/$2" --capability=CAP_NET_ADMIN & child=$!
    status=0; wait $child || status=$?
    while kill -0 $child 2>/dev/null; do status=0; wait $child || status=$?; done
    [ $status = 133 ] || exit $status
done
"""
# What a machine will need of the kernel, tried in a mount namespace that ends with it.
_TRIAL = """
set -e
mount -t tmpfs tmpfs "$1"; mkdir "$1/low" "$1/up" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=$1/low,upperdir=$1/up,workdir=$1/work" "$1/root"
umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup
"""
_SSH_SECONDS, _END_SECONDS = 90.0, 30.0


def missing() -> str | None:
    """Why hosts cannot be had here, None when they can."""
    if os.geteuid() != 0:
        return "root is needed for namespaces and systemd-nspawn"
    absent = [name for name in ("mmdebstrap", "systemd-nspawn", "ip", "ssh", "unshare") if shutil.which(name) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    with tempfile.TemporaryDirectory() as directory:
        try:
            _run("unshare", "-m", "--propagation", "private", "bash", "-c", _TRIAL, "_", directory)
        except Unavailable as error:
            return f"this machine may not mount what hosts need: {error}"
    return None


class Unavailable(Exception):  # noqa: N818  (what a command said that this machine cannot do)
    """A program of the operating system has failed."""


def _run(*command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=900)
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{command[0]} did not end within {error.timeout:.0f} s") from error
    if check and done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise Unavailable(f"{command[0]} ended with status {done.returncode}: {' / '.join(said)}")
    return done


def ready(suite: str) -> bool:
    """Whether the suite's base is there."""
    return (CACHE / suite / ".ready").exists()


def base(suite: str) -> Path:
    """The root of a suite, made at the first time (about half a minute). Raises Unavailable."""
    root = CACHE / suite
    if ready(suite):
        return root
    CACHE.mkdir(parents=True, exist_ok=True)
    if root.exists():
        shutil.rmtree(root)
    _run("mmdebstrap", "--variant=minbase", "--skip=cleanup/apt/lists",
         "--aptopt=Acquire::Check-Valid-Until \"false\"", f"--include={_PACKAGES}", suite, str(root))  # fmt: skip
    (root / "etc/machine-id").write_text("")
    for path in [*(root / "etc/ssh").glob("ssh_host_*"), root / "var/lib/dbus/machine-id"]:
        path.unlink(missing_ok=True)
    units = root / "etc/systemd/system"
    for name in _MASKED:
        (units / name).unlink(missing_ok=True)
        (units / name).symlink_to("/dev/null")
    (units / "ssh-hostkeys.service").write_text(_HOST_KEYS)
    (units / "multi-user.target.wants").mkdir(exist_ok=True)
    (units / "multi-user.target.wants/ssh-hostkeys.service").symlink_to("../ssh-hostkeys.service")
    (root / "etc/systemd/journald.conf.d").mkdir(parents=True, exist_ok=True)
    (root / "etc/systemd/journald.conf.d/test.conf").write_text("[Journal]\nStorage=persistent\nRateLimitBurst=0\n")
    ssh = "UseDNS no\nPermitRootLogin prohibit-password\nHostKey /etc/ssh/ssh_host_ed25519_key\n"
    (root / "etc/ssh/sshd_config.d/test.conf").write_text(ssh)
    _run("chroot", str(root), "useradd", "-m", "-s", "/bin/bash", "ansible")
    (root / "etc/sudoers.d/ansible").write_text("ansible ALL=(ALL) NOPASSWD:ALL\n")
    (root / ".ready").touch()
    return root


def make_network() -> None:
    """The controller's namespace with a bridge, unless it is there."""
    if (Path("/run/netns") / NAMESPACE).exists():
        return
    _run("ip", "netns", "add", NAMESPACE)
    for arguments in (
        "link set lo up", "link add br0 type bridge", f"addr add {CONTROLLER}/24 dev br0", "link set br0 up",
    ):  # fmt: skip
        _run("ip", "-n", NAMESPACE, *arguments.split())


def remove_network() -> None:
    """Take the controller's namespace away."""
    _run("ip", "netns", "del", NAMESPACE, check=False)


@contextlib.contextmanager
def small_disk(directory: Path) -> Iterator[Path]:
    """``directory`` in memory while it is used: a machine's own files cannot lie on every file system."""
    _run("mount", "-t", "tmpfs", "-o", "size=2g,mode=0755", "tmpfs", str(directory))
    try:
        yield directory
    finally:
        _run("umount", "-l", str(directory), check=False)


@dataclass
class Machine:
    """One host; ``number`` makes its address. Its files lie below ``directory``."""

    number: int
    suite: str
    directory: Path
    public_key: str
    _process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """Its name for machines, namespaces and cgroups."""
        return f"cutover-h{self.number}"

    @property
    def address(self) -> str:
        """Where it is reached from the controller's namespace."""
        return f"{NETWORK}.{10 + self.number}"

    @property
    def root(self) -> Path:
        """Its root directory, mounted while the machine exists."""
        return self.directory / "root"

    @property
    def _cgroup(self) -> Path:
        top = Path("/sys/fs/cgroup")
        return (top if (top / "cgroup.controllers").exists() else top / "unified") / self.name

    def create(self) -> None:
        """Root over its base, network, key; then boot."""
        lower = base(self.suite)
        for part in ("up", "work", "root"):
            (self.directory / part).mkdir(parents=True, exist_ok=True)
        options = f"lowerdir={lower},upperdir={self.directory / 'up'},workdir={self.directory / 'work'}"
        _run("mount", "-t", "overlay", "overlay", "-o", options, str(self.root))
        for home in ("root", "home/ansible"):
            keys = self.root / home / ".ssh"
            keys.mkdir(mode=0o700, exist_ok=True)
            (keys / "authorized_keys").write_text(self.public_key)
        _run("chroot", str(self.root), "chown", "-R", "ansible:", "/home/ansible/.ssh")
        (self.root / "etc/hostname").write_text(f"h{self.number}\n")
        (self.root / "etc/hosts").write_text(f"127.0.0.1 localhost h{self.number}\n")
        _run("ip", "netns", "add", self.name)
        wire = f"v{self.number}"
        _run("ip", "-n", NAMESPACE, "link", "add", wire, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        _run("ip", "-n", NAMESPACE, "link", "set", wire, "master", "br0", "up")
        for arguments in ("link set lo up", f"addr add {self.address}/24 dev eth0", "link set eth0 up"):
            _run("ip", "-n", self.name, *arguments.split())
        self.start()

    @property
    def alive(self) -> bool:
        """Whether anything runs on it."""
        try:
            return "populated 1" in (self._cgroup / "cgroup.events").read_text()
        except OSError:
            return False

    def start(self) -> None:
        """Boot and wait until ssh answers."""
        if not self.alive:
            with (self.directory / "console.log").open("ab") as console:
                self._process = subprocess.Popen(
                    ["unshare", "-m", "--propagation", "private", "bash", "-c", _RUN, "_", str(self.root), self.name],
                    stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True,
                )  # fmt: skip
        self.wait_for_ssh()

    def wait_for_ssh(self) -> None:
        """Return when its ssh greets; RuntimeError with the end of its console when it does not."""
        deadline = time.monotonic() + _SSH_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection((self.address, 22), timeout=2) as connection:
                connection.settimeout(2)
                if connection.recv(3) == b"SSH":
                    return
            time.sleep(0.2)
        console = (self.directory / "console.log").read_text(errors="replace")
        raise RuntimeError(f"h{self.number} ({self.suite}) does not answer: {console[-2000:]}")

    def crash(self) -> None:
        """Power loss: everything on it is killed at once."""
        with contextlib.suppress(OSError):
            (self._cgroup / "cgroup.kill").write_text("1")
        self._wait_dead()

    def power_off(self) -> None:
        """An orderly end."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._wait_dead()
        if self.alive:
            self.crash()

    def _wait_dead(self) -> None:
        deadline = time.monotonic() + _END_SECONDS
        while self.alive and time.monotonic() < deadline:
            time.sleep(0.05)
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)

    def remove(self) -> None:
        """No trace is left."""
        self.crash()
        while os.path.ismount(self.root):
            _run("umount", "-l", str(self.root))
        for path in sorted(self._cgroup.glob("**/"), key=lambda item: len(item.parts), reverse=True):
            with contextlib.suppress(OSError):
                path.rmdir()
        _run("ip", "netns", "del", self.name, check=False)
        shutil.rmtree(self.directory, ignore_errors=True)

    def run(self, *command: str) -> str:
        """Output of a command as root on the machine; RuntimeError with its errors."""
        done = subprocess.run(
            ["ssh", *self.ssh_options(), f"root@{self.address}", *command],
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"h{self.number}: {' '.join(command)}: {done.stdout}{done.stderr}")
        return done.stdout

    def ssh_options(self) -> Sequence[str]:
        """Options that reach it without questions."""
        key = self.directory.parent / "id"
        settings = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "ConnectTimeout=10")
        return ["-i", str(key), *(part for setting in settings for part in ("-o", setting))]
