# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keeps the byte code of what is imported from archives, by its source: Python itself keeps it for files only.

Every task of a playbook is an archive of its own with the same forty modules of Ansible, and every start of the agent
compiles a hundred. ``tests.tools.outside`` puts this into the environment of programs that tests start.
"""

from __future__ import annotations

import contextlib
import importlib.util
import marshal
import os
import zipimport
from types import CodeType

_KEPT = os.path.join(__file__.rpartition("/tests/tools/")[0], "build", "zipcode")
_compile = zipimport._compile_source


def _compiled(path: str, source: bytes) -> CodeType:
    kept = os.path.join(_KEPT, importlib.util.source_hash(source).hex())
    try:
        with open(kept, "rb") as stream:
            found: CodeType = marshal.load(stream)
            return found
    except OSError:
        code: CodeType = _compile(path, source)
    with contextlib.suppress(OSError):
        os.makedirs(_KEPT, exist_ok=True)
        own = f"{kept}.{os.getpid()}"
        with open(own, "wb") as stream:
            marshal.dump(code, stream)
        os.replace(own, kept)
    return code


zipimport._compile_source = _compiled
