# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Versions and readings of each end-to-end run: the first four runs meet every variant that the engine can meet.

`tests/testbed/readings.py` says what is unconfirmed. Run number n takes of the j-th question the variant n + j, round
and round: two runs that follow each other differ in everything, and questions do not all change together.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.testbed.options import parse_version
from tests.testbed.readings import READINGS, Reading

__all__ = ["ENOUGH", "LEFT_OUT", "QUESTIONS", "VERSIONS", "Variants", "drawn", "planned", "table", "variants_of"]

ENOUGH = 4
VERSIONS = (
    ("3.11.14", "3.11.14"), ("3.10.14", "3.12.10"), ("3.12.10", "4.0.0"), ("4.0.0", "4.0.0"), ("3.11.14", "3.12.10"),
)
LEFT_OUT = {
    "no-users": "the start is refused, with its remedy: test_readings.py",
    "1004": "only where a target is read-only for a while: test_readings.py has it both ways",
    "11": "only where a target is read-only for a while: test_readings.py has it both ways",
    "license-1004": "only where its license made a target read-only: test_readings.py has it both ways",
    "license-11": "only where its license made a target read-only: test_readings.py has it both ways",
}
BLOCKED = "no-mode+no-health+no-metrics"  # all that a managed front-end can block and leave a migration possible


def variants_of(reading: Reading) -> tuple[str, ...]:
    """The variants that an end-to-end test can meet, as the testbed's option spells them."""
    if "no-mode" in reading.variants:
        return ("open", BLOCKED)
    return tuple(name for name in reading.variants if name not in LEFT_OUT)


QUESTIONS = tuple(reading for reading in READINGS if variants_of(reading))


def applies(variant: str, versions: tuple[str, str]) -> bool:
    """Whether a variant shows with these versions of source and target."""
    source, target = (parse_version(version) for version in versions)
    if variant in ("community-dump", "no-community-dump"):
        return source < (3, 12, 5)
    if variant in ("auth-required", "auth-optional"):
        return source < (3, 12, 0)
    if variant in ("ignored", "refused"):
        return target >= (4, 0, 0)
    if variant in ("equal", "by-version"):
        return source[:2] != target[:2]
    return True


@dataclass(frozen=True)
class Variants:
    """What one run has; `chosen` = the variant of each question, in the order of QUESTIONS."""

    versions: tuple[str, str]
    chosen: tuple[str, ...] = field(repr=False)

    @property
    def blocked(self) -> bool:
        """Whether the target's front-end hides what the prechecks measure."""
        return BLOCKED in self.chosen

    def option(self) -> dict[str, str]:
        """The testbed's option `readings`."""
        values: dict[str, str] = {}
        for reading, variant in zip(QUESTIONS, self.chosen, strict=True):
            number = str(reading.number)
            values[number] = "+".join(filter(None, [values.get(number, ""), variant]))
        return values

    def shown(self) -> Iterator[tuple[int, str]]:
        """Numbers and variants that show with these versions."""
        for reading, variant in zip(QUESTIONS, self.chosen, strict=True):
            if applies(variant, self.versions):
                yield reading.number, variant


def planned(number: int) -> Variants:
    """The variants of run `number`."""
    chosen = [variants_of(reading)[(number + j) % len(variants_of(reading))] for j, reading in enumerate(QUESTIONS)]
    return Variants(VERSIONS[number % len(VERSIONS)], tuple(chosen))


def drawn(draw: random.Random) -> Variants:
    """Any versions and variants."""
    return Variants(draw.choice(VERSIONS), tuple(draw.choice(variants_of(reading)) for reading in QUESTIONS))


def table(runs: Iterable[Variants]) -> str:
    """How often each variant was met."""
    met = Counter(one for run in runs for one in run.shown())
    lines = ["readings of what is unconfirmed, and in how many runs each variant showed:"]
    for reading in QUESTIONS:
        counts = (f"{variant} {met[reading.number, variant]}" for variant in variants_of(reading))
        lines.append(f"  {reading.number:>2}  {' · '.join(counts)}  ({reading.question})")
    return "\n".join([*lines, *(f"  --  {variant}: {reason}" for variant, reason in LEFT_OUT.items())])
