# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The pages in Markdown, their fenced blocks, and the commands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```", re.M | re.S)
CODE = re.compile(r"\bCUT-[A-Z]+-\d+\b")
ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "roles/*/*.md", "extensions/**/*.md")
    for path in ROOT.glob(pattern)
    if path.name != "CHANGELOG.md"
)


@dataclass(frozen=True)
class Block:
    """One fenced block; ``head``, its first line, names it on its page."""

    page: str
    kind: str
    text: str

    @property
    def head(self) -> str:
        """The first line, without a remark behind it."""
        return self.text.partition("\n")[0].partition("   #")[0].strip()

    @property
    def name(self) -> tuple[str, str]:
        """What names it among all."""
        return self.page, self.head


def every_block() -> Iterator[Block]:
    """The blocks of all pages."""
    for path in PAGES:
        for indent, kind, text in FENCE.findall(path.read_text(encoding="utf-8")):
            yield Block(str(path.relative_to(ROOT)), kind, _unindented(indent, text))


def _unindented(indent: str, text: str) -> str:
    return "".join(line.removeprefix(indent) for line in text.splitlines(keepends=True))


def blocks(text: str, kind: str) -> Iterator[str]:
    """The fenced blocks of one kind, without their indentation."""
    for indent, word, block in FENCE.findall(text):
        if word == kind:
            yield _unindented(indent, block)


def typed(text: str) -> Iterator[str]:
    """What stands after a prompt in console blocks; continued lines are one."""
    for block in blocks(text, "console"):
        yield from commands(block)


def commands(block: str) -> Iterator[str]:
    """What stands after a prompt in one block."""
    for line in re.sub(r" *\\\n *", " ", block).splitlines():
        if line.startswith("$ "):
            yield line.removeprefix("$ ")


def anchor(heading: str) -> str:
    """Where a link to a heading leads, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def plain(command: str) -> str:
    """A command however it is broken into lines."""
    return " ".join(command.split())


def numberless(line: str) -> str:
    """A line of output without its figures."""
    return re.sub(r"\d[\d,.]*", "0", line)


def shown_below(page: str) -> dict[str, list[str]]:
    """By command of a page the output that is shown below it."""
    found: dict[str, list[str]] = {}
    for block in every_block():
        if block.page == page and block.kind == "console":
            current: list[str] = []
            for line in block.text.splitlines():
                if line.startswith("$ "):
                    current = found.setdefault(line.removeprefix("$ "), [])
                else:
                    current.append(line.strip())
    return found
