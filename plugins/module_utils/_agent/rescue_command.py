# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`rescue`: give a fenced source back from any host when the agent's host is lost (design §5).

It needs the file that `stop --rescue-file` wrote, the target's credentials, and no agent.
"""
from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from .._core.errors import CutoverError
from .._core.redact import register_secret
from .._engine.files import read_json, write_json
from .._engine.rescue import rescue_from_elsewhere
from .._engine.topology import Credentials
from .references import resolve


def add_rescue(commands: Any) -> argparse.ArgumentParser:
    """The command and its flags."""
    text = "give a fenced source back when the agent's host is lost"
    parser: argparse.ArgumentParser = commands.add_parser("rescue", help=text, description=text, allow_abbrev=False)
    parser.add_argument("--rescue-file", type=Path, required=True, help="the file that stop --rescue-file wrote")
    parser.add_argument("--source.cacert", dest="source_ca_path", help="file with the CA of the source")
    parser.add_argument("--target.endpoint", dest="target_endpoints", action="append", required=True,
                        help="endpoint of the target; may be repeated")  # fmt: skip
    parser.add_argument("--target.cacert", dest="target_ca_path", help="file with the CA of the target")
    parser.add_argument("--target.username", dest="target_username", default="root", help="user on the target")
    parser.add_argument("--target.password", dest="target_password", required=True, help="as file:PATH or env:NAME")
    return parser


def run_rescue(arguments: argparse.Namespace) -> int:
    """Win the record, lift the fence, print what came of it as JSON."""
    ticket = read_ticket(arguments.rescue_file)
    credentials = Credentials(arguments.target_username, resolve("--target.password", arguments.target_password))
    outcome = rescue_from_elsewhere(
        ticket, arguments.source_ca_path, arguments.target_endpoints, arguments.target_ca_path, credentials
    )
    sys.stdout.write(json.dumps(outcome) + "\n")
    return 0


def write_ticket(path: Path, ticket: dict[str, Any]) -> None:
    """Keep what a rescue needs (mode 0600). Raises CUT-DISK-1."""
    register_secret(str(ticket["token"]))
    write_json(path.absolute(), ticket)


def read_ticket(path: Path) -> dict[str, Any]:
    """What ``write_ticket`` wrote. Raises CUT-DISK-2."""
    ticket = read_json(path)
    if not isinstance(ticket, dict) or not {"token", "coordinators"} <= set(ticket):
        raise CutoverError("CUT-DISK-2", f"cannot read {path}: it is not a file that stop --rescue-file wrote")
    register_secret(str(ticket["token"]))
    return ticket
