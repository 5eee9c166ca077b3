# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Error codes of the automation controller (AWX, Ansible Automation Platform)."""

from __future__ import annotations

from .catalogue_entry import Entry

CODES: dict[str, Entry] = {
    "CUT-CONTROLLER-1": Entry(
        "error", "operator", "Nothing at this address is the controller's API",
        "Correct controller_endpoint and controller_api_path: /api/v2 with AWX and up to version 2.4 of Ansible "
        "Automation Platform, /api/controller/v2 from 2.5 on.",
    ),
    "CUT-CONTROLLER-2": Entry(
        "error", "operator", "The controller does not take the token, or its user lacks a permission",
        "Make a token with the scope write for a user who may administer the organization; making types of credentials "
        "and execution environments needs a system administrator.",
    ),
    "CUT-CONTROLLER-3": Entry(
        "error", "operator", "The controller refused an object",
        "Read what it said of each field and correct the description of the object.",
    ),
    "CUT-CONTROLLER-4": Entry(
        "error", "operator", "An object that is referred to does not exist on the controller, or more than one does",
        "Describe it in front of the object that refers to it, make it on the controller, or correct the name.",
    ),
    "CUT-CONTROLLER-5": Entry(
        "error", "operator", "The controller could not fetch the project",
        "Read the project's last update on the controller; correct its address, branch or credential.",
    ),
    "CUT-CONTROLLER-6": Entry(
        "error", "transient", "The controller failed, or did not finish in time", "Run the same again later."
    ),
}  # fmt: skip
