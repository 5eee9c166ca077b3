# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`python -m tests.testbed serve`: one emulated cluster in this process; `readings` prints the readings of facts §12.

Prints one JSON line when every listener is open and serves until SIGTERM, or until standard input ends (so that it
never outlives the process which started it). What it is comes from `--config FILE`, a JSON object (name, version,
flavour, coordinators, dbservers, root_password, jwt_secret_path, tls_keyfile, control_token, options), or from the
other flags, which win over the file.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from tests.testbed import command_line, readings
from tests.testbed.cluster import Cluster
from tests.testbed.model import Deployment
from tests.testbed.options import Options

_PR_SET_PDEATHSIG = 1


def _deployment(config: dict[str, Any]) -> Deployment:
    secret = Path(config["jwt_secret_path"]).read_bytes().strip(b" \t\r\n")
    return Deployment(
        config["name"],
        version=config["version"],
        flavour=config["flavour"],
        coordinators=config["coordinators"],
        dbservers=config["dbservers"],
        root_password=config["root_password"],
        secret=secret,
        options=Options.parse(config.get("options", {})),
    )


def _ready(cluster: Cluster, config: dict[str, Any]) -> str:
    deployment = cluster.deployment
    return json.dumps(
        {
            "coordinators": [server.url for server in cluster.front],
            "dbservers": {server.id: server.url for server in deployment.by_role("dbserver")},
            "control": f"http://127.0.0.1:{cluster.control_port}",
            "id": deployment.id,
            **{name: config[name] for name in command_line.MADE if name in config},
        }
    )


async def _serve(config: dict[str, Any], *, watch_input: bool) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    cluster = Cluster(_deployment(config), Path(config["tls_keyfile"]))
    await cluster.start(config["control_token"])
    if watch_input:
        loop.add_reader(sys.stdin, lambda: None if os.read(sys.stdin.fileno(), 1024) else stop.set())
    print(_ready(cluster, config), flush=True)
    await stop.wait()
    await cluster.stop()


def main() -> None:
    """Parse the command line and serve."""
    parser = command_line.parser()
    arguments = parser.parse_args()
    if arguments.command == "readings":
        print(readings.table(), end="")
        return
    try:
        config = command_line.config(arguments)
        Options.parse(config["options"])
    except (OSError, TypeError, ValueError) as error:
        parser.error(str(error))
    if not arguments.foreground:
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    gc.set_threshold(200_000, 50, 100)  # documents are bytes and strings: nothing in them to collect
    asyncio.run(_serve(config, watch_input=not arguments.foreground))


if __name__ == "__main__":
    main()
