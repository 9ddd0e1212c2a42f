"""A certificate that a customer's CA returned: read in each form and order, and judged."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bothways.errors import Refused
from bothways.pki.chain import certificate_der, certificate_pem
from bothways.pki.keys import spki_pin
from bothways.pki.returned import SOON, Returned, judge_returned, read_returned

Make = Callable[..., tuple[Any, x509.Certificate]]
ASKED = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub")])


def usage(*, digital_signature: bool) -> x509.KeyUsage:
    others = dict.fromkeys(["content_commitment", "key_encipherment", "data_encipherment", "key_agreement"], False)
    last = {"key_cert_sign": False, "crl_sign": False, "encipher_only": False, "decipher_only": False}
    return x509.KeyUsage(digital_signature=digital_signature, **others, **last)


@pytest.fixture
def chain(make_certificate: Make) -> list[tuple[Any, x509.Certificate]]:
    """The customer's root, its intermediate, and what that made for the hub."""
    root = make_certificate("Bank Root")
    low = make_certificate("Bank Clients", root)
    return [root, low, make_certificate("hub", low, ca=False)]


def judged(now: datetime, found: Sequence[x509.Certificate], key: Any) -> Returned:
    return judge_returned(found, [key.public_key()], ASKED, now, "returned.pem")


def refused(now: datetime, found: Sequence[x509.Certificate], key: Any) -> list[str]:
    with pytest.raises(Refused) as error:
        judged(now, found, key)
    assert {each.subject for each in error.value.findings} == {"returned.pem"}
    return [each.id for each in error.value.findings]


def test_every_order_gives_the_certificate_with_its_issuers_and_no_root(
    chain: list[tuple[Any, x509.Certificate]], now: datetime
) -> None:
    (_, root), (_, low), (key, own) = chain
    for order in permutations([root, low, own]):
        returned = judged(now, order, key)
        assert (returned.chain, returned.findings) == ((own, low), ())
        assert returned.spki_pin == spki_pin(key.public_key())


def test_pem_der_and_pkcs7_in_either_form_are_read(chain: list[tuple[Any, x509.Certificate]]) -> None:
    certificates = [each for _, each in chain]
    text = "".join(map(certificate_pem, certificates)).encode()
    bundle = pkcs7.serialize_certificates(certificates, Encoding.PEM)
    assert set(read_returned(text, "f")) == set(read_returned(bundle, "f")) == set(certificates)
    assert set(read_returned(bundle.replace(b"PKCS7", b"PKCS #7"), "f")) == set(certificates)
    assert set(read_returned(pkcs7.serialize_certificates(certificates, Encoding.DER), "f")) == set(certificates)
    assert read_returned(certificate_der(certificates[2]), "f") == (certificates[2],)
    assert read_returned(text + text, "f") == tuple(certificates)


def test_a_private_key_beside_it_is_refused_also_beside_pkcs7(chain: list[tuple[Any, x509.Certificate]]) -> None:
    key, certificate = chain[2]
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for beside in (certificate_pem(certificate).encode(), pkcs7.serialize_certificates([certificate], Encoding.PEM)):
        with pytest.raises(Refused, match="private key"):
            read_returned(beside + private, "f")


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"0\x82\x01\x00garbage", b"-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n", b"0" * 70_000],
)
def test_what_is_no_certificate_is_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        read_returned(data, "f")


def test_a_certificate_for_another_key_is_named(chain: list[tuple[Any, x509.Certificate]], now: datetime) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(Refused, match=r"CLIENT-KEY-01: no certificate is for the key of the request; found CN=hub"):
        judged(now, [chain[2][1]], other)


@pytest.mark.parametrize(
    ("wrong", "id_"),
    [
        ({"ca": True}, "CLIENT-CA-01"),
        ({"extensions": [x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])]}, "CLIENT-USE-01"),
        ({"extensions": [usage(digital_signature=False)]}, "CLIENT-USE-02"),
        ({"days": (-9, -1)}, "CLIENT-DATE-01"),
        ({"days": (1, 365)}, "CLIENT-DATE-01"),
    ],
)
def test_each_way_to_be_wrong_is_refused(
    chain: list[tuple[Any, x509.Certificate]],
    make_certificate: Make,
    now: datetime,
    wrong: dict[str, Any],
    id_: str,
) -> None:
    key, own = make_certificate("hub", chain[1], **({"ca": False} | wrong))
    assert refused(now, [own, chain[1][1]], key) == [id_]


@pytest.mark.parametrize(
    "extensions",
    [
        [],
        [usage(digital_signature=True)],
        [x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])],
    ],
)
def test_each_way_to_be_right_is_taken(
    chain: list[tuple[Any, x509.Certificate]],
    make_certificate: Make,
    now: datetime,
    extensions: list[x509.ExtensionType],
) -> None:
    key, own = make_certificate("hub", chain[1], ca=None, extensions=extensions)
    assert judged(now, [own, chain[1][1]], key).findings == ()


def test_everything_that_is_wrong_is_said_at_once(
    chain: list[tuple[Any, x509.Certificate]], make_certificate: Make, now: datetime
) -> None:
    extensions = [x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), usage(digital_signature=False)]
    key, own = make_certificate("other", chain[1], days=(-9, -1), extensions=extensions)
    assert refused(now, [own], key) == [
        "CLIENT-CA-01",
        "CLIENT-USE-01",
        "CLIENT-USE-02",
        "CLIENT-DATE-01",
        "CLIENT-SUBJECT-01",
        "CLIENT-CHAIN-03",
    ]


def test_an_issuer_that_is_no_ca_or_has_expired_is_refused(make_certificate: Make, now: datetime) -> None:
    root = make_certificate("Root")
    for wrong, id_ in (({"ca": False}, "CLIENT-CHAIN-01"), ({"days": (-9, -1)}, "CLIENT-DATE-01")):
        low = make_certificate("Low", root, **wrong)
        key, own = make_certificate("hub", low, ca=False)
        assert refused(now, [own, low[1], root[1]], key) == [id_]


def test_a_weak_digest_is_refused(now: datetime, openssl: Callable[..., bytes]) -> None:
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=CA")
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "own.key", "-out", "own.csr", "-subj", "/CN=hub")
    days = str((now - datetime.now(now.tzinfo)).days + 1000)
    command = ["x509", "-req", "-in", "own.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-sha1", "-days", days]
    [own] = read_returned(openssl(*command), "f")
    if not own.not_valid_before_utc <= now:
        now = own.not_valid_before_utc
    with pytest.raises(Refused, match="CLIENT-KEY-02: CN=hub is signed with sha1"):
        judge_returned([own], [own.public_key()], ASKED, now, "f")


def test_what_the_operator_should_know_is_noted_and_refuses_nothing(
    chain: list[tuple[Any, x509.Certificate]], make_certificate: Make, now: datetime
) -> None:
    stranger = make_certificate("Stranger")[1]
    key, own = make_certificate("other name", chain[1], ca=False, days=(-1, (SOON - timedelta(days=1)).days))
    returned = judged(now, [stranger, own], key)
    assert returned.chain == (own,)
    assert [each.id for each in returned.findings] == [
        "CLIENT-DATE-02",
        "CLIENT-SUBJECT-01",
        "CLIENT-CHAIN-02",
        "CLIENT-CHAIN-03",
    ]


def test_two_cas_that_issued_each_other_end(make_certificate: Make, now: datetime) -> None:
    one_key, two_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    one, two = make_certificate("One", key=one_key), make_certificate("Two", key=two_key)
    cross = [make_certificate("One", two, key=one_key)[1], make_certificate("Two", one, key=two_key)[1]]
    key, own = make_certificate("hub", (one_key, cross[0]), ca=False)
    assert set(judged(now, [own, *cross], key).chain) == {own, *cross}
