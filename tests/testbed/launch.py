# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Starts an emulated cluster as a process of its own; used by tests and by the demo."""

from __future__ import annotations

import atexit
import functools
import http.client
import json
import os
import secrets
import select
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, NamedTuple, TypeVar
from urllib.parse import urlencode, urlsplit

from tests.testbed import certificates
from tests.tools.nursery import Forked, Nursery

Flavour = Literal["selfhosted", "managed", "single"]
_ROOT = Path(__file__).resolve().parent.parent.parent
_START_SECONDS = 30.0
L = TypeVar("L", bound="Launched")


class Control:
    """Client of the control listener (see control.py for what it understands)."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.token = token

    def request(self, method: str, target: str, body: object | None = None) -> bytes:
        """Send one request; RuntimeError when it is refused."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
        try:
            data = b"" if body is None else json.dumps(body).encode()
            connection.request(method, target, data, {"x-testbed-token": self.token})
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status >= 300:
            raise RuntimeError(f"testbed {method} {target}: {response.status} {content[:500]!r}")
        return content

    def post(self, target: str, body: object) -> Any:
        """Arm a fault, or do something to the cluster."""
        return json.loads(self.request("POST", target, body))

    def get(self, target: str, **query: str) -> Any:
        """A state document."""
        return json.loads(self.request("GET", f"{target}?{urlencode(query)}"))

    def fault(self, kind: str, **fields: object) -> Any:
        """`POST /fault`; see control.py."""
        return self.post("/fault", {"kind": kind, **fields})

    def clear(self) -> None:
        """Forget the faults that wait."""
        self.request("DELETE", "/fault")

    def documents(self, database: str, collection: str) -> dict[str, tuple[str, bytes]]:
        """Key → revision and raw document, read from storage behind every API."""
        query = urlencode({"database": database, "collection": collection})
        lines = self.request("GET", f"/state/documents?{query}").splitlines()
        found = {}
        for line in lines:
            key, revision, raw = line.split(b"\t", 2)
            found[key.decode()] = (revision.decode(), raw)
        return found


class Running(NamedTuple):
    """A process, the end of its standard input that keeps it running, and what it says."""

    process: Forked
    leash: BinaryIO
    output: BinaryIO

    def stop(self) -> None:
        """End the process."""
        self.leash.close()
        self.output.close()
        self.process.end(10)


class Launched:
    """A process that ends with the context manager."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self.pid = running.process.pid

    def stop(self) -> None:
        """End the process; what it stored is gone."""
        self._running.stop()

    def __enter__(self: L) -> L:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class TestCluster(Launched):
    """A running cluster; a context manager that stops it."""

    __test__ = False

    def __init__(self, running: Running, ready: dict[str, Any], config: dict[str, Any], ca_path: Path) -> None:
        super().__init__(running)
        self.name: str = config["name"]
        self.coordinators: list[str] = ready["coordinators"]
        self.dbservers: dict[str, str] = ready["dbservers"]
        self.id: str = ready["id"]
        self.ca_path = ca_path
        self.jwt_secret_path = Path(config["jwt_secret_path"])
        self.root_password: str = config["root_password"]
        self.control = Control(ready["control"], config["control_token"])

    @classmethod
    def start(
        cls,
        directory: Path,
        *,
        name: str,
        coordinators: int = 2,
        dbservers: int = 3,
        version: str = "3.11.14",
        flavour: Flavour = "selfhosted",
        root_password: str = "",
        jwt_secret: bytes | None = None,
        options: Mapping[str, object] | None = None,
    ) -> TestCluster:
        """Start a cluster whose files are in `directory`/`name`; RuntimeError with its output if it does not start."""
        home = directory / name
        home.mkdir(parents=True, exist_ok=True)
        ca_path, keyfile = certificates.make(home, str((options or {}).get("host", "127.0.0.1")))
        secret_path = home / "jwt.secret"
        certificates.private(secret_path, jwt_secret or secrets.token_hex(32).encode())
        config: dict[str, Any] = {
            "name": name,
            "version": version,
            "flavour": flavour,
            "coordinators": coordinators,
            "dbservers": dbservers,
            "root_password": root_password,
            "jwt_secret_path": str(secret_path),
            "tls_keyfile": str(keyfile),
            "control_token": secrets.token_urlsafe(24),
            "options": dict(options or {}),
        }
        running, ready = launch("tests.testbed", home, config)
        return cls(running, ready, config, ca_path)


def launch(module: str, home: Path, config: Mapping[str, Any]) -> tuple[Running, dict[str, Any]]:
    """Start `python -m <module> serve` with its files in `home`; the process and the line that says it is ready.

    RuntimeError with its output if it does not start. CUTOVER_TESTBED_PYTHON names its Python where tests run on one
    that is too old for it.
    """
    config_path = home / "config.json"
    certificates.private(config_path, json.dumps(config).encode())
    nursery = _nursery(module, os.environ.get("CUTOVER_TESTBED_PYTHON", sys.executable))
    leashed, leash = os.pipe()
    output, tells = os.pipe()
    with os.fdopen(leashed, "rb") as own_input, os.fdopen(tells, "wb") as own_output, (home / "log").open("ab") as log:
        streams = [stream.fileno() for stream in (own_input, own_output, log)]
        process = nursery.fork(["serve", "--config", str(config_path)], streams)
    running = Running(process, os.fdopen(leash, "wb"), os.fdopen(output, "rb"))
    try:
        return running, _wait_ready(running.output, home / "log")
    except BaseException:
        running.stop()
        raise


@functools.cache
def _nursery(module: str, python: str) -> Nursery:
    """Importing an emulator costs many times the CPU of starting one, and tests start hundreds."""
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "PYTHONPATH": path}
    nursery = Nursery(f"{module}.__main__", directory=_ROOT, environment=environment, python=python)
    atexit.register(nursery.close)
    return nursery


def _wait_ready(stream: BinaryIO, log: Path) -> dict[str, Any]:
    line = stream.readline() if select.select([stream], [], [], _START_SECONDS)[0] else b""
    if not line:
        raise RuntimeError(f"the testbed did not start: {log.read_text()[-2000:]}")
    ready: dict[str, Any] = json.loads(line)
    return ready
