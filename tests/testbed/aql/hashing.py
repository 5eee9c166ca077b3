# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`HASH(value)`: equal for equal values, whatever the order of attributes, and only in one version of the server.

The documentation recommends it for telling whether two documents are the same, and warns that the algorithm may change
with a version (the reading is that of checksums, facts §12.11).
"""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING, Any

from tests.testbed.aql.values import Stored, group_key

if TYPE_CHECKING:
    from tests.testbed.model import Deployment

_BITS = 53  # the result is a number that JSON clients keep exactly


def seed_of(deployment: Deployment) -> int:
    """What makes the hashes of a deployment its own."""
    version = deployment.version_tuple[:2] if deployment.options.reads(11, "by-version") else (0, 0)
    return deployment.options.checksum_seed + 1000 * version[0] + version[1]


def hash_of(value: Any, seed: int) -> int:
    """The hash of any value; numbers by value."""
    if isinstance(value, Stored):
        return document_hash(value.raw, seed)
    return _text(group_key(value), seed)


@functools.lru_cache(maxsize=100_000)
def document_hash(raw: bytes, seed: int) -> int:
    """The hash of a stored document, remembered by its bytes."""
    return _text(group_key(dict(Stored(raw))), seed)


def _text(text: str, seed: int) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, key=b"%d" % seed).digest()
    return int.from_bytes(digest, "big") >> (64 - _BITS)
