# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The daemon: one engine behind one listener, from the first lock to the last checkpoint."""
from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import signal
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, Optional

from .._core.errors import CutoverError
from .._core.jwt import load_secret
from .._engine.display import status_line
from .api import Api
from .auth import Authenticator
from .certificate import valid_until
from .config import AgentConfig
from .engine_port import MigrationEngine
from .events import EventLog
from .history import History
from .notify import Notifier
from .routes import Application
from .server import AgentServer
from .tls import server_context
from .version import build_info
from .watcher import Watcher
from .webhook import Webhook

LOG = logging.getLogger(__name__)
CLOSE_TIMEOUT = 9.0
STATUS_INTERVAL = 10.0
Check = Callable[[Mapping[str, object]], dict[str, Any]]


@contextlib.contextmanager
def state_directory(directory: Path) -> Iterator[None]:
    """Hold the state directory for this process alone; raises CUT-AGENT-6."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(directory / "agent.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CutoverError("CUT-AGENT-6", f"state_directory {directory}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CutoverError("CUT-AGENT-6", f"state_directory {directory}: another agent is using it") from error
        yield
    finally:
        os.close(handle)


class Service:
    """Runs until told to end. `engine` and `check` are built by the caller, so that tests can give others."""

    def __init__(self, config: AgentConfig, engine: MigrationEngine, check: Check) -> None:
        self._config = config
        self._engine = engine
        self._recovered = threading.Event()
        self._end = threading.Event()
        self._wake = threading.Event()
        self._notifier = Notifier()
        self._reload = threading.Event()
        version = str(build_info()["version"])
        wanted = config.webhook
        self._webhook = (
            None if wanted is None else Webhook(wanted, config.state_directory, time_scale=config.time_scale)
        )
        events, history = EventLog(listener=None if self._webhook is None else self._webhook.put), History()
        max_lag = None if wanted is None else wanted.max_lag
        self._watcher = Watcher(engine.status, events, history, max_lag=max_lag)
        context = self._context()
        until = self._certificate_ends
        api = Api(engine, check, self._recovered.is_set, version, events, history, self._webhook, until)
        application = Application(api, Authenticator(config))
        self._server = AgentServer((config.listen_host, config.port), context, application)
        LOG.info("agent %s listens on https://%s:%d", version, config.listen_host, self._server.port)

    @property
    def port(self) -> int:
        """The port really bound."""
        return self._server.port

    def _context(self) -> ssl.SSLContext:
        context = server_context(self._config.tls_keyfile, self._config.client_ca, bool(self._config.tokens))
        self._certificate_until = valid_until(self._config.tls_keyfile)
        return context

    def _certificate_ends(self) -> Optional[float]:
        return self._certificate_until

    def reload(self, *_signal: object) -> None:
        """Ask for certificates and the webhook's secret to be read again; may be called from a signal handler."""
        self._reload.set()
        self._wake.set()

    def end(self, *_signal: object) -> None:
        """Ask `run` to return; may be called from a signal handler."""
        self._end.set()
        self._wake.set()

    def run(self, on_ready: Callable[[], None]) -> None:
        """Serve, resume what was going on, then wait; on the way out write the last checkpoint."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="listener", daemon=True)
        thread.start()
        try:
            self._engine.recover()
            self._recovered.set()
            if self._webhook is not None:
                self._webhook.start()
            self._watcher.start()
            self._notifier.send(READY="1", STATUS="ready")
            on_ready()
            self._watch()
        finally:
            self._notifier.send(STOPPING="1")
            LOG.info("ending: finishing the batch and writing a checkpoint")
            self._watcher.close()
            if self._webhook is not None:
                self._webhook.close()
            self._server.close()
            self._engine.close(CLOSE_TIMEOUT)
            LOG.info("ended")

    def _watch(self) -> None:
        interval = min(self._notifier.watchdog_interval or STATUS_INTERVAL, STATUS_INTERVAL)
        while not self._end.is_set():
            self._wake.wait(interval)
            self._wake.clear()
            if self._reload.is_set():
                self._reload.clear()
                self._read_again()
            self._notifier.send(WATCHDOG="1", STATUS=status_line(self._engine.status()))

    def _read_again(self) -> None:
        """Use what is in the files now; files that cannot be used change nothing."""
        self._notifier.send(RELOADING="1", MONOTONIC_USEC=str(time.monotonic_ns() // 1000))
        try:
            self._server.use(self._context())
            LOG.info("the certificates were read again")
        except CutoverError as error:
            LOG.error("the old certificates stay in use: %s", error)
        if self._webhook is not None:
            try:
                self._webhook.reload()
                LOG.info("secret and CA of the webhook were read again")
            except CutoverError as error:
                LOG.error("the old secret and CA of the webhook stay in use: %s", error)
        self._notifier.send(READY="1")


def _production_engine(config: AgentConfig) -> tuple[MigrationEngine, Check]:
    from .._engine.engine import Engine, EngineConfig
    from .precheck_run import checker

    engine_config = EngineConfig(
        state_directory=config.state_directory,
        source_jwt_secret_path=config.source_jwt_secret_path,
        allowed_sources=None if config.allowed_sources is None else list(config.allowed_sources),
        allowed_targets=None if config.allowed_targets is None else list(config.allowed_targets),
        time_scale=config.time_scale,
        hostname=socket.gethostname(),
    )
    return Engine(engine_config), checker(config)


def serve(config: AgentConfig, on_ready: Callable[[], None]) -> None:
    """Run an agent in this process until SIGTERM or SIGINT; raises CutoverError when it cannot start."""
    os.umask(0o077)
    load_secret(str(config.source_jwt_secret_path))
    with state_directory(config.state_directory):
        engine, check = _production_engine(config)
        service = Service(config, engine, check)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, service.end)
        signal.signal(signal.SIGHUP, service.reload)
        service.run(on_ready)
