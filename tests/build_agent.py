# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``python -m tests.build_agent PATH``: the agent's archive out of this checkout."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.tree import import_paths

ROOT = Path(__file__).resolve().parent.parent

__all__ = ["build"]


def build(path: Path) -> Path:
    """Write the archive to ``path`` and return that."""
    import_paths(ROOT)
    from ansible_collections.cutover.arangodb.plugins.module_utils._module.archive import build_archive, write_archive

    path.parent.mkdir(parents=True, exist_ok=True)
    write_archive(path, build_archive(ROOT))
    return path


if __name__ == "__main__":
    print(build(Path(sys.argv[1])))
