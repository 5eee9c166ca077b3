# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The table of all deliberate defects."""

from __future__ import annotations

from tests.mutants.asking import ASKING
from tests.mutants.choosing import CHOOSING
from tests.mutants.controlling import CONTROLLING
from tests.mutants.cutting import CUTTING
from tests.mutants.guarding import GUARDING
from tests.mutants.keeping import KEEPING
from tests.mutants.moving import MOVING
from tests.mutants.mutant import Mutant
from tests.mutants.opening import OPENING
from tests.mutants.posting import POSTING
from tests.mutants.reading import READING
from tests.mutants.sharing import SHARING
from tests.mutants.verifying import VERIFYING
from tests.mutants.writing import WRITING
from tests.mutants.yielding import YIELDING

ALL: tuple[Mutant, ...] = (
    *READING, *WRITING, *KEEPING, *CUTTING, *GUARDING, *OPENING, *VERIFYING, *MOVING, *CHOOSING, *YIELDING,
    *ASKING, *POSTING, *CONTROLLING, *SHARING,
)  # fmt: skip
