from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from bothways.contract.document import Environment
from bothways.errors import Refused
from bothways.findings import Level
from bothways.pki.issue import (
    Unsigned,
    assemble,
    cap_findings,
    issued_by,
    require_signature,
    self_signed,
    signed,
)
from bothways.pki.profile import SERIAL_BITS, Profile, authority, customer_client, server
from bothways.pki.request import parse_request

ECDSA_WITH_SHA256 = x509.SignatureAlgorithmOID.ECDSA_WITH_SHA256
Key = ec.EllipticCurvePrivateKey


def sign(key: Key, unsigned: Unsigned) -> x509.Certificate:
    return assemble(unsigned, key.sign(unsigned.der, ec.ECDSA(SHA256())))


@pytest.fixture
def ca(ecdsa_key: Key, now: datetime) -> x509.Certificate:
    return sign(ecdsa_key, self_signed(authority("Issuing CA", "Hub", ecdsa_key.public_key(), now), 1))


@pytest.fixture
def client(make_csr: Callable[..., bytes], now: datetime) -> Profile:
    request = parse_request(make_csr())
    return customer_client(request, Environment.PPR, "12345678", 2, now, timedelta(days=397))


def test_a_ca_signs_itself_and_may_sign_end_entities_alone(ca: x509.Certificate) -> None:
    ca.verify_directly_issued_by(ca)
    extensions = ca.extensions
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value) == (True, x509.BasicConstraints(ca=True, path_length=0))
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)


def test_a_ca_may_have_as_many_below_it_as_its_profile_says(ecdsa_key: Key, now: datetime) -> None:
    made = sign(ecdsa_key, self_signed(authority("Server CA", "Hub", ecdsa_key.public_key(), now, path_length=1), 1))
    constraints = made.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value) == (True, x509.BasicConstraints(ca=True, path_length=1))


def test_a_certificate_holds_the_profile_and_the_issuer(
    ca: x509.Certificate, client: Profile, ecdsa_key: Key, now: datetime
) -> None:
    made = sign(ecdsa_key, issued_by(ca, client, 2**SERIAL_BITS - 1))
    made.verify_directly_issued_by(ca)
    assert (made.subject, made.issuer, made.public_key()) == (client.subject, ca.subject, client.public_key)
    assert (made.serial_number, made.signature_algorithm_oid) == (2**SERIAL_BITS - 1, ECDSA_WITH_SHA256)
    assert made.not_valid_before_utc == now - timedelta(minutes=5)
    assert made.not_valid_after_utc == now + timedelta(days=397)


def test_an_end_entity_has_exactly_these_extensions(ca: x509.Certificate, client: Profile, ecdsa_key: Key) -> None:
    identifier = x509.SubjectKeyIdentifier.from_public_key(ecdsa_key.public_key())
    extensions = sign(ecdsa_key, issued_by(ca, client, 2)).extensions
    by_name = {type(each.value).__name__: (each.critical, each.value) for each in extensions}
    usage = by_name.pop("KeyUsage")
    assert by_name == {
        "BasicConstraints": (True, x509.BasicConstraints(ca=False, path_length=None)),
        "SubjectKeyIdentifier": (False, x509.SubjectKeyIdentifier.from_public_key(client.public_key)),
        "AuthorityKeyIdentifier": (
            False,
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
        ),
        "ExtendedKeyUsage": (False, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])),
        "SubjectAlternativeName": (False, x509.SubjectAlternativeName(client.names)),
    }
    assert usage[0] is True
    assert isinstance(usage[1], x509.KeyUsage)
    assert (usage[1].digital_signature, usage[1].key_cert_sign, usage[1].crl_sign) == (True, False, False)


def test_the_same_profile_and_serial_give_the_same_bytes(ca: x509.Certificate, client: Profile) -> None:
    assert issued_by(ca, client, 2) == issued_by(ca, client, 2)
    assert issued_by(ca, client, 2) != issued_by(ca, client, 3)


def test_the_signed_bytes_are_the_ones_that_were_to_be_signed(
    ca: x509.Certificate, client: Profile, ecdsa_key: Key
) -> None:
    unsigned = issued_by(ca, client, 2)
    assert sign(ecdsa_key, unsigned).tbs_certificate_bytes == unsigned.der


def test_a_signature_of_another_key_does_not_hold(ca: x509.Certificate, client: Profile) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(InvalidSignature):
        sign(stranger, issued_by(ca, client, 2)).verify_directly_issued_by(ca)


@pytest.mark.parametrize("over", [timedelta(0), timedelta(seconds=1), timedelta(days=4000)])
def test_no_certificate_outlives_its_issuer(
    ca: x509.Certificate, client: Profile, ecdsa_key: Key, over: timedelta
) -> None:
    longer = replace(client, not_after=ca.not_valid_after_utc + over)
    assert sign(ecdsa_key, issued_by(ca, longer, 2)).not_valid_after_utc == ca.not_valid_after_utc


def test_a_certificate_that_would_outlive_its_issuer_is_warned_of(ca: x509.Certificate, client: Profile) -> None:
    assert cap_findings(ca, client.not_after, "request 1") == ()
    assert cap_findings(ca, ca.not_valid_after_utc, "request 1") == ()
    later = ca.not_valid_after_utc + timedelta(days=1)
    [said] = cap_findings(ca, later, "request 1")
    assert (said.id, said.level, said.subject) == ("CERT-END-01", Level.WARNING, "request 1")
    assert f"{ca.not_valid_after_utc:%Y-%m-%d}" in said.message
    assert f"{later:%Y-%m-%d} as agreed" in said.message


def test_under_a_ca_that_has_ended_nothing_is_made(ca: x509.Certificate, client: Profile) -> None:
    late = replace(client, not_before=ca.not_valid_after_utc, not_after=ca.not_valid_after_utc + timedelta(days=1))
    with pytest.raises(Refused, match=r"CERT-LINT-03: .*its CA has ended"):
        issued_by(ca, late, 2)


def test_an_rsa_ca_signs_with_sha256_and_null_parameters(
    rsa_key: rsa.RSAPrivateKey, client: Profile, now: datetime
) -> None:
    def rsa_signed(unsigned: Unsigned) -> x509.Certificate:
        return assemble(unsigned, rsa_key.sign(unsigned.der, padding.PKCS1v15(), SHA256()))

    root = rsa_signed(self_signed(authority("Issuing CA", "Hub", rsa_key.public_key(), now), 1))
    root.verify_directly_issued_by(root)
    made = rsa_signed(issued_by(root, client, 2))
    made.verify_directly_issued_by(root)
    assert made.signature_algorithm_oid == x509.SignatureAlgorithmOID.RSA_WITH_SHA256
    # RFC 4055 section 5: the parameters are NULL, inside and outside of what is signed.
    assert made.public_bytes(Encoding.DER).count(bytes.fromhex("300d06092a864886f70d01010b0500")) == 2
    assert PolicyBuilder().store(Store([root])).time(now).build_client_verifier().verify(made, []).chain == [made, root]


def test_only_a_signature_by_the_cas_key_over_these_bytes_is_let_through(
    ecdsa_key: Key, rsa_key: rsa.RSAPrivateKey, ca: x509.Certificate, client: Profile
) -> None:
    unsigned = issued_by(ca, client, 2)
    ecdsa = ecdsa_key.sign(unsigned.der, ec.ECDSA(SHA256()))
    by_rsa = rsa_key.sign(unsigned.der, padding.PKCS1v15(), SHA256())
    made = assemble(unsigned, ecdsa).public_bytes(Encoding.DER)
    require_signature(unsigned.der, ecdsa, ecdsa_key.public_key())
    assert signed(unsigned, ecdsa) == made
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    foreign = ed25519.Ed25519PrivateKey.generate().public_key()
    for signature, key in (
        (by_rsa, ecdsa_key.public_key()),
        (ecdsa, rsa_key.public_key()),
        (ecdsa, other),
        (b"", other),
    ):
        with pytest.raises(InvalidSignature):
            require_signature(unsigned.der, signature, key)
    with pytest.raises(InvalidSignature):
        require_signature(unsigned.der, ecdsa, foreign)
    with pytest.raises(InvalidSignature):
        require_signature(unsigned.der + b"\0", ecdsa, ecdsa_key.public_key())
    # Under RSA too; the algorithm that the bytes name is the lint's business.
    require_signature(unsigned.der, by_rsa, rsa_key.public_key())


def test_a_key_that_cannot_be_a_cas_signs_nothing(now: datetime) -> None:
    for key in (ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()):
        with pytest.raises(ValueError, match="P-256 or RSA is wanted"):
            self_signed(authority("Issuing CA", "Hub", key.public_key(), now), 1)


def test_the_place_of_the_revocation_list_is_named_if_there_is_one(
    ca: x509.Certificate, client: Profile, ecdsa_key: Key
) -> None:
    url = "http://crl.hub.example/issuing-ca.crl"
    made = sign(ecdsa_key, issued_by(ca, replace(client, crl_url=url), 2))
    extension = made.extensions.get_extension_for_class(x509.CRLDistributionPoints)
    [point] = extension.value
    assert (extension.critical, point.full_name) == (False, [x509.UniformResourceIdentifier(url)])


def test_a_verifier_takes_a_customers_certificate_as_client_and_not_as_server(
    ca: x509.Certificate, client: Profile, ecdsa_key: Key, now: datetime
) -> None:
    made = sign(ecdsa_key, issued_by(ca, client, 2))
    policy = PolicyBuilder().store(Store([ca])).time(now)
    assert policy.build_client_verifier().verify(made, []).chain == [made, ca]
    with pytest.raises(VerificationError):
        policy.build_server_verifier(x509.DNSName("hub.example")).verify(made, [])


def test_a_verifier_takes_a_server_certificate_for_its_hosts_alone(
    ca: x509.Certificate, ecdsa_key: Key, now: datetime
) -> None:
    profile = server(("api.hub.example",), ec.generate_private_key(ec.SECP256R1()).public_key(), now)
    made = sign(ecdsa_key, issued_by(ca, profile, 2))
    policy = PolicyBuilder().store(Store([ca])).time(now)
    assert policy.build_server_verifier(x509.DNSName("api.hub.example")).verify(made, []) == [made, ca]
    with pytest.raises(VerificationError):
        policy.build_server_verifier(x509.DNSName("other.hub.example")).verify(made, [])
    with pytest.raises(VerificationError):
        policy.build_client_verifier().verify(made, [])
