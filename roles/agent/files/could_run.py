# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What would keep an agent from running on this host: one line each, nothing where it could run.

The role's preflight runs it there, before anything is touched. Arguments: configuration of the agent that may run
already, user, address and port to listen on, path of the source's JWT secret (empty where the role brings it).
"""
from __future__ import annotations

import codecs
import json
import os
import pwd
import socket
import sys

NOBODY = 65534
MOST_SECRET, MOST_READ = 64, 4096


def own_port(config: str) -> int | None:
    """The port that the agent with this configuration holds itself."""
    try:
        with open(config, "rb") as stream:
            return int(json.load(stream)["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def become(user: str) -> bool:
    """Give up root for the user, or for nobody while it does not exist, and say whether it does."""
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        entry = None
    if os.geteuid() == 0:
        if entry is None:
            os.setgroups([])
        else:
            os.initgroups(user, entry.pw_gid)
        os.setgid(entry.pw_gid if entry else NOBODY)
        os.setuid(entry.pw_uid if entry else NOBODY)
    return entry is not None


def listening(host: str, port: int, own: int | None) -> str:
    """Why it could not listen. Of the port that it holds already, only the address is tried."""
    try:
        wanted = 0 if port == own else port
        family, kind, protocol, _name, address = socket.getaddrinfo(host, wanted, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return (
            f"agent_listen_host {host}, agent_port {port}: the agent could not listen there: {error.strerror}. "
            "Find out what uses the port (ss -ltnp) and end it, or choose another port or an address of this host."
        )
    return ""


def reading(user: str, path: str) -> str:
    """Why the user could not read a secret of the source in the file, if one is asked for."""
    if not path:
        return ""
    try:
        with open(path, "rb") as stream:
            secret = stream.read(MOST_READ).strip()
    except OSError as error:
        return (
            f"agent_source_jwt_secret_path {path}: {user} could not read it: {error.strerror}. "
            f"Let the role bring it (agent_source_jwt_secret_source), or put it there and let {user} read it."
        )
    if 0 < len(secret) <= MOST_SECRET and not secret.startswith(b"-----BEGIN"):
        return ""
    return (
        f"agent_source_jwt_secret_path {path}: it must hold what the source's --server.jwt-secret-keyfile holds: "
        f"1 to {MOST_SECRET} bytes, no PEM key."
    )


def main(config: str, user: str, host: str, port: str, secret: str) -> None:
    """Write what was found."""
    own, unread = own_port(config), reading(user, secret)
    codecs.lookup("idna")  # getaddrinfo takes it; afterwards this Python's files may be out of reach
    # What a user who is still to be made may read, the agent itself says at its first start.
    if become(user) and not unread:
        unread = reading(user, secret)
    sys.stdout.write("\n".join(filter(None, (listening(host, int(port), own), unread))))


if __name__ == "__main__":
    main(*sys.argv[1:])
