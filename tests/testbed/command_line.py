# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The command line of `python -m tests.testbed`, and the configuration that it describes."""

from __future__ import annotations

import argparse
import json
import secrets
import tempfile
from pathlib import Path
from typing import Any

from tests.testbed import certificates, readings

MADE = ("ca_path", "jwt_secret_path", "control_token")  # shown in the ready line of a cluster started by flags
_DEFAULTS: dict[str, Any] = {
    "name": "testbed",
    "version": "3.11.14",
    "flavour": "selfhosted",
    "coordinators": 2,
    "dbservers": 3,
    "root_password": "",
}


def parser() -> argparse.ArgumentParser:
    """Flags; those which are not given leave the configuration file's values, or the defaults."""
    main = argparse.ArgumentParser(prog="python -m tests.testbed", description="an emulated ArangoDB cluster")
    main.add_argument("command", choices=["serve", "readings"], help="serve a cluster, or print the readings")
    add = main.add_argument
    add("--config", type=Path, help="JSON file with everything")
    add("--foreground", action="store_true", help="go on when standard input ends")
    add("--directory", type=Path, help="where certificates and the JWT secret are made (default: a temporary one)")
    add("--name", help="name of the deployment, from which its ids come")
    add("--version", help="3.10.14, 3.11.14, 3.12.10, 4.0, …")
    add("--flavour", choices=["selfhosted", "managed", "single"])
    add("--coordinators", type=int)
    add("--dbservers", type=int)
    add("--root-password")
    add("--time-scale", type=float, help="0.1: everything that takes time is ten times faster")
    add("--license", choices=["enterprise", "community"])
    add("--harden", action="store_true", default=None, help="as --server.harden true")
    add("--api-jwt-policy", choices=["jwt-compat", "jwt-write", "jwt-all"], help="as --cluster.api-jwt-policy")
    add("--options-api", choices=["disabled", "jwt", "admin", "public"], help="as --server.options-api")
    add("--kind", action="store_false", dest="nasty", default=None, help="not nastier than the facts")
    add("--option", action="append", default=[], metavar="NAME=JSON", help="any other option (docs/testbed.md)")
    add("--reading", action="append", default=[], metavar="N=VARIANT", help="choice of what is unconfirmed")
    return main


def config(arguments: argparse.Namespace) -> dict[str, Any]:
    """The configuration of a cluster; makes certificates and secrets where no file brings them."""
    values: dict[str, Any] = dict(_DEFAULTS)
    if arguments.config is not None:
        values |= json.loads(arguments.config.read_text())
    for name in _DEFAULTS:
        if getattr(arguments, name) is not None:
            values[name] = getattr(arguments, name)
    values["options"] = dict(values.get("options", {})) | _options(arguments)
    if "tls_keyfile" not in values:
        directory = arguments.directory or Path(tempfile.mkdtemp(prefix="testbed-"))
        directory.mkdir(parents=True, exist_ok=True)
        values |= _made(directory)
    return values


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    named = ("time_scale", "license", "harden", "api_jwt_policy", "options_api", "nasty")
    options = {name: getattr(arguments, name) for name in named if getattr(arguments, name) is not None}
    for word in arguments.option:
        name, _equals, text = word.partition("=")
        options[name] = json.loads(text)
    if arguments.reading:
        options["readings"] = readings.parse_words(arguments.reading)
    return options


def _made(directory: Path) -> dict[str, str]:
    ca_path, keyfile = certificates.make(directory)
    secret = directory / "jwt.secret"
    certificates.private(secret, secrets.token_hex(32).encode())
    made = {"tls_keyfile": keyfile, "ca_path": ca_path, "jwt_secret_path": secret}
    return {**{name: str(path) for name, path in made.items()}, "control_token": secrets.token_urlsafe(24)}
