import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs7,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from bothways.errors import Refused
from bothways.pki.anchors import Circumstances, anchor_findings
from bothways.pki.chain import (
    certificate_der,
    certificate_pem,
    fingerprint,
    parse_anchors,
    parse_chain,
    printed,
    read_chain,
    self_issued,
)
from bothways.pki.encoding import pem
from bothways.pki.keys import sha256

Make = Callable[..., tuple[Any, x509.Certificate]]


def chain_pem(*certificates: x509.Certificate) -> bytes:
    return "".join(certificate_pem(each) for each in certificates).encode()


def refusal(data: bytes) -> list[str]:
    with pytest.raises(Refused) as refused:
        parse_chain(data, "chain.pem")
    assert {each.subject for each in refused.value.findings} == {"chain.pem"}
    return [each.id for each in refused.value.findings]


def test_every_order_and_every_duplicate_gives_the_same_chain(make_certificate: Make) -> None:
    root = make_certificate("Root")
    middle = make_certificate("Middle", root)
    low = make_certificate("Low", middle)
    ordered = (low[1], middle[1], root[1])
    for each in permutations([*ordered, middle[1]]):
        assert parse_chain(chain_pem(*each)).certificates == ordered


def test_one_root_alone_is_a_chain_in_pem_and_in_der(make_certificate: Make) -> None:
    root = make_certificate("Root")[1]
    assert parse_chain(chain_pem(root)) == parse_chain(certificate_der(root))


def test_a_chain_is_known_by_the_fingerprint_of_its_root_and_prints_in_order(make_certificate: Make) -> None:
    root = make_certificate("Root")
    low = make_certificate("Low", root)
    chain = parse_chain(chain_pem(root[1], low[1]))
    assert chain.fingerprint == fingerprint(root[1]) == sha256(root[1].public_bytes(Encoding.DER))
    assert chain.pem.encode() == chain_pem(low[1], root[1])


def test_a_missing_issuer_is_named(make_certificate: Make) -> None:
    low = make_certificate("Low", make_certificate("Root"))[1]
    with pytest.raises(Refused, match="CHAIN-ORDER-01: the issuer CN=Root of CN=Low is missing"):
        parse_chain(chain_pem(low))


def test_an_issuer_of_the_right_name_and_the_wrong_key_does_not_count(make_certificate: Make) -> None:
    low = make_certificate("Low", make_certificate("Root"))[1]
    for each in permutations([low, make_certificate("Root")[1]]):
        assert refusal(chain_pem(*each)) == ["CHAIN-ORDER-01"]


def test_two_roots_are_two_chains(make_certificate: Make) -> None:
    one, two = make_certificate("One")[1], make_certificate("Two")[1]
    assert refusal(chain_pem(one, two)) == ["CHAIN-ORDER-02"]


def test_two_that_vouch_for_each_other_end_in_no_root(make_certificate: Make) -> None:
    one, two = make_certificate("One"), make_certificate("Two")
    cross = [make_certificate("One", two, key=one[0])[1], make_certificate("Two", one, key=two[0])[1]]
    assert refusal(chain_pem(*cross)) == ["CHAIN-ORDER-01"]


def test_a_root_that_was_renewed_with_its_key_is_one_too_many(make_certificate: Make) -> None:
    old = make_certificate("Root")
    new = make_certificate("Root", key=old[0])
    assert refusal(chain_pem(make_certificate("Low", old)[1], old[1], new[1])) == ["CHAIN-ORDER-03"]


def test_a_root_that_is_cross_signed_too_is_one_way_up_too_many(make_certificate: Make) -> None:
    root, other = make_certificate("Root"), make_certificate("Other Root")
    cross = make_certificate("Root", other, key=root[0])
    low = make_certificate("Low", root)
    for each in permutations([low[1], root[1], cross[1], other[1]]):
        with pytest.raises(Refused) as refused:
            parse_chain(chain_pem(*each))
        found = sorted(finding.id for finding in refused.value.findings)
        assert found == ["CHAIN-ORDER-02", "CHAIN-ORDER-03"]
        assert "CN=Root is there twice with one key, by CN=Other Root too (cross-signed" in str(refused.value)
    # Either way up alone is a chain.
    assert parse_chain(chain_pem(low[1], root[1])).certificates == (low[1], root[1])
    assert parse_chain(chain_pem(other[1], low[1], cross[1])).certificates == (low[1], cross[1], other[1])


def test_what_has_nothing_to_do_with_the_chain_is_named(make_certificate: Make) -> None:
    root, stranger = make_certificate("Root"), make_certificate("Stranger", make_certificate("Elsewhere"))
    with pytest.raises(Refused, match="CHAIN-ORDER-04: CN=Stranger, issued by CN=Elsewhere, belongs to another chain"):
        parse_chain(chain_pem(make_certificate("Low", root)[1], stranger[1], root[1]))


def test_everything_that_is_wrong_with_the_order_is_said_at_once(make_certificate: Make) -> None:
    low = make_certificate("Low", make_certificate("Middle", make_certificate("Root")))
    pem = chain_pem(low[1], make_certificate("Another Root")[1], make_certificate("Alone", make_certificate("X"))[1])
    assert sorted(refusal(pem)) == ["CHAIN-ORDER-01", "CHAIN-ORDER-02", "CHAIN-ORDER-04"]


def test_what_was_put_right_is_said(make_certificate: Make) -> None:
    root = make_certificate("Root")
    low = make_certificate("Low", root)
    assert read_chain(chain_pem(low[1], root[1])).findings == ()
    [note] = read_chain(chain_pem(root[1], low[1], low[1])).findings
    assert (note.id, note.level) == ("CHAIN-NOTE-01", "info")
    assert note.message == "the certificates were put into order; 1 that stood there again were left out"


def test_what_a_broken_digest_signed_is_put_behind_whom_it_names(make_certificate: Make, openssl: Any) -> None:
    old_root = openssl("req", "-x509", "-newkey", "rsa:2048", "-sha1", "-nodes", "-keyout", "k", "-subj", "/CN=Old")
    old = x509.load_pem_x509_certificate(old_root)
    key = load_pem_private_key(openssl("rsa", "-in", "k"), None)
    low = make_certificate("Low", (key, old))[1]
    assert read_chain(chain_pem(low) + old_root).path == (low, old)
    # By a key that is not the old root's: that signature can be checked.
    stranger = make_certificate("Low", (ec.generate_private_key(ec.SECP256R1()), old))[1]
    assert [each.id for each in read_chain(chain_pem(stranger) + old_root).findings] == ["CHAIN-ORDER-01"]


def test_pkcs_7_is_a_chain_in_der_and_under_each_label(make_certificate: Make) -> None:
    root = make_certificate("Root")
    low = make_certificate("Low", root)
    der = pkcs7.serialize_certificates([root[1], low[1]], Encoding.DER)
    ordered = (low[1], root[1])
    for data in (der, *(pem(label, der).encode() for label in ("PKCS7", "CMS", "CERTIFICATE"))):
        assert parse_chain(data).certificates == ordered
        assert set(parse_anchors(data, "x")) == set(ordered)


def test_a_strange_name_is_printed_so_that_it_can_be_seen_and_is_short(make_certificate: Make) -> None:
    name = make_certificate("a\n\u202e\x1b[2J")[1].subject
    assert printed(name).isprintable()
    assert len(printed(x509.Name([x509.NameAttribute(x509.NameOID.DN_QUALIFIER, "a" * 5000)]))) < 250


def test_self_issued_is_by_name(make_certificate: Make) -> None:
    root = make_certificate("Root")
    assert self_issued(make_certificate("Root", root)[1])
    assert not self_issued(make_certificate("Low", root)[1])


def test_ten_certificates_are_a_chain_and_eleven_are_too_many(make_certificate: Make) -> None:
    chain = [make_certificate("CA 0")]
    for number in range(1, 11):
        chain.append(make_certificate(f"CA {number}", chain[-1]))
    certificates = [each[1] for each in chain]
    assert len(parse_chain(chain_pem(*certificates[:10])).certificates) == 10
    assert refusal(chain_pem(*certificates)) == ["CHAIN-FILE-02"]


def test_a_private_key_inside_is_refused(make_certificate: Make) -> None:
    key, root = make_certificate("Root")
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert refusal(chain_pem(root) + private) == ["CSR-FILE-02"]


@pytest.mark.parametrize("kind", [x509.SubjectAlternativeName, x509.BasicConstraints, x509.KeyUsage])
def test_an_extension_that_cannot_be_read_is_refused(make_certificate: Make, kind: type[x509.ExtensionType]) -> None:
    broken = x509.UnrecognizedExtension(kind.oid, bytes.fromhex("3002a300"))
    assert refusal(chain_pem(make_certificate("Root", ca=None, extensions=[broken])[1])) == ["CHAIN-FILE-01"]


MARKS = ("BEGIN CERTIFICATE", "END CERTIFICATE", "BEGIN PKCS7", "END PKCS7", "BEGIN CMS", "END CMS")
SIGNED = bytes.fromhex("06092a864886f70d010702")
PIECES = st.sampled_from(
    [f"-----{each}-----".encode() for each in MARKS] + [b"MIIB", b"\x30\x82", b"\x30\x80", SIGNED, b"\xa0\x80", b"\0\0"]
)


@pytest.fixture(scope="module")
def der(ecdsa_key: ec.EllipticCurvePrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "FR")])
    start = datetime.fromisoformat("2026-01-01T00:00Z")
    builder = x509.CertificateBuilder(name, name, ecdsa_key.public_key(), 1, start, start + timedelta(days=9))
    names = x509.SubjectAlternativeName([x509.DNSName("a.example")])
    for extension in (x509.BasicConstraints(ca=True, path_length=None), names):
        builder = builder.add_extension(extension, critical=False)
    return certificate_der(builder.sign(ecdsa_key, SHA256()))


@pytest.mark.filterwarnings("ignore")  # of lengths, alphabets and serial numbers
@settings(max_examples=2000, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), min_size=1, max_size=3))
def test_changed_bytes_are_judged_or_refused(der: bytes, changes: list[tuple[int, int]]) -> None:
    changed = bytearray(der)
    for place, value in changes:
        changed[place % len(der)] = value
    try:
        chain = parse_chain(bytes(changed))
    except Refused:
        return
    assert bytes(changed) == der
    now = datetime.fromisoformat("2026-01-02T00:00Z")
    assert len(anchor_findings(chain.certificates, Circumstances(now))) == 0


@pytest.mark.filterwarnings("ignore")
@given(data=st.binary(max_size=300) | st.lists(PIECES | st.binary(max_size=9)).map(b"".join))
def test_any_bytes_are_a_chain_or_refused(data: bytes) -> None:
    with contextlib.suppress(Refused):
        assert parse_chain(data).certificates
