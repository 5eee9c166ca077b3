# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Error codes of the managed platform's API."""

from __future__ import annotations

from .catalogue_entry import Entry

CODES: dict[str, Entry] = {
    "CUT-PLATFORM-1": Entry(
        "error", "operator", "Nothing at this address is the platform's API",
        "Correct the address of the platform's API; a page for people (the dashboard) is not it.",
    ),
    "CUT-PLATFORM-2": Entry(
        "error", "operator", "The platform does not take the API key",
        "Make a new API key on the platform, or correct key id and secret; a key can be expired or revoked.",
    ),
    "CUT-PLATFORM-3": Entry(
        "error", "operator", "The API key's owner lacks a permission",
        "Bind the role that holds the named permission to the key's owner on the deployment; reading the root password "
        "needs deployment-content-admin.",
    ),
    "CUT-PLATFORM-4": Entry(
        "error", "operator", "The platform knows no such deployment",
        "Copy the deployment's id from its page on the platform; a key can be limited to one organisation.",
    ),
    "CUT-PLATFORM-6": Entry(
        "error", "operator", "The platform gives no CA certificate of the deployment that can be used",
        "Look at the deployment's CA certificate on the platform. Where you have it as a file, give it by hand: on the "
        "command line by --target.cacert or --target.send-cacert, elsewhere as target_ca_pem beside target_endpoints "
        "and credentials in place of deployment_id.",
    ),
    "CUT-PLATFORM-7": Entry(
        "error", "operator", "The agent migrates into something else than this deployment",
        "Correct the deployment's id or the agent's address: each agent has one migration.",
    ),
    "CUT-PLATFORM-8": Entry(
        "error", "transient", "The platform's API refused or failed",
        "Read what it said; run the same again later.",
    ),
    "CUT-PLATFORM-10": Entry(
        "error", "transient", "The platform's API cannot be reached",
        "Check the address, the proxy (HTTPS_PROXY, NO_PROXY) and the CA file of the platform's API.",
    ),
    "CUT-PLATFORM-11": Entry(
        "error", "operator", "The API key is read-only",
        "Use an API key that may write, or leave out the backup and the resuming of the deployment.",
    ),
    "CUT-PLATFORM-12": Entry(
        "error", "operator", "The deployment is paused",
        "Set resume_deployment to true, or resume it on the platform and try again when it is ready.",
    ),
    "CUT-PLATFORM-13": Entry(
        "error", "operator", "The deployment is deleted", "Choose another deployment, or make a new one."
    ),
    "CUT-PLATFORM-14": Entry(
        "error", "transient", "The deployment is not ready",
        "Wait until the platform shows it as ready, then run the same again.",
    ),
    "CUT-PLATFORM-15": Entry(
        "error", "operator", "The deployment is a single server",
        "Choose a deployment of the model oneshard, sharded or flexible; developer and free ones are no clusters.",
    ),
    "CUT-PLATFORM-16": Entry(
        "error", "operator", "The deployment has no endpoint that can be used",
        "Wait until it is created; one with a private endpoint only is reached from its own network alone.",
    ),
    "CUT-PLATFORM-17": Entry(
        "error", "operator", "The deployment's allowlist does not hold an address",
        "Add the address of the host that pushes data to the deployment's IP allowlist on the platform.",
    ),
    "CUT-PLATFORM-18": Entry(
        "error", "operator", "The deployment's CA certificate has expired",
        "Rotate the CA certificate on the platform, wait until the deployment is ready, and run the same again.",
    ),
    "CUT-PLATFORM-19": Entry(
        "error", "transient", "The platform's API asks to call less often, or a quota is used up",
        "Run the same again later; when the message names a quota, have it raised or free some of it.",
    ),
    "CUT-PLATFORM-20": Entry(
        "warning", "operator", "This host's clock and the platform's differ",
        "Set the clock of this host, by NTP for example; the ends of certificates and keys are judged by it.",
    ),
    "CUT-PLATFORM-21": Entry(
        "error", "operator", "The call does not fit the state of what it names",
        "Look at the deployment on the platform; run the same again when the work that is under way has ended.",
    ),
    "CUT-PLATFORM-22": Entry(
        "error", "operator", "The deployment cannot have such a backup",
        "Leave out the upload, or the backup; models and tiers differ in what they can have.",
    ),
    "CUT-PLATFORM-23": Entry(
        "error", "operator", "The backup failed",
        "Read what the platform says; free disk space on the deployment if that is the reason, and run the same again.",
    ),
    "CUT-PLATFORM-24": Entry(
        "error", "transient", "The backup is not finished in the time given",
        "Run the same again: it goes on waiting for the same backup; or raise wait_timeout.",
    ),
}
