"""A node is given a certificate for its own name, for a new key that it has, and not again and again."""

from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from tests.operations.conftest import Audit

from bothways.errors import Conflict, NotAuthorized, NotFound, Refused
from bothways.operations.hub import Hub
from bothways.operations.node_renewal import UNUSED_MOST, renew_node
from bothways.operations.nodes import list_nodes, note_use, withdraw_node
from bothways.pki.chain import fingerprint
from bothways.store.nodes import NodeCertificate

Certify = Callable[[str], NodeCertificate]


def request(name: str = "eu-1", key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return builder.sign(key or ec.generate_private_key(ec.SECP256R1()), SHA256()).public_bytes(Encoding.PEM)


def renewed(hub: Hub, name: str, csr: bytes) -> tuple[x509.Certificate, str]:
    """Ask as the node, with the newest certificate that it has; with none of its own, if it has none."""
    own = [each["certificates"] for each in list_nodes(hub) if each["node"] == name and each["certificates"]]
    return renew_node(hub, name, own[0][0]["fingerprint"] if own else "0" * 64, csr)


def test_a_node_is_given_its_next_certificate_and_the_one_before_goes_on(
    nodes_hub: Hub, certify_node: Certify, audited: Audit
) -> None:
    first, key = certify_node("eu-1"), ec.generate_private_key(ec.SECP256R1())
    note_use(nodes_hub, first.fingerprint)
    made, trusted = renewed(nodes_hub, "eu-1", request(key=key))
    made.verify_directly_issued_by(x509.load_pem_x509_certificate(trusted.encode()))
    assert made.public_key() == key.public_key()
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["urn:bothways-node:PPR:eu-1"]
    [node] = list_nodes(nodes_hub)
    assert [each["fingerprint"] for each in node["certificates"]] == [fingerprint(made), first.fingerprint]
    assert audited()[-1] == ("node.renew", "eu-1")


@pytest.mark.parametrize("name", ["eu-2", "EU-1", "eu-1 ", "x"])
def test_another_name_than_its_own_is_refused(nodes_hub: Hub, certify_node: Certify, name: str) -> None:
    certify_node("eu-1")
    certify_node("eu-2")
    with pytest.raises(Refused, match="NODE-REQUEST-01"):
        renewed(nodes_hub, "eu-1", request(name))


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)], ids=["P-384", "RSA"]
)
def test_another_kind_of_key_is_refused(
    nodes_hub: Hub, certify_node: Certify, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
) -> None:
    certify_node("eu-1")
    with pytest.raises(Refused, match="NODE-REQUEST-02"):
        renewed(nodes_hub, "eu-1", request(key=key))


def test_a_key_is_certified_once_and_only_for_whoever_has_it(nodes_hub: Hub, certify_node: Certify) -> None:
    certify_node("eu-1")
    certify_node("eu-2")
    key = ec.generate_private_key(ec.SECP256R1())
    renewed(nodes_hub, "eu-1", request(key=key))
    for name in ("eu-1", "eu-2"):
        with pytest.raises(Refused, match="NODE-REQUEST-03"):
            renewed(nodes_hub, name, request(name, key))
    der = bytearray(x509.load_pem_x509_csr(request()).public_bytes(Encoding.DER))
    der[-1] ^= 1
    with pytest.raises(Refused):
        renewed(nodes_hub, "eu-1", bytes(der))


def test_a_node_that_uses_none_of_what_it_is_given_is_given_no_more(nodes_hub: Hub, certify_node: Certify) -> None:
    certify_node("eu-1")
    for _ in range(UNUSED_MOST - 1):
        made, _ = renewed(nodes_hub, "eu-1", request())
    with pytest.raises(Conflict, match="has not used"):
        renewed(nodes_hub, "eu-1", request())
    note_use(nodes_hub, fingerprint(made))
    renewed(nodes_hub, "eu-1", request())


def test_a_withdrawn_node_is_given_none(nodes_hub: Hub, certify_node: Certify) -> None:
    certify_node("eu-1")
    withdraw_node(nodes_hub, "eu-1", "tested")
    with pytest.raises(NotFound):
        renewed(nodes_hub, "eu-1", request())


def test_who_was_withdrawn_is_given_none_in_the_name_of_who_came_after(nodes_hub: Hub, certify_node: Certify) -> None:
    stolen = certify_node("eu-1")
    withdraw_node(nodes_hub, "eu-1", "stolen")
    after = certify_node("eu-1")
    # Let in a moment ago, by who did not know yet.
    with pytest.raises(NotAuthorized, match="is none of the node eu-1 that is on record now"):
        renew_node(nodes_hub, "eu-1", stolen.fingerprint, request())
    [_, node] = list_nodes(nodes_hub)
    assert [each["fingerprint"] for each in node["certificates"]] == [after.fingerprint]
    renew_node(nodes_hub, "eu-1", after.fingerprint, request())
