# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Error codes of connections, ArangoDB's answers, secrets and endpoints."""

from __future__ import annotations

from .catalogue_entry import Entry

CODES = {
    "CUT-HTTP-1": Entry(
        "error", "transient", "No connection to the server",
        "Check that the server runs, that host and port are right and that no firewall lies between.",
    ),
    "CUT-HTTP-2": Entry(
        "error", "operator", "The server's certificate does not verify",
        "Give the CA that signed the server's certificate (…_ca_path), use a host name that is in the certificate, "
        "or renew an expired certificate. Verification cannot be switched off.",
    ),
    "CUT-HTTP-3": Entry(
        "error", "transient", "TLS handshake failed",
        "Check that the port speaks TLS 1.2 or newer (https:// against http://) and needs no client certificate.",
    ),
    "CUT-HTTP-4": Entry(
        "error", "transient", "No complete answer from the server",
        "Nothing has to be done at once: whether the request ran is found out by reading back. If it repeats, "
        "check the server's log and the network between.",
    ),
    "CUT-HTTP-5": Entry(
        "error", "transient", "The server did not answer in time",
        "Check the server's load (queue time) and the network; raise the time-out if the operation is long by nature.",
    ),
    "CUT-HTTP-6": Entry(
        "error", "fatal", "The answer is larger than allowed",
        "Ask for smaller batches; if the address is not an ArangoDB server, correct the endpoint.",
    ),
    "CUT-HTTP-7": Entry(
        "error", "fatal", "The request cannot be sent as given",
        "This is an error of this software: please report it with the message.",
    ),
    "CUT-HTTP-8": Entry(
        "error", "transient", "The connection was closed by this program",
        "This happens while the program ends; start it again if that was not intended.",
    ),
    "CUT-HTTP-9": Entry(
        "error", "transient", "The answer is not valid HTTP",
        "Check that the endpoint is an ArangoDB server and that the scheme fits the port (https:// against http://).",
    ),
    "CUT-HTTP-10": Entry(
        "error", "operator", "The host name cannot be resolved",
        "Correct the host name in the endpoint, or make it known to this host (DNS, /etc/hosts).",
    ),
    "CUT-TLS-1": Entry(
        "error", "operator", "The CA file cannot be used",
        "Give the path of a readable PEM file with at least one CA certificate.",
    ),
    "CUT-ARANGO-1": Entry(
        "warning", "transient", "ArangoDB refuses for the moment",
        "Nothing has to be done: it is repeated with growing pauses.",
    ),
    "CUT-ARANGO-2": Entry(
        "warning", "transient", "ArangoDB refuses writes: read-only, or too few replicas",
        "Check the server mode, the write concern and whether all DB-Servers are up.",
    ),
    "CUT-ARANGO-3": Entry(
        "error", "operator", "ArangoDB refuses the credentials",
        "Correct user name and password, or the JWT secret; both sides' clocks must agree for JWT.",
    ),
    "CUT-ARANGO-4": Entry(
        "error", "operator", "ArangoDB forbids the operation",
        "Give the user the level rw on _system, and check that the server is not read-only.",
    ),
    "CUT-ARANGO-5": Entry(
        "error", "operator", "A limit of the ArangoDB deployment is reached",
        "Raise the limit that the message names, or make the request smaller.",
    ),
    "CUT-ARANGO-6": Entry(
        "error", "fatal", "ArangoDB refuses the request",
        "Read the message: it names what ArangoDB does not take. Correct it on the source or leave it out.",
    ),
    "CUT-ARANGO-7": Entry(
        "error", "operator", "The answer does not come from ArangoDB",
        "Something between answers instead (a proxy, a login page): correct the endpoint or the way to it.",
    ),
    "CUT-SECRET-1": Entry(
        "error", "operator", "The JWT secret file cannot be read",
        "Give the path of the file that holds the source cluster's JWT secret (--server.jwt-secret-keyfile there), "
        "readable by the user that runs this program.",
    ),
    "CUT-SECRET-2": Entry(
        "error", "operator", "The JWT secret file is empty",
        "Copy the source cluster's JWT secret into the file.",
    ),
    "CUT-SECRET-3": Entry(
        "error", "operator", "The JWT secret is longer than 64 bytes",
        "Give the file that the source cluster was started with (--server.jwt-secret-keyfile there): ArangoDB takes at "
        "most 64 bytes, so this is another one.",
    ),
    "CUT-SECRET-4": Entry(
        "error", "operator", "The JWT secret file holds a PEM key",
        "Only shared secrets (HS256) are supported: give the file with the shared secret.",
    ),
    "CUT-SPEC-901": Entry(
        "error", "operator", "An endpoint is not usable",
        "Write endpoints as https://HOST:PORT (or http://, ssl://, tcp://), without user, password, path or query.",
    ),
    "CUT-SPEC-902": Entry(
        "error", "operator", "An endpoint holds credentials",
        "Take user and password out of the endpoint and give them in their own options.",
    ),
    "CUT-SPEC-903": Entry(
        "error", "operator", "An endpoint has no usable scheme",
        "Write the scheme in front: https://HOST:PORT (or http://, ssl://, tcp://).",
    ),
    "CUT-SPEC-904": Entry(
        "error", "operator", "No endpoint is given",
        "Give at least one endpoint as https://HOST:PORT.",
    ),
}
