# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An application that tries to write to the target all the time: it must not succeed before the decision to open."""

from __future__ import annotations

import json
import threading

from arango.exceptions import ArangoServerError
from requests.exceptions import RequestException

from tests.demo.clusters import Clusters
from tests.workload.clients import NotConnectedError
from tests.workload.record import Document, Record
from tests.workload.router import refused
from tests.workload.schema import UserSpec
from tests.workload.shop import SHOP

__all__ = ["Prober"]

EVERY = 0.05  # seconds
COLLECTION = "counters"
DECIDED = ("opening", "completed")
JOURNALS = ("_cutover", "cutover_journal")


class Prober(threading.Thread):
    """`opened_early` says what was found where a write was taken before its time."""

    def __init__(self, clusters: Clusters, record: Record, user: UserSpec) -> None:
        super().__init__(name="prober", daemon=True)
        self._connection = clusters.endpoint("target", user.name, user.password).connect(0)
        self._control = clusters.target.control
        self._record = record
        self._ended = threading.Event()
        self._number = 0
        self.opened_early: list[str] = []
        self.tries = 0
        self.successes = 0

    def run(self) -> None:
        """Try until told to stop."""
        while not self._ended.wait(EVERY):
            self._try()

    def stop(self) -> None:
        """End the thread."""
        self._ended.set()
        if self.is_alive():
            self.join(60)

    def _try(self) -> None:
        self.tries += 1
        self._number += 1
        key = f"probe{self._number}"
        document: Document = {"_key": key, "n": self._number}
        place = (SHOP.name, COLLECTION)
        try:
            answer = self._connection.database(SHOP.name).collection(COLLECTION).insert(document)
        except ArangoServerError as error:
            if not refused(error):
                self._record.lost("target", place, {key: document})
            return
        except NotConnectedError:
            self._connection.move_on()
            return
        except (RequestException, ConnectionAbortedError):
            self._record.lost("target", place, {key: document})
            return
        self.successes += 1
        state = decision(self.journal())
        if state not in DECIDED:
            self.opened_early.append(f"{key} was written while the decision record was {state}")
        self._record.acknowledge("target", place, {key: {**document, "_rev": answer["_rev"]}})

    def journal(self) -> dict[str, tuple[str, bytes]]:
        """The migration's journal on the target, as it is stored."""
        collections = self._control.get("/state/overview")["databases"]["_system"]
        name = next((name for name in JOURNALS if name in collections), None)
        return {} if name is None else self._control.documents("_system", name)


def decision(journal: dict[str, tuple[str, bytes]]) -> str:
    """The state of the decision record in a journal as it is stored."""
    return str(json.loads(journal["decision"][1])["state"]) if "decision" in journal else "none"
