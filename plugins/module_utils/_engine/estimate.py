# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long a cutover will keep the source closed for writes: a band, step by step (design §5, step 2).

A step that a rehearsal or an earlier attempt has measured counts with its own time; the others by what they depend on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Optional

# Low, mid, high in seconds. Switching the mode, the server sleeps about 2 s; heartbeats spread it (facts §2.3).
_SWITCH = (2.0, 3.5, 5.0)
_CANCEL = (0.05, 0.1, 1.0)
_DEFINITIONS = (0.05, 0.1, 0.5)
_PER_COLLECTION = (0.0005, 0.001, 0.005)
_DRAIN = (0.05, 0.2, 1.0)
# The definitions are read once more.
_OPEN = (0.1, 0.3, 1.0)
# The keys that were written last are read back, and everything is counted; checksums come on top.
_PROOF = (0.1, 0.3, 1.0)
# Documents of which both sides compute a checksum in a second, at best and at worst.
_PROOF_RATES = (500_000.0, 150_000.0, 50_000.0)
_MEASURED = (0.7, 1.0, 1.5)
STEPS = ("fence", "cancel writers", "definitions", "drain", "proof", "open")
Band = tuple[float, float, float]


def _band(measured: Optional[float], otherwise: Band) -> Band:
    if measured is None:
        return otherwise
    low, mid, high = _MEASURED
    return measured * low, measured * mid, measured * high


def _with_collections(fixed: Sequence[float], collections: int) -> Band:
    """Fixed times, and what each collection adds to them."""
    low, mid, high = (base + each * collections for base, each in zip(fixed, _PER_COLLECTION))
    return low, mid, high


def parts(
    *,
    documents: int,
    collections: int,
    checksum_seconds: float,
    lag_seconds: Optional[float],
    measured: Mapping[str, float],
    time_scale: float,
) -> dict[str, Band]:
    """Low, mid and high seconds of each step. The lag is drained whatever a rehearsal has measured at its own time."""
    proof = tuple(base + min(checksum_seconds, documents / rate) for base, rate in zip(_PROOF, _PROOF_RATES))
    otherwise: dict[str, Band] = {
        "fence": (_SWITCH[0] * time_scale, _SWITCH[1] * time_scale, _SWITCH[2] * time_scale),
        "cancel writers": _CANCEL,
        "definitions": _with_collections(_DEFINITIONS, collections),
        "drain": _DRAIN,
        "proof": _with_collections(proof, collections),
        "open": _with_collections(_OPEN, collections),
    }
    found = {name: _band(measured.get(name), otherwise[name]) for name in STEPS}
    lag = lag_seconds or 0.0
    low, mid, high = found["drain"]
    found["drain"] = (low + lag, mid + lag, high + lag)
    return found


def total(found: Mapping[str, Band]) -> dict[str, float]:
    """``low``, ``mid`` and ``high`` of all steps together."""
    low, mid, high = (round(sum(band[place] for band in found.values()), 1) for place in range(3))
    return {"low": low, "mid": mid, "high": high}
