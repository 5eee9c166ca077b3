# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prepare the home directory that ``ansible-test sanity`` sees.

``ansible-test`` clears the environment and wants to download pip's bootstrap script from a host of its own. It takes a
script from its cache instead, so this writes a small one there, with the pip wheel (fetched by pip from wherever this
machine's pip is configured to look) beside it, and a pip configuration that carries over what the environment says.

usage: sanity_home.py HOME
"""

from __future__ import annotations

import ast
import configparser
import subprocess
import sys
from pathlib import Path

BOOTSTRAP = '''"""Installs the pip wheel that lies beside this file."""
import glob, os, sys
wheel = glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "pip-{version}-*.whl"))[0]
arguments = [a for a in sys.argv[1:] if a not in ("--no-setuptools", "--no-wheel")]
sys.path.insert(0, wheel)
from pip._internal.cli.main import main
sys.exit(main(["install", "--upgrade", "--no-index", "--find-links", os.path.dirname(wheel)] + arguments))
'''
CARRIED = ("cert", "client-cert", "index-url", "proxy", "timeout", "trusted-host")


def wanted_pip() -> str:
    """The pip version that the installed ansible-test bootstraps its virtual environments with."""
    import ansible_test

    source = Path(ansible_test.__file__).parent / "_internal" / "python_requirements.py"
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "pip" and isinstance(node.value, ast.Constant):
            return str(node.value.value)
    raise SystemExit(f"{source}: no pip version found: teach {Path(__file__).name} this ansible-core")


def write_bootstrap(home: Path, version: str) -> None:
    """Fill ansible-test's cache below ``home`` with the stand-in for ``version``."""
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    if not list(cache.glob(f"pip-{version}-*.whl")):
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(cache), f"pip=={version}"]
        subprocess.run(command, check=True)
    name = f"get_pip_{version.replace('.', '_')}.py"
    (cache / name).write_text(BOOTSTRAP.format(version=version), encoding="utf-8")


def write_pip_settings(home: Path) -> None:
    """Write the pip settings in force here into the configuration file below ``home``."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    settings = configparser.ConfigParser(interpolation=None)
    settings["global"] = {"disable-pip-version-check": "1"}
    for line in listed.stdout.splitlines():
        name, _sep, value = line.partition("=")
        option = name.rpartition(".")[2]
        if option in CARRIED:
            settings["global"][option] = ast.literal_eval(value)
    target = home / ".config" / "pip" / "pip.conf"
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf-8") as stream:
        settings.write(stream)


def main() -> None:
    """Prepare the directory named on the command line."""
    home = Path(sys.argv[1])
    write_bootstrap(home, wanted_pip())
    write_pip_settings(home)


if __name__ == "__main__":
    main()
