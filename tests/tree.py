# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The import tree: the repository seen as ``ansible_collections.cutover.arangodb`` without being installed."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

__all__ = ["import_paths", "make_tree"]


def make_tree(root: Path) -> Path:
    """Return ``build/tree`` of the checkout at ``root``, holding a link to it under its collection's name."""
    tree = root / "build" / "tree"
    link = tree / "ansible_collections" / "cutover" / "arangodb"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.exists():
        # Several processes may do this at once: each makes its own link and renames it into place.
        own = link.with_name(f".arangodb-{os.getpid()}")
        own.symlink_to(root, target_is_directory=True)
        own.replace(link)
    return tree


def import_paths(root: Path) -> list[str]:
    """Put the tree and the root first on ``sys.path`` and return both as texts."""
    paths = [str(make_tree(root)), str(root)]
    for path in reversed(paths):
        if path in sys.path:
            sys.path.remove(path)
        sys.path.insert(0, path)
    importlib.invalidate_caches()  # the tree may be younger than the interpreter's view of sys.path
    return paths


if __name__ == "__main__":
    print(make_tree(Path(__file__).resolve().parent.parent))
