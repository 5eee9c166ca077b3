# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agent as a process of the built archive, and a client of its API that is not the engine's."""

from __future__ import annotations

import hashlib
import http.client
import json
import secrets
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.testbed.certificates import make
from tests.tools.outside import outside
from tests.tools.ports import free_port

__all__ = ["Agent", "Refused"]

Status = dict[str, Any]
_START_SECONDS = 120.0  # on a machine that has much else to do


class Refused(Exception):  # noqa: N818  (what the API said, with its status)
    """The API answered with an error; ``status`` and ``error`` are its own."""

    def __init__(self, status: int, error: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {json.dumps(error)[:2000]}")
        self.status, self.error = status, error


class Agent:
    """One agent on one state directory; it can be killed and started again."""

    def __init__(self, archive: Path, home: Path, jwt_secret_path: Path, time_scale: float) -> None:
        home.mkdir(parents=True)
        self.ca_path, keyfile = make(home)
        self.token = secrets.token_urlsafe(24)
        self.port = free_port()
        self.endpoint = f"https://127.0.0.1:{self.port}"
        self.config_path = home / "agent.json"
        self._archive, self._log = archive, home / "agent.log"
        self._context = ssl.create_default_context(cafile=str(self.ca_path))
        digest = hashlib.sha256(self.token.encode()).hexdigest()
        config = {
            "listen_host": "127.0.0.1", "port": self.port, "tls_keyfile": str(keyfile),
            "tokens": [{"name": "test", "sha256": digest, "role": "cutover"}],
            "state_directory": str(home / "state"), "source_jwt_secret_path": str(jwt_secret_path),
            "time_scale": time_scale, "log_format": "text",
        }
        (home / "state").mkdir(mode=0o700)
        self.config_path.write_text(json.dumps(config), encoding="utf-8")
        self.config_path.chmod(0o600)
        self._process: subprocess.Popen[bytes] | None = None
        self.timeout = 60.0  # seconds that a request may take
        self.log_path = self._log

    def start(self) -> None:
        """Start the process and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(self._archive), "serve", "--config", str(self.config_path)],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=outside(),
            )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                if self._exchange("GET", "/readyz")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise RuntimeError(f"the agent is not ready: {self.log()}")

    def kill(self) -> None:
        """SIGKILL: no farewell."""
        self._end(signal.SIGKILL)

    def stop(self) -> int | None:
        """SIGTERM, and SIGKILL if that isn't obeyed; the exit status, if it ran."""
        return self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """SIGSTOP: it holds everything and does nothing."""
        self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT: it goes on in the middle of whatever it did."""
        self._running().send_signal(signal.SIGCONT)

    def renew(self) -> None:
        """Certificates of another CA, which the running process reads on SIGHUP; clients trust only these from now."""
        make(self.config_path.parent)
        self._context = ssl.create_default_context(cafile=str(self.ca_path))
        self._running().send_signal(signal.SIGHUP)

    def wait_ended(self, seconds: float) -> int:
        """Until somebody else has ended it; gives its exit code."""
        code = self._running().wait(seconds)
        self._process = None
        return code

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the agent was not started"
        return self._process

    def guard(self) -> subprocess.Popen[bytes]:
        """Its dead man's guard, to be ended by the caller."""
        log = self._log.with_name("guard.log").open("ab")
        with log:
            return subprocess.Popen(
                [sys.executable, str(self._archive), "guard", "--config", str(self.config_path)],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=outside(),
            )

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """One command of the archive, from any host as it were."""
        return subprocess.run(
            [sys.executable, str(self._archive), *arguments], capture_output=True, text=True, check=False, timeout=120,
            env={**outside(), **environment},
        )

    @property
    def state_directory(self) -> Path:
        """Where it keeps what it must not forget."""
        return self.config_path.parent / "state"

    @property
    def pid(self) -> int | None:
        """Its process, while there is one."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def fell(self) -> int | None:
        """How its process ended by itself (a signal as a negative number); None while it runs or was ended."""
        process = self._process
        return None if process is None else process.poll()

    def _end(self, number: signal.Signals) -> int | None:
        process, self._process = self._process, None  # who asks from now on knows that it is meant to end
        if process is None:
            return None
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return process.returncode

    def log(self) -> str:
        """The end of its log."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-6000:] if self._log.exists() else ""

    def _exchange(self, method: str, target: str, body: object | None = None) -> tuple[int, Any]:
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=self.timeout, context=self._context)
        try:
            content = b"" if body is None else json.dumps(body).encode()
            headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
            connection.request(method, target, content, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"null")
        finally:
            connection.close()

    def call(self, method: str, target: str, body: object | None = None) -> Any:
        """A request's answer; raises Refused."""
        status, answer = self._exchange(method, target, body)
        if status >= 400:
            raise Refused(status, answer.get("error", answer))
        return answer

    def status(self) -> Status:
        """The status document."""
        answer: Status = self.call("GET", "/v1/migration")
        return answer

    def shards(self) -> list[dict[str, Any]]:
        """All shards with their states."""
        listed: list[dict[str, Any]] = self.call("GET", "/v1/migration/shards?limit=1000")["shards"]
        return listed

    def wait(
        self, what: str, condition: Callable[[Status], bool], seconds: float, between: float = 0.1
    ) -> Status:
        """Look every ``between`` seconds whether the status document satisfies ``condition``; AssertionError with
        status and log when it does not in time.
        """
        deadline = time.monotonic() + seconds
        while True:
            status = self.status()
            if condition(status):
                return status
            if time.monotonic() > deadline:
                shown = json.dumps(status, indent=1)
                raise AssertionError(f"not within {seconds:.0f} s: {what}\n{shown}\n{self.log()}")
            time.sleep(between)
