from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from bothways.errors import Refused
from bothways.pki.chain import certificate_der, certificate_pem, chain_findings, fingerprint, parse_chain
from bothways.pki.keys import sha256, spki_pin

Make = Callable[..., tuple[Any, x509.Certificate]]


def chain_pem(*certificates: x509.Certificate) -> bytes:
    return "".join(certificate_pem(each) for each in certificates).encode()


def refusal(data: bytes) -> list[str]:
    with pytest.raises(Refused) as refused:
        parse_chain(data, "chain.pem")
    assert {each.subject for each in refused.value.findings} == {"chain.pem"}
    return [each.id for each in refused.value.findings]


def judged(now: datetime, *certificates: x509.Certificate, own: frozenset[str] = frozenset()) -> list[str]:
    return [each.id for each in chain_findings(parse_chain(chain_pem(*certificates)), now, own)]


def usage(*, cert_sign: bool) -> x509.KeyUsage:
    others = dict.fromkeys(["content_commitment", "key_encipherment", "data_encipherment", "key_agreement"], False)
    last = {"encipher_only": False, "decipher_only": False}
    return x509.KeyUsage(digital_signature=True, key_cert_sign=cert_sign, crl_sign=True, **others, **last)


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
    assert refusal(chain_pem(low, make_certificate("Root")[1])) == ["CHAIN-ORDER-01"]


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
    assert refusal(chain_pem(make_certificate("Low", old)[1], old[1], new[1])) == ["CHAIN-ORDER-02"]


def test_ten_certificates_are_a_chain_and_eleven_are_too_many(make_certificate: Make) -> None:
    chain = [make_certificate("CA 0")]
    for number in range(1, 11):
        chain.append(make_certificate(f"CA {number}", chain[-1]))
    certificates = [each[1] for each in chain]
    assert len(parse_chain(chain_pem(*certificates[:10])).certificates) == 10
    assert refusal(chain_pem(*certificates)) == ["CHAIN-FILE-02"]


def test_a_private_key_inside_is_refused(make_certificate: Make) -> None:
    key, root = make_certificate("Root")
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert refusal(chain_pem(root) + pem) == ["CSR-FILE-02"]


@pytest.mark.parametrize("kind", [x509.SubjectAlternativeName, x509.BasicConstraints, x509.KeyUsage])
def test_an_extension_that_cannot_be_read_is_refused(make_certificate: Make, kind: type[x509.ExtensionType]) -> None:
    broken = x509.UnrecognizedExtension(kind.oid, bytes.fromhex("3002a300"))
    assert refusal(chain_pem(make_certificate("Root", ca=None, extensions=[broken])[1])) == ["CHAIN-FILE-01"]


def test_a_good_chain_has_no_findings(make_certificate: Make, now: datetime, rsa_key: rsa.RSAPrivateKey) -> None:
    root = make_certificate("Root", key=rsa_key, path_length=1, extensions=[usage(cert_sign=True)])
    middle = make_certificate("Middle", root, key=ec.generate_private_key(ec.SECP384R1()), path_length=0)
    assert judged(now, root[1], middle[1]) == []


@pytest.mark.parametrize("ca", [False, None])
def test_chain_ca_01_refuses_what_is_no_ca(make_certificate: Make, now: datetime, ca: bool | None) -> None:  # noqa: FBT001
    root = make_certificate("Root")
    assert judged(now, make_certificate("server.example", root, ca=ca)[1], root[1]) == ["CHAIN-CA-01"]
    assert judged(now, make_certificate("server.example", ca=ca)[1]) == ["CHAIN-CA-01"]


def test_chain_ca_02_refuses_a_ca_that_may_not_sign(make_certificate: Make, now: datetime) -> None:
    assert judged(now, make_certificate("Root", extensions=[usage(cert_sign=False)])[1]) == ["CHAIN-CA-02"]


@pytest.mark.parametrize(("length", "expected"), [(0, ["CHAIN-CA-03"]), (1, []), (None, [])])
def test_chain_ca_03_refuses_more_cas_than_the_root_allows(
    make_certificate: Make, now: datetime, length: int | None, expected: list[str]
) -> None:
    root = make_certificate("Root", path_length=length)
    assert judged(now, make_certificate("Middle", root)[1], root[1]) == expected


@pytest.mark.parametrize("days", [(-10, -1), (1, 10)])
def test_chain_date_01_refuses_what_is_not_valid_now(
    make_certificate: Make, now: datetime, days: tuple[int, int]
) -> None:
    assert judged(now, make_certificate("Root", days=days)[1]) == ["CHAIN-DATE-01"]


def test_chain_date_01_counts_both_ends_as_valid(make_certificate: Make, now: datetime) -> None:
    root = make_certificate("Root", days=(0, 1))[1]
    second, end = timedelta(seconds=1), now + timedelta(days=1)
    moments = [now - second, now, end, end + second]
    assert [judged(each, root) for each in moments] == [["CHAIN-DATE-01"], [], [], ["CHAIN-DATE-01"]]


@pytest.mark.parametrize("curve", [ec.SECP521R1(), ec.SECP256K1(), ec.SECP192R1()])
def test_chain_key_01_refuses_another_curve(make_certificate: Make, now: datetime, curve: ec.EllipticCurve) -> None:
    assert judged(now, make_certificate("Root", key=ec.generate_private_key(curve))[1]) == ["CHAIN-KEY-01"]


def test_chain_key_01_and_02_refuse_ed25519(make_certificate: Make, now: datetime) -> None:
    root = make_certificate("Root", key=ed25519.Ed25519PrivateKey.generate())[1]
    assert judged(now, root) == ["CHAIN-KEY-01", "CHAIN-KEY-02"]


def old_root(openssl: Callable[..., bytes], key: str, digest: str) -> bytes:
    arguments = ["-nodes", "-keyout", "ca.key", "-subj", "/CN=Old", "-days", "30"]
    return openssl("req", "-x509", "-newkey", key, f"-{digest}", *arguments)


def test_chain_key_01_refuses_an_rsa_key_of_1024_bits(openssl: Callable[..., bytes]) -> None:
    root = x509.load_pem_x509_certificate(old_root(openssl, "rsa:1024", "sha256"))
    assert judged(root.not_valid_before_utc, root) == ["CHAIN-KEY-01"]


@pytest.mark.parametrize("digest", ["sha1", "md5"])
def test_chain_key_02_refuses_a_digest_that_proves_nothing(openssl: Callable[..., bytes], digest: str) -> None:
    assert refusal(old_root(openssl, "rsa:2048", digest)) == ["CHAIN-KEY-02"]


def test_chain_own_01_refuses_the_hubs_own_key_under_any_name(make_certificate: Make, now: datetime) -> None:
    key, own = make_certificate("Hub Issuing CA")
    pins = frozenset({spki_pin(own.public_key())})
    assert judged(now, make_certificate("Innocent CA", key=key)[1], own=pins) == ["CHAIN-OWN-01"]
    assert judged(now, make_certificate("Hub Issuing CA")[1], own=pins) == []


@pytest.fixture(scope="module")
def der(ecdsa_key: ec.EllipticCurvePrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "FR")])
    start = datetime.fromisoformat("2026-01-01T00:00Z")
    builder = x509.CertificateBuilder(name, name, ecdsa_key.public_key(), 1, start, start + timedelta(days=9))
    names = x509.SubjectAlternativeName([x509.DNSName("a.example")])
    for extension in (x509.BasicConstraints(ca=True, path_length=None), usage(cert_sign=True), names):
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
    assert len(chain_findings(chain, datetime.fromisoformat("2026-01-02T00:00Z"), frozenset())) == 0
