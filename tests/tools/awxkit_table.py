# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write tests/controller/awxkit.json: what AWX's own client library sends to AWX, read from its source.

``python -m tests.tools.awxkit_table DIRECTORY``, after ``pip install --no-deps --target DIRECTORY awxkit``.
Read and not imported, because nothing else of the project needs that package.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TABLE = Path(__file__).resolve().parents[2] / "tests/controller/awxkit.json"
LIST = re.compile(r"\w+/")
RELATED = re.compile(r"(?:\\w\+|\w+)/\\d\+/(\w+)/")


def addresses(package: Path) -> dict[str, str]:
    """The addresses below the API, by awxkit's names for them."""
    tree = ast.parse((package / "api/resources.py").read_text(encoding="utf-8"))
    return {
        node.targets[0].id.lstrip("_"): node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }  # fmt: skip


def sent(function: ast.FunctionDef) -> set[str]:
    """The fields that a method ``payload`` can fill: its parameters and every name under which it stores a value."""
    found = {argument.arg for argument in function.args.args} - {"self"}
    for node in ast.walk(function):
        if isinstance(node, ast.Tuple):
            found |= {str(one.value) for one in node.elts if isinstance(one, ast.Constant)}
        elif isinstance(node, ast.Call):
            found |= {keyword.arg for keyword in node.keywords if keyword.arg}
        elif isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store):
            slot = node.attr if isinstance(node, ast.Attribute) else node.slice
            found |= {slot} if isinstance(slot, str) else {str(slot.value)} if isinstance(slot, ast.Constant) else set()
    return found


def registered(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names of addresses, and the class that stands for what is there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "register_page":
            where, named = node.args
            for one in ast.walk(where):
                if isinstance(one, ast.Attribute) and isinstance(named, ast.Name):
                    yield one.attr, named.id


def table(package: Path) -> dict[str, Any]:
    """Fields by list of the API, and what belongs to an object."""
    known = addresses(package)
    fields: dict[str, list[str]] = {}
    for path in sorted((package / "api/pages").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        payloads = {
            one.name: sent(method)
            for one in tree.body if isinstance(one, ast.ClassDef)
            for method in one.body if isinstance(method, ast.FunctionDef) and method.name == "payload"
        }  # fmt: skip
        for name, named in registered(tree):
            if LIST.fullmatch(known.get(name, "")) and named in payloads:
                fields[known[name].rstrip("/")] = sorted(payloads[named])
    (version,) = package.parent.glob("awxkit-*.dist-info")
    relations = {found[1] for address in known.values() if (found := RELATED.fullmatch(address))}
    return {"awxkit": version.name.split("-")[1].removesuffix(".dist"), "fields": fields, "related": sorted(relations)}


if __name__ == "__main__":
    TABLE.write_text(json.dumps(table(Path(sys.argv[1]) / "awxkit"), indent=1) + "\n", encoding="utf-8")
