# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Error codes of the agent, its command line and the Ansible side."""

from __future__ import annotations

from .catalogue_entry import Entry

CODES: dict[str, Entry] = {
    "CUT-AGENT-1": Entry(
        "error", "operator", "The agent's configuration file cannot be read",
        "Deploy the agent again (role agent), or give the right file with --config.",
    ),
    "CUT-AGENT-2": Entry(
        "error", "operator", "A field of the agent's configuration is wrong",
        "Correct the named field; with the role agent, correct the variable of the same name and deploy again.",
    ),
    "CUT-AGENT-3": Entry(
        "error", "operator", "The agent cannot listen on its address",
        "Find out what uses the port (ss -ltnp) and end it, or choose another port or listen_host of this machine.",
    ),
    "CUT-AGENT-4": Entry(
        "error", "operator", "A certificate file cannot be used",
        "Give a PEM file that holds the certificate (and, for a keyfile, its unencrypted private key) and that the "
        "agent's user may read.",
    ),
    "CUT-AGENT-5": Entry(
        "error", "operator", "The agent would listen for everybody",
        "Set tokens or client_ca, or listen on 127.0.0.1 only.",
    ),
    "CUT-AGENT-6": Entry(
        "error", "operator", "The state directory cannot be used",
        "Create it, owned by the agent's user with mode 0700; only one agent may use it at a time.",
    ),
    "CUT-AGENT-7": Entry(
        "error", "operator", "The agent did not start",
        "Read the agent's log file for the reason.",
    ),
    "CUT-AGENT-8": Entry(
        "error", "operator", "The running agent did not end",
        "Read the agent's log; kill -9 of its process is safe: it resumes from its last checkpoint.",
    ),
    "CUT-AGENT-9": Entry(
        "error", "operator", "The webhook's secret cannot be used",
        "Put the secret that the receiver verifies with, 16 or more printable characters, into the named file, which "
        "the agent's user alone may read; with the role agent set agent_webhook_secret and deploy again.",
    ),
    "CUT-AGENT-10": Entry(
        "error", "operator", "The agent does not know the caller",
        "Give a token of the agent's configuration (agent_token or agent_token_path) or a client certificate that "
        "its client_ca has signed.",
    ),
    "CUT-AGENT-11": Entry(
        "error", "operator", "The caller's role does not allow this",
        "Use a token with the needed role: read, operate (start, pause, precheck) or cutover (stop, abort, "
        "server mode).",
    ),
    "CUT-AGENT-12": Entry(
        "error", "fatal", "The agent has no such path",
        "Check the path; if the collection was upgraded, deploy the agent again.",
    ),
    "CUT-AGENT-13": Entry(
        "error", "fatal", "The path does not take this method",
        "Use one of the methods in the Allow header.",
    ),
    "CUT-AGENT-14": Entry(
        "error", "fatal", "The request's body is too large",
        "Send a specification of ordinary size; lists of patterns replace lists of thousands of names.",
    ),
    "CUT-AGENT-15": Entry(
        "error", "fatal", "The request's body has the wrong type",
        "Send JSON with the header Content-Type: application/json.",
    ),
    "CUT-AGENT-16": Entry(
        "error", "fatal", "The request is malformed",
        "Correct the named field.",
    ),
    "CUT-AGENT-17": Entry(
        "error", "fatal", "The request's head is too large",
        "Send fewer and shorter header fields and a shorter path.",
    ),
    "CUT-AGENT-18": Entry(
        "error", "fatal", "The agent met an error of its own",
        "Read the agent's log, which holds the details, and report it.",
    ),
    "CUT-AGENT-19": Entry(
        "error", "transient", "A run of this kind is under way",
        "Wait for its result and ask again.",
    ),
    "CUT-AGENT-20": Entry(
        "error", "fatal", "The run is not known",
        "Begin a new one; only the last few results are kept, and none over a restart.",
    ),
    "CUT-AGENT-21": Entry(
        "error", "operator", "There is no report yet",
        "Ask again after a cutover or a rehearsal.",
    ),
    "CUT-AGENT-22": Entry(
        "error", "transient", "The agent is not ready",
        "Wait until /readyz answers 200: the agent is reading its state and the journal.",
    ),
    "CUT-AGENT-23": Entry(
        "warning", "transient", "The webhook does not take events",
        "The migration goes on, and events wait in their order. Check that the receiver runs, that a firewall lets the "
        "agent's host through, that webhook.ca is the CA of its certificate, and for a status of 401 that both sides "
        "have the same secret.",
    ),
    "CUT-AGENT-30": Entry(
        "error", "operator", "A secret stands on the command line",
        "Others can read it there. Write file:PATH or env:NAME instead, and change the secret.",
    ),
    "CUT-AGENT-31": Entry(
        "error", "operator", "A secret's reference cannot be resolved",
        "Check that the file or variable exists, is readable for this user and is not empty.",
    ),
    "CUT-AGENT-32": Entry(
        "error", "transient", "The agent does not answer",
        "Check that the agent runs (systemctl status cutover-agent), that agent_endpoint names its address and port, "
        "and that agent_ca_path holds the CA of its certificate; where it demands client certificates, that its "
        "client_ca has signed the one in agent_client_keyfile.",
    ),
    "CUT-AGENT-33": Entry(
        "error", "operator", "The answer is not that of an agent",
        "Check that agent_endpoint names the agent and not another service.",
    ),
    "CUT-AGENT-34": Entry(
        "error", "fatal", "Check mode tried to change something",
        "This is an error of this software: please report it with the message.",
    ),
    "CUT-AGENT-35": Entry(
        "error", "operator", "The agent's endpoint is not https",
        "Write https://HOST:8629; the agent speaks nothing else.",
    ),
    "CUT-AGENT-36": Entry(
        "error", "operator", "An option is missing or contradicts another",
        "Give the named options.",
    ),
    "CUT-AGENT-40": Entry(
        "error", "transient", "Waiting ended before the migration got there",
        "The migration goes on by itself: look at its status, or wait again with a longer wait_timeout.",
    ),
    "CUT-AGENT-41": Entry(
        "error", "operator", "The migration ended in another state than asked for",
        "Look at the reason and the problems in the status; correct the cause and run the same task again.",
    ),
    "CUT-AGENT-42": Entry(
        "error", "operator", "The cutover was not made; applications still use the source",
        "Correct each blocker as its remedy says and run the cutover again; the migration goes on meanwhile.",
    ),
    "CUT-AGENT-43": Entry(
        "error", "operator", "The migration's state does not allow this",
        "Look at the state and at allowed_actions in the status.",
    ),
    "CUT-AGENT-50": Entry(
        "error", "operator", "The agent's archive cannot be built or written",
        "Check that the collection is installed whole and that the destination's directory exists and is writable.",
    ),
    "CUT-CERT-1": Entry(
        "error", "operator", "A certificate or keyfile cannot be used",
        "Give a PEM file with the certificate (then those between it and the CA) and its one unencrypted private key.",
    ),
    "CUT-CERT-2": Entry(
        "error", "operator", "A given keyfile is not good for its purpose",
        "Have the certificate issued anew with the names listed, or correct the named option.",
    ),
    "CUT-CERT-3": Entry(
        "error", "operator", "An option of the keyfile is wrong",
        "Correct the named option.",
    ),
    "CUT-CERT-4": Entry(
        "error", "operator", "The controller cannot make certificates",
        "Install the Python library cryptography (42 or newer) for the Python that runs Ansible.",
    ),
    "CUT-CERT-5": Entry(
        "error", "operator", "A keyfile cannot be written",
        "Check that the directory exists on the controller and is writable, and that the disk has space.",
    ),
}
