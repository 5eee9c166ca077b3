# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The form of one entry of the error catalogue."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One error code: what it means and what a human can do about it.

    ``severity`` is ``info``, ``warning`` or ``error``; ``kind`` is ``transient`` (passes by itself), ``operator``
    (someone must change something) or ``fatal`` (this request can never succeed as it is).
    """

    severity: str
    kind: str
    title: str
    remedy: str
