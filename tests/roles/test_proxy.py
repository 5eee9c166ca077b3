# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documented example: a HAProxy in front of both clusters is switched in the cutover; a client knows only it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core import tls
from ansible_collections.cutover.arangodb.plugins.module_utils._core.arango import Server, basic_auth
from ansible_collections.cutover.arangodb.plugins.module_utils._core.endpoint import parse_endpoint
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._core.http import HttpClient
from tests.integration.engine_case import SOURCE_USERS
from tests.integration.pair import Pair
from tests.roles.conftest import ROOT, Host
from tests.tools.ports import free_port

# Starts many processes one after another; on a busy machine that takes minutes.
pytestmark = pytest.mark.timeout(600)

EXAMPLES = ROOT / "docs/examples"
HAPROXY = shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin")
APP = ("app", SOURCE_USERS["app"])


class Client:
    """Writes through the proxy, each time by a new connection, and notes when a write was acknowledged."""

    def __init__(self, url: str, ca_path: Path) -> None:
        self._url = url
        self._context = tls.client_context(str(ca_path))
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="client", daemon=True)
        self.acknowledged: list[tuple[float, str]] = []

    def __enter__(self) -> Client:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._end.set()
        self._thread.join(60)

    def _run(self) -> None:
        number = 0
        while not self._end.wait(0.02):
            number += 1
            http = HttpClient(
                parse_endpoint(self._url, "proxy"), context=self._context, authorization=basic_auth(*APP), timeout=10
            )
            server = Server(http, "proxy")
            try:
                body = {"_key": f"proxied-{number}", "number": number}
                server.json("POST", "/_api/document/things", database="shop", body=body)
                self.acknowledged.append((time.monotonic(), str(body["_key"])))
            except CutoverError:
                continue
            finally:
                server.close()

    def longest_gap(self) -> float:
        """The longest time without an acknowledged write, in seconds."""
        times = [moment for moment, _key in self.acknowledged]
        return max(later - earlier for earlier, later in zip(times, times[1:], strict=False))


@contextmanager
def proxy(directory: Path, clusters: Pair) -> Iterator[tuple[str, Path, int]]:
    """The example's HAProxy between the clusters: its URL, its configuration, its process."""
    address = f"127.0.0.1:{free_port()}"
    config = directory / "haproxy.cfg"
    text = (EXAMPLES / "haproxy.cfg").read_text().replace("PROXY_ADDRESS", address)
    sides = {"SOURCE_COORDINATOR": clusters.source, "TARGET_ENDPOINT": clusters.target}
    for name, cluster in sides.items():
        text = text.replace(name, cluster.coordinators[0].removeprefix("https://"))
    config.write_text(text)
    with (directory / "haproxy.log").open("ab") as log:
        running = subprocess.Popen([str(HAPROXY), "-W", "-f", str(config)], stdout=log, stderr=log)
    try:
        yield f"https://{address}", config, running.pid
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(30)


def both_authorities(directory: Path, clusters: Pair) -> Path:
    """The certificates of both clusters' authorities in one file."""
    path = directory / "both.pem"
    path.write_text(clusters.source.ca_path.read_text() + clusters.target.ca_path.read_text())
    return path


@pytest.mark.usefixtures("real_agent")
@pytest.mark.skipif(HAPROXY is None, reason="the example is not run: no haproxy here (apt-get install haproxy)")
def test_a_client_that_knows_only_the_proxy_is_moved(real_host: Host, clusters: Pair, tmp_path: Path) -> None:
    switch = str(EXAMPLES / "switch_proxy.yml")
    with proxy(tmp_path, clusters) as (url, config, pid):
        variables = {
            "proxy_host": "localhost", "proxy_config": str(config), "proxy_program": HAPROXY, "proxy_become": False,
            "proxy_reload": f"kill -USR2 {pid}",
            "on_fenced_tasks": switch, "post_open_tasks": switch, "on_rollback_tasks": switch,
        }  # fmt: skip
        started = real_host.play("migrate")
        assert started.code == 0, started.output
        watched = real_host.play("watch")
        assert watched.code == 0, watched.output
        with Client(url, both_authorities(tmp_path, clusters)) as client:
            late = tmp_path / "late.yml"
            late.write_text("- name: Fail\n  ansible.builtin.fail: {msg: no}\n")
            early = real_host.play("cutover", gate_timeout=60, **variables, pre_cutover_tasks=str(late))
            assert early.code != 0
            assert "Choose the backend" in early.output, "on_rollback_tasks were not run"
            undone = real_host.play("cutover", gate_timeout=60, **{**variables, "on_fenced_tasks": str(late)})
            assert undone.code != 0
            assert "default_backend source" in config.read_text()
            done = real_host.play("cutover", gate_timeout=60, max_downtime=120, **variables)
            assert done.code == 0, done.output
            assert "default_backend target" in config.read_text()
            moved = len(client.acknowledged)
            deadline = time.monotonic() + 60
            while len(client.acknowledged) < moved + 20:
                assert time.monotonic() < deadline, "no writes after the cutover"
                time.sleep(0.1)
        again = real_host.play("cutover", **variables)
        assert (again.code, again.changed) == (0, 0), again.output
    print(f"\nwrite downtime seen through the proxy: {client.longest_gap():.1f} s")
    kept = clusters.clients.target.json("POST", "/_api/cursor", database="shop", body={
        "query": "FOR d IN things FILTER d.number != null RETURN d._key", "batchSize": 100000,
    })["result"]  # fmt: skip
    assert {key for _moment, key in client.acknowledged} <= set(kept)
