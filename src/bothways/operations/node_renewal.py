"""What a node asks for itself: its next certificate, for a key that it made and its name alone, and whom to trust."""

from dataclasses import replace

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bothways.errors import Conflict, NotAuthorized, Refused
from bothways.findings import Finding
from bothways.operations.bootstrap import certified, places
from bothways.operations.hub import Hub
from bothways.operations.node_authority import node_trust
from bothways.operations.nodes import node_certificates
from bothways.pki.request import CertificationRequest, parse_request
from bothways.store import nodes

UNUSED_MOST = 8
"""Certificates of a node that were made and not used yet: one that asks again and again is broken, or stolen."""


def renew_node(hub: Hub, name: str, shown: str, csr: bytes) -> tuple[x509.Certificate, str]:
    """Return a certificate for the node `name`, which asks itself, and the CAs of the control plane in PEM.

    `shown` is the fingerprint of the certificate with which it asks: who let it in may not know yet that the node of
    this name was withdrawn, and is another one now. Its other certificates go on until the new one was used. Raises
    `NotAuthorized` if that is none of this node, `Refused` if the request is for another name, of another kind of key,
    or for a key that had a certificate; `Conflict` after too many that were never used.
    """
    request = parse_request(csr, f"request of the node {name}")
    with replace(hub, actor=f"node:{name}").write() as transaction:
        node = nodes.find(transaction.connection, name)
        own = node_certificates(transaction.connection, transaction.now).get(name, ())
        if shown not in {each.fingerprint for each in own}:
            raise NotAuthorized(f"the certificate that was shown is none of the node {name} that is on record now.")
        key = _key(request, name, nodes.spki_pins(transaction.connection))
        unused = [each for each in nodes.certificates(transaction.connection) if each.node_id == node.id]
        unused = [each for each in unused if each.used_at is None and each.not_after > transaction.now]
        if len(unused) >= UNUSED_MOST:
            raise Conflict(
                f"the node {name} was given {len(unused)} certificates that it has not used. Find out why, and make "
                f"it new files: bothways hub envoy-bootstrap --node {name}"
            )
        certificate, trusted = certified(hub, transaction, node, key)
        binds = places(node.binding)
        transaction.audit("node.renew", name, certificate=f"{certificate.serial_number:x}", **binds, before=binds)
    return certificate, trusted


def current_trust(hub: Hub) -> str:
    """Return the CAs of the control plane in PEM, for a node that asks: the one that signs now stands first."""
    with hub.read() as connection:
        return node_trust(connection)


def _key(request: CertificationRequest, name: str, known: frozenset[str]) -> ec.EllipticCurvePublicKey:
    """Return the key of a request that this node may make. Raises `Refused`."""
    findings = []
    said = [str(each.value) for each in request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    key = request.public_key
    if said != [name]:
        message = f"the node {name} asks for a certificate for {', '.join(said)[:80] or 'no name'}"
        findings.append(Finding("NODE-REQUEST-01", message, "A node is given one for its own name alone.", "R5"))
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        message = "the key of the node's request is none on P-256"
        findings.append(Finding("NODE-REQUEST-02", message, "Make a new one: ECDSA P-256.", "R7"))
    if request.spki_pin in known:
        message = f"the node {name} asks for a certificate for a key that had one"
        findings.append(Finding("NODE-REQUEST-03", message, "Make a new key for each certificate.", "R7"))
    if findings or not isinstance(key, ec.EllipticCurvePublicKey):
        raise Refused(tuple(findings))
    return key
