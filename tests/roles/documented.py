# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the modules' documentation promises: examples as tasks, and how a result differs from RETURN."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

MODULES = Path(__file__).resolve().parents[2] / "plugins/modules"
# What Ansible itself adds to a result, or documents for all modules.
COMMON = {"changed", "failed", "msg", "diff", "invocation", "warnings", "deprecations", "exception"}

# Their keys are those of one check, one error, one cluster or one object: the sample shows one of many.
ONE_OF_MANY = (".measured", ".details", ".servers", ".before", ".after")


def module_names() -> list[str]:
    """Every module of the collection."""
    return sorted(path.stem for path in MODULES.glob("*.py"))


def part_of(module: str, part: str) -> Any:
    """DOCUMENTATION, EXAMPLES or RETURN of a module, parsed; raises StopIteration when it has none."""
    tree = ast.parse((MODULES / f"{module}.py").read_text())
    texts = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == part
    )
    return yaml.safe_load(next(texts))


def differences(module: str, result: Mapping[str, Any], *, asked: tuple[str, ...] = (), deep: bool = True) -> list[str]:
    """How a result differs from RETURN; ``asked`` names what is returned on request, ``deep`` looks into samples."""
    documented = part_of(module, "RETURN")
    outcome = "failure" if result.get("failed") else "success"
    wanted = {
        name: entry
        for name, entry in documented.items()
        if entry["returned"].startswith((outcome, "always")) or name in asked
    }
    found = {name for name in result if not name.startswith("_ansible")} - COMMON
    lines = [f"{module}: {name} is returned, not documented for this outcome" for name in sorted(found - set(wanted))]
    return lines + list(_missing(module, wanted, result, deep))


def _missing(path: str, documented: Mapping[str, Any], result: Mapping[str, Any], deep: bool) -> Iterator[str]:
    for name, entry in documented.items():
        where = f"{path}.{name}"
        if name not in result:
            yield f"{where} is documented, not returned"
        elif deep:
            yield from _sample_missing(where, entry, result[name])


def _sample_missing(path: str, entry: Mapping[str, Any], value: Any) -> Iterator[str]:
    sample = entry.get("sample")
    if isinstance(value, list) and value:
        value, sample = value[0], (sample or [None])[0]
    if not isinstance(value, dict) or path.endswith(ONE_OF_MANY):
        return
    yield from _missing(path, entry.get("contains", {}), value, True)
    for name in sample if isinstance(sample, dict) else ():
        if name not in value:
            yield f"{path}.{name} is in the sample, not returned"
