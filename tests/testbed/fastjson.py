# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""JSON looked at without making objects of it: white space taken out, arrays cut up, heads of documents read."""

from __future__ import annotations

from typing import Optional

import msgspec

REFUSED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Head(msgspec.Struct, gc=False):
    """What identifies a document; the other members are only checked for being JSON."""

    key: str = msgspec.field(name="_key")
    revision: str = msgspec.field(name="_rev")
    start: Optional[str] = msgspec.field(name="_from", default=None)
    end: Optional[str] = msgspec.field(name="_to", default=None)


_HEAD = msgspec.json.Decoder(Head)
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])


def heads(lines: bytes) -> list[Head]:
    """The heads of documents, one a line; an error of `REFUSED` for what is not JSON or has none."""
    return _HEAD.decode_lines(lines)


def compact(text: bytes) -> bytes:
    """The same JSON without white space between tokens; an error of `REFUSED` for what is not JSON."""
    return msgspec.json.format(text, indent=-1)


def elements(text: bytes) -> list[bytes]:
    """The texts of an array's elements; an error of `REFUSED` for what is not an array of JSON."""
    return list(map(bytes, _ELEMENTS.decode(compact(text))))
