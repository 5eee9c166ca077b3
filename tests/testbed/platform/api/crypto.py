# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""crypto: CA certificates (platform facts §4)."""

from __future__ import annotations

from tests.testbed.platform import messages as m
from tests.testbed.platform.call import Call, found, page
from tests.testbed.platform.routing import rpc
from tests.testbed.platform.schema import Value

_MONTH, _TWO_DAYS = 30 * 86_400.0, 2 * 86_400.0


def _shown(call: Call, certificate: Value) -> Value:
    left = certificate["expires_at"] - call.world.clock.now()
    flags = {"is_expired": left <= 0, "will_expire_soon": left <= _MONTH, "rotation_needed": left <= _TWO_DAYS}
    return {**certificate, **flags}


def _certificate(call: Call, identifier: str) -> Value:
    certificate = found(call.world.certificates, identifier, "CACertificate")
    call.require("crypto.cacertificate.get", certificate["url"])
    return certificate


@rpc("GetCACertificate", "GET", "/api/crypto/v1/cacertificates/{id}", m.ID, m.CERTIFICATE)
def get_certificate(call: Call, wish: Value) -> Value:
    """One certificate with its PEM text."""
    return _shown(call, _certificate(call, wish["id"]))


@rpc(
    "GetCACertificateInstructions",
    "GET",
    "/api/crypto/v1/cacertificates/{id}/instructions",
    m.ID,
    m.CERTIFICATE_HELP,
)
def get_instructions(call: Call, wish: Value) -> Value:
    """Steps for a human."""
    name = f"{_certificate(call, wish['id'])['id']}.crt"
    steps = {"install_steps": [f"sudo cp {name} /usr/local/share/ca-certificates", "sudo update-ca-certificates"]}
    return {"platforms": [{"platform": "Ubuntu", **steps, "uninstall_steps": ["sudo update-ca-certificates --fresh"]}]}


@rpc(
    "ListCACertificates",
    "GET",
    "/api/crypto/v1/projects/{context_id}/cacertificates",
    m.PAGE,
    m.CERTIFICATE_LIST,
)
def list_certificates(call: Call, wish: Value) -> Value:
    """The certificates of a project."""
    project = found({call.world.project["id"]: call.world.project}, wish["context_id"], "Project")
    call.require("crypto.cacertificate.list", project["url"])
    return {"items": [_shown(call, one) for one in page(list(call.world.certificates.values()), wish)]}
