# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who may import whom (design §2), and what never stands in the sources."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULE_UTILS = ROOT / "plugins" / "module_utils"
COLLECTION = "ansible_collections.cutover.arangodb"
LAYERS = {
    "_core": {"_core"},
    "_engine": {"_core", "_engine"},
    "_agent": {"_core", "_engine", "_agent"},
    "_module": {"_core", "_engine", "_module"},
    "_platform": {"_core", "_platform"},
    "_controller": {"_core", "_controller"},
}
PLAIN = ("_core", "_engine", "_agent")
# Spelled in pieces, so that this file does not hold what it forbids.
FORBIDDEN = ("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error")
PLACES = ("/wo" + "rk/", "/tmp/" + "brief", "py" + "pi.org", "python" + "hosted")
FORBIDDEN_TEXT = re.compile("|".join([*(rf"\b{word}\b" for word in FORBIDDEN), *map(re.escape, PLACES)]))
TEXT_SUFFIXES = {".py", ".sh", ".yml", ".yaml", ".md", ".j2", ".toml", ".lock", ".json", ".html", ""}


def tracked_files() -> list[Path]:
    """All files of the working tree that git tracks or would track."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


def sources(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*.py") if path.name != "__init__.py")


def imports(path: Path) -> Iterator[tuple[int, str, int]]:
    """Yield (line, absolute module name, level) of each import; relative ones are resolved below module_utils."""
    package = path.relative_to(MODULE_UTILS.parent).with_suffix("").parts[:-1] if MODULE_UTILS in path.parents else ()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, 0
        elif isinstance(node, ast.ImportFrom):
            if node.level == 0:
                yield node.lineno, node.module or "", 0
                continue
            base = package[: len(package) - (node.level - 1)]
            for alias in node.names:
                tail = (node.module,) if node.module else (alias.name,)
                yield node.lineno, ".".join([*base, *tail]), node.level


def layer_violations(path: Path, layer: str) -> list[str]:
    """What in ``path``, a file of ``layer``, imports something that its layer may not see."""
    found = []
    for line, module, level in imports(path):
        where = f"{path.relative_to(ROOT)}:{line}: imports {module}"
        parts = module.split(".")
        if level or module.startswith(COLLECTION):
            inner = parts[parts.index("module_utils") + 1] if "module_utils" in parts[:-1] else ""
            if inner not in LAYERS[layer]:
                found.append(f"{where}: layer {layer} may see only {sorted(LAYERS[layer])}")
        if layer in PLAIN and level == 0 and parts[0] not in sys.stdlib_module_names:
            found.append(f"{where}: only the standard library and relative imports here")
    return found


@pytest.mark.parametrize("layer", sorted(LAYERS))
def test_imports_go_one_way(layer: str) -> None:
    violations = [line for path in sources(MODULE_UTILS / layer) for line in layer_violations(path, layer)]
    assert violations == []


def test_a_wrong_import_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module_utils = tmp_path / "plugins" / "module_utils"
    (module_utils / "_core").mkdir(parents=True)
    wrong = module_utils / "_core" / "wrong.py"
    foreign = ["import requests", "from .._engine import engine", "from ..._x import y"]
    wrong.write_text("\n".join([*foreign, "from . import fine", "import ssl"]))
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    monkeypatch.setattr(f"{__name__}.MODULE_UTILS", module_utils)
    assert len(layer_violations(wrong, "_core")) == 3


def test_only_module_package_and_plugins_know_ansible() -> None:
    for layer in PLAIN:
        for path in sources(MODULE_UTILS / layer):
            names = {module.split(".")[0] for _line, module, level in imports(path) if level == 0}
            assert "ansible" not in names, path


def test_testbed_and_plugins_are_two_readings() -> None:
    """The emulator shares no code with the engine, in either direction (design §11)."""
    for path in sources(ROOT / "plugins"):
        assert not [module for _line, module, _level in imports(path) if module.split(".")[0] == "tests"], path
    for directory in ("testbed", "demo", "workload", "compare"):
        for path in sources(ROOT / "tests" / directory):
            assert not [module for _line, module, _level in imports(path) if module.startswith(COLLECTION)], path


def test_plugins_neither_print_nor_exit_nor_start_processes() -> None:
    found = []
    for path in sources(ROOT / "plugins"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if called in ("print", "sys.exit", "exit") or isinstance(node, ast.Assert) or "subprocess" in names:
                found.append(f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}")
    assert found == []


def test_engine_sources_start_with_their_licence_and_postponed_annotations() -> None:
    for path in sources(ROOT / "plugins") + sources(ROOT / "tests"):
        text = path.read_text(encoding="utf-8")
        head = text.splitlines()[:4]
        assert any("GNU General Public License v3.0 or later" in line for line in head), path
        assert "from __future__ import annotations" in text or path.name == "__init__.py", path


def test_no_unfinished_work_or_foreign_paths_in_the_sources() -> None:
    found = []
    for path in tracked_files():
        if path.suffix not in TEXT_SUFFIXES or path == Path(__file__).resolve():
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if FORBIDDEN_TEXT.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert found == []
