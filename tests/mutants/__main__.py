# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Break each rule of the engine on purpose, in a copy, and see its test fail: `python -m tests.mutants [word]`.

Prints one line per defect; the exit status is the number of defects that no test noticed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.mutants.defects import DEFECTS, Defect

_ROOT = Path(__file__).resolve().parent.parent.parent
_SECONDS = 180


def main(words: list[str]) -> int:
    """Try all defects whose name holds one of the words (all without words)."""
    chosen = [defect for defect in DEFECTS if not words or any(word in defect.name for word in words)]
    survivors = 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as directory:
        root = Path(directory) / "arangodb"
        root.mkdir()
        for name in ("plugins", "tests"):
            shutil.copytree(_ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(_ROOT / "pyproject.toml", root)
        for defect in chosen:
            caught = _try(root, defect)
            survivors += not caught
            print(f"{'caught' if caught else 'MISSED'}  {defect.name}  ({defect.test})", flush=True)
    print(f"{len(chosen) - survivors} of {len(chosen)} defects were caught")
    return survivors


def _try(root: Path, defect: Defect) -> bool:
    path = root / "plugins" / "module_utils" / defect.file
    original = path.read_text()
    if original.count(defect.before) != 1:
        raise SystemExit(f"{defect.name}: its place in {defect.file} is not found exactly once")
    path.write_text(original.replace(defect.before, defect.after))
    try:
        return _fails(root, defect.test)
    finally:
        path.write_text(original)


def _fails(root: Path, test: str) -> bool:
    """True when the test fails: 1 is pytest's word for it, anything else is a mistake in the list."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": ""}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--timeout", "60", "-p", "no:cacheprovider", test]
    try:
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return True
    if done.returncode not in (0, 1):
        raise SystemExit(f"{test}: pytest ended with {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.returncode == 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
