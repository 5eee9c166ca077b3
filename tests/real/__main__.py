# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`python -m tests.real prepare | wait | migrate | recorded VERSION [HOST PORT]`: see README.md here."""

from __future__ import annotations

import secrets
import sys
import tempfile
import time
from pathlib import Path

import requests

from tests.build_agent import build
from tests.real.clusters import Running, load, save
from tests.real.recorded import replay
from tests.real.scenario import migrate
from tests.testbed.auth import sign
from tests.testbed.certificates import make, private

HOME = Path(__file__).parents[2] / "build" / "real"
_PORTS = {"source": (8529, 8539, 8549), "target": (9529, 9539, 9549)}
_RECORDED_PORTS = {"3.10": 7310, "3.11": 7311, "3.12": 7312}
_START_SECONDS = 300


def prepare(home: Path) -> dict[str, Running]:
    """Secrets, certificates and a description of both clusters below `home`."""
    clusters = {}
    for name, ports in _PORTS.items():
        directory = home / name
        directory.mkdir(parents=True, exist_ok=True)
        ca_path, _keyfile = make(directory)
        private(directory / "jwt.secret", secrets.token_hex(32).encode())
        coordinators = [f"https://localhost:{port}" for port in ports]
        clusters[name] = Running(coordinators, str(ca_path), directory / "jwt.secret", secrets.token_hex(16))
    save(home / "clusters.json", clusters)
    return clusters


def wait(clusters: dict[str, Running]) -> None:
    """Until every coordinator answers; sets the password of root."""
    deadline = time.monotonic() + _START_SECONDS
    for cluster in clusters.values():
        token = sign(cluster.jwt_secret_path.read_bytes().strip(), {"iss": "arangodb", "server_id": "setup"})
        with requests.Session() as session:
            session.trust_env = False
            session.verify, session.headers["authorization"] = str(cluster.ca_path), f"bearer {token}"
            for url in cluster.coordinators:
                while not _answers(session, url):
                    if time.monotonic() > deadline:
                        raise SystemExit(f"{url} does not answer")
                    time.sleep(1)
            body = {"passwd": cluster.root_password, "active": True}
            session.patch(f"{cluster.coordinators[0]}/_api/user/root", json=body, timeout=60).raise_for_status()


def _answers(session: requests.Session, url: str) -> bool:
    try:
        return session.get(f"{url}/_api/collection", timeout=10).ok
    except requests.RequestException:
        return False


def main(arguments: list[str]) -> int:
    """0 when all is well, 1 with differences, 2 for wrong use."""
    command = arguments[0] if arguments else ""
    if command == "prepare":
        prepare(HOME)
    elif command == "wait":
        wait(load(HOME / "clusters.json"))
    elif command == "migrate":
        with tempfile.TemporaryDirectory() as home:
            archive = build(Path(home) / "cutover-agent.pyz")
            differences = migrate(Path(home), archive, load(HOME / "clusters.json"))
        print(*(differences or ["no difference"]), sep="\n")
        return int(bool(differences))
    elif command == "recorded" and len(arguments) > 1:
        version = arguments[1]
        host, port = (
            (arguments[2], int(arguments[3])) if len(arguments) > 3 else ("localhost", _RECORDED_PORTS[version])
        )
        report = replay(version, host, port)
        print(report.text(version))
        return int(bool(report.unequal))
    else:
        print(__doc__)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
