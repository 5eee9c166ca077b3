# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The fenced blocks of pages in Markdown, and the commands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```", re.M | re.S)


def blocks(text: str, kind: str) -> Iterator[str]:
    """The fenced blocks of one kind, without their indentation."""
    for indent, word, block in FENCE.findall(text):
        if word == kind:
            yield "".join(line.removeprefix(indent) for line in block.splitlines(keepends=True))


def typed(text: str) -> Iterator[str]:
    """What stands after a prompt in console blocks; continued lines are one."""
    for block in blocks(text, "console"):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("$ "):
                yield line.removeprefix("$ ")
