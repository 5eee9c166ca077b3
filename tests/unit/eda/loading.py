# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plugins of event-driven Ansible, which are no part of the collection's packages."""

from __future__ import annotations

import importlib.util
from types import ModuleType

from tests.controller.data import ROOT

__all__ = ["plugin"]


def plugin(kind: str, name: str) -> ModuleType:
    """A new module of ``extensions/eda/plugins``, loaded by its path as ansible-rulebook does."""
    path = ROOT / f"extensions/eda/plugins/{kind}/{name}.py"
    spec = importlib.util.spec_from_file_location(f"{kind}_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
