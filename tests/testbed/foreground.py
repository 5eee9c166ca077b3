# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``python -m tests.testbed.foreground``: an empty source and an empty target for a developer, until Ctrl-C."""

from __future__ import annotations

import shlex
import signal
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

from tests.testbed.launch import Flavour, TestCluster

__all__ = ["describe", "main"]


def describe(cluster: TestCluster) -> str:
    """Endpoints, credentials and lines to try, as text."""
    ca_path, root = shlex.quote(str(cluster.ca_path)), shlex.quote(f"root:{cluster.root_password}")
    curl = f"curl --cacert {ca_path} -u {root} {cluster.coordinators[0]}"
    servers = "\n".join(f"  {name}  {url}" for name, url in cluster.dbservers.items())
    return (
        f"{cluster.name}\n  coordinators  {' '.join(cluster.coordinators)}\n{servers}\n"
        f"  CA            {cluster.ca_path}\n  JWT secret    {cluster.jwt_secret_path}\n"
        f"  user          root, password {cluster.root_password!r}\n"
        f"  {curl}/_api/version\n"
        f'  {curl}/_api/collection -d \'{{"name":"cars","numberOfShards":3}}\'\n'
        f'  {curl}/_api/document/cars -d \'{{"_key":"first","wheels":4}}\'\n'
        f"  {curl}/_admin/cluster/health\n"
    )


def main() -> None:
    """Start both, print how to reach them, wait."""
    with ExitStack() as stack, suppress(KeyboardInterrupt):
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="testbed-")))
        flavours: tuple[tuple[str, Flavour], ...] = (("source", "selfhosted"), ("target", "managed"))
        for name, flavour in flavours:
            cluster = TestCluster.start(directory, name=name, root_password=f"{name}-root", flavour=flavour)
            stack.enter_context(cluster)
            print(describe(cluster), flush=True)
        print("Ctrl-C ends both.", flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
