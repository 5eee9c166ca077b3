# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`python -m tests.testbed.platform`: one emulated platform in this process.

Prints one JSON line when every listener is open and serves until SIGTERM, or until standard input ends. `--config FILE`
is a JSON object (options, keys, deployments, tls_keyfile, control_token); without it there is a platform with one key
and one deployment. `readings` prints the readings of platform facts §12.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import json
import os
import secrets
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.testbed import certificates, readings
from tests.testbed.platform.options import Options
from tests.testbed.platform.readings import NOT_OBSERVABLE, READINGS
from tests.testbed.platform.server import Platform

_PR_SET_PDEATHSIG = 1


def _parser() -> argparse.ArgumentParser:
    main = argparse.ArgumentParser(prog="python -m tests.testbed.platform", description="an emulated managed platform")
    main.add_argument("command", choices=["serve", "readings"], help="serve, or print the readings")
    add = main.add_argument
    add("--config", type=Path, help="JSON file with everything")
    add("--foreground", action="store_true", help="go on when standard input ends")
    add("--directory", type=Path, help="where certificates are made (default: a temporary one)")
    add("--option", action="append", default=[], metavar="NAME=JSON", help="any option (docs/testbed.md)")
    add("--reading", action="append", default=[], metavar="N=VARIANT", help="choice of what is unconfirmed")
    return main


def _config(arguments: argparse.Namespace) -> dict[str, Any]:
    """The configuration; makes certificates and a token where no file brings them. ValueError for bad options."""
    values: dict[str, Any] = json.loads(arguments.config.read_text()) if arguments.config else {}
    options = dict(values.get("options", {}))
    for word in arguments.option:
        name, _equals, text = word.partition("=")
        options[name] = json.loads(text)
    if arguments.reading:
        options["readings"] = readings.parse_words(arguments.reading)
    Options.parse(options)
    values["options"] = options
    if arguments.directory is not None:
        values["directory"] = str(arguments.directory)
    directory = Path(values.setdefault("directory", tempfile.mkdtemp(prefix="platform-")))
    directory.mkdir(parents=True, exist_ok=True)
    if "tls_keyfile" not in values:
        ca_path, keyfile = certificates.make(directory)
        values |= {"ca_path": str(ca_path), "tls_keyfile": str(keyfile), "control_token": secrets.token_urlsafe(24)}
    return values


def _ready(platform: Platform, config: dict[str, Any]) -> str:
    base = "https://127.0.0.1"
    return json.dumps(
        {
            "api": f"{base}:{platform.api_port}",
            "dashboard": f"{base}:{platform.dashboard_port}",
            "control": f"http://127.0.0.1:{platform.control_port}",
            "keys": [{"id": key.id, "secret": key.secret} for key in platform.world.keys.all.values()],
            "deployments": [one.id for one in platform.world.deployments.values()],
            **{name: config[name] for name in ("ca_path", "control_token") if "ca_path" in config},
        }
    )


async def _serve(config: dict[str, Any], *, watch_input: bool) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    platform = Platform(config, Path(config["directory"]))
    await platform.start(Path(config["tls_keyfile"]))
    if watch_input:
        loop.add_reader(sys.stdin, lambda: None if os.read(sys.stdin.fileno(), 1024) else stop.set())
    print(_ready(platform, config), flush=True)
    await stop.wait()
    await platform.stop()


def main() -> None:
    """Parse the command line and serve."""
    parser = _parser()
    arguments = parser.parse_args()
    if arguments.command == "readings":
        print(readings.table(READINGS, NOT_OBSERVABLE), end="")
        return
    try:
        config = _config(arguments)
    except (OSError, TypeError, ValueError) as error:
        parser.error(str(error))
    if not arguments.foreground:
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    asyncio.run(_serve(config, watch_input=not arguments.foreground))


if __name__ == "__main__":
    main()
