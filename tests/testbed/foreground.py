# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``python -m tests.testbed.foreground``: an empty source, an empty target and its platform, until Ctrl-C."""

from __future__ import annotations

import shlex
import signal
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

from tests.testbed.launch import Flavour, TestCluster
from tests.testbed.platform.launch import TestPlatform, behind

__all__ = ["describe", "describe_inventory", "describe_platform", "main"]


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
        f"  seq 5000 | sed 's/.*/{{\"number\":&}}/' | "
        f'{curl}"/_api/import?type=documents&collection=cars" --data-binary @-\n'
        f"  {curl}/_admin/cluster/health\n"
    )


def describe_inventory(source: TestCluster, target: TestCluster) -> str:
    """The variables of both clusters as docs/quickstart.md wants them in its inventory, as text."""
    lines = {
        "agent_source_jwt_secret_source": source.jwt_secret_path,
        "source_jwt_secret_path": source.jwt_secret_path,
        "source_endpoints": f"[{', '.join(source.coordinators)}]",
        "source_ca_path": source.ca_path,
        "target_endpoints": f"[{', '.join(target.coordinators)}]",
        "target_ca_path": target.ca_path,
        "target_password": target.root_password,
    }
    return "inventory\n" + "".join(f"    {name}: {value}\n" for name, value in lines.items())


def describe_platform(platform: TestPlatform) -> str:
    """Where the platform is, its key, and lines to try, as text."""
    curl = f"curl --cacert {shlex.quote(str(platform.ca_path))}"
    login = f"{platform.url}/api/iam/v1/apikeys/{platform.key_id}/authenticate"
    ask = f'{curl} -H "Authorization: bearer $TOKEN" {platform.url}'
    order = f"curl -H 'x-testbed-token: {platform.control.token}' {platform.control.url}"
    return (
        f"platform\n  API           {platform.url}\n  CA            {platform.ca_path}\n"
        f"  key           {platform.key_id}, secret {platform.key_secret!r}\n"
        f"  deployment    {platform.deployment} (the target)\n"
        f"  control       {platform.control.url}, token {platform.control.token!r}\n"
        f"  TOKEN=$({curl} -s --data-urlencode secret={platform.key_secret} {login} | cut -d '\"' -f 4)\n"
        f"  {ask}/api/data/v1/deployments/{platform.deployment}\n"
        f"  {ask}/api/data/v1/deploymentcredentials/{platform.deployment}\n"
        f'  {ask}/api/backup/v1/deployment/{platform.deployment}/backup -d \'{{"name":"safety"}}\'\n'
        f'  {order}/fault -d \'{{"kind":"state","state":"paused"}}\'\n'
    )


def main() -> None:
    """Start all three, print how to reach them, wait."""
    # A shell that starts it in the background has it ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as stack, suppress(KeyboardInterrupt):
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="testbed-")))
        flavours: tuple[tuple[str, Flavour], ...] = (("source", "selfhosted"), ("target", "managed"))
        clusters = []
        for name, flavour in flavours:
            cluster = TestCluster.start(directory, name=name, root_password=f"{name}-root", flavour=flavour)
            stack.enter_context(cluster)
            clusters.append(cluster)
            print(describe(cluster), flush=True)
        print(describe_inventory(*clusters), flush=True)
        platform = TestPlatform.start(directory, deployments=[{"name": "target", "cluster": behind(clusters[-1])}])
        print(describe_platform(stack.enter_context(platform)), flush=True)
        print("Ctrl-C ends them.", flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
