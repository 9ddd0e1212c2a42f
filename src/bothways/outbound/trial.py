"""The trial of a certificate that a customer's CA signed for the hub (R13), at that customer's server."""

from bothways.errors import Refused
from bothways.findings import Finding
from bothways.operations.customer_credentials import read_credential
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub
from bothways.outbound.handshake import Seen, Verdict, Way, accepts
from bothways.pki.chain import certificate_pem, fingerprint
from bothways.xds.state import KeyPair


def require_taken(hub: Hub, tsp_id: str, data: bytes, subject: str = "certificate") -> None:
    """Raise `Refused` if the customer's server, which lets us in now, does not let the new certificate in."""
    seen = try_credential(hub, tsp_id, data, subject)
    if seen is not None:
        message = f"the server of {tsp_id} does not let it in: {seen.said}"
        hint = "Ask the customer to have its server trust that CA; or install it all the same: --force."
        raise Refused((Finding("CLIENT-TRIAL-01", message, hint, "R13", subject),))


def try_credential(hub: Hub, tsp_id: str, data: bytes, subject: str = "certificate") -> Seen | None:
    """Return why the customer's server does not let the certificate in; None if it does, or nothing speaks against it.

    Nothing is installed. A server that is not called yet, or lets the present certificate in no more than this one, is
    no reason against it. Raises as `install_credential` does.
    """
    found = read_credential(hub, tsp_id, data, subject)
    state = hub_state(hub)
    servers = [each for each in state.customers if each.tsp_id == tsp_id and each.established]
    if not servers:
        return None
    chain = found.returned.chain
    pem = "".join(certificate_pem(each) for each in chain)
    pair = KeyPair(pem, hub.keys.private_pem(found.credential.key_name), fingerprint(chain[0]))
    way = Way(hub.terms.outbound.probe_path, hub.settings.danger_outbound_loopback, hub.run_directory)
    seen = accepts(servers[0], state.client_of(servers[0]), pair, way)
    return seen if seen.verdict is Verdict.REFUSED else None
