import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bothways.errors import Refused
from bothways.pki.request import parse_request

MakeCsr = Callable[..., bytes]


def refusal(data: bytes) -> list[str]:
    with pytest.raises(Refused) as refused:
        parse_request(data)
    return [each.id for each in refused.value.findings]


def test_a_request_holds_what_was_signed(make_csr: MakeCsr, ecdsa_key: ec.EllipticCurvePrivateKey) -> None:
    csr = x509.load_pem_x509_csr(make_csr(ecdsa_key))
    request = parse_request(make_csr(ecdsa_key))
    assert (request.subject, request.public_key) == (csr.subject, ecdsa_key.public_key())
    assert (request.reading.digest, request.notes) == ("sha256", ())


def test_a_request_of_rsa_is_read(make_csr: MakeCsr, rsa_key: object) -> None:
    assert parse_request(make_csr(rsa_key)).reading.digest == "sha256"


def test_pem_and_der_are_the_same_request(make_csr: MakeCsr) -> None:
    pem = make_csr()
    request = parse_request(pem)
    assert (parse_request(request.der), request.pem.encode()) == (request, pem)


def test_fingerprint_and_pin_are_hashes_of_the_request_and_of_its_key(make_csr: MakeCsr) -> None:
    request = parse_request(make_csr())
    spki = request.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert request.fingerprint == hashlib.sha256(request.der).hexdigest()
    assert request.spki_pin == hashlib.sha256(spki).hexdigest()


def test_the_pin_stays_when_the_key_asks_again(make_csr: MakeCsr, ecdsa_key: ec.EllipticCurvePrivateKey) -> None:
    first, again = parse_request(make_csr(ecdsa_key)), parse_request(make_csr(ecdsa_key, OU="Other"))
    assert first.spki_pin == again.spki_pin
    assert first.fingerprint != again.fingerprint


def test_another_subject_under_the_same_signature_is_refused(make_csr: MakeCsr) -> None:
    der = parse_request(make_csr()).der
    assert der.count(b"12345678") == 1
    assert refusal(der.replace(b"12345678", b"87654321")) == ["CSR-POP-01"]


def test_another_key_under_the_same_signature_is_refused(make_csr: MakeCsr) -> None:
    victim = ec.generate_private_key(ec.SECP256R1())
    point = victim.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    mine = parse_request(make_csr())
    own = mine.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert refusal(mine.der.replace(own, point)) == ["CSR-POP-01"]


def test_a_broken_signature_is_refused(make_csr: MakeCsr) -> None:
    der = parse_request(make_csr()).der
    assert refusal(der[:-1] + bytes([der[-1] ^ 1])) == ["CSR-POP-01"]


@pytest.mark.parametrize("data", [b"0", b"0\x00", b"0" * 16384, bytes.fromhex("3003020101")])
def test_what_is_no_request_is_refused(data: bytes) -> None:
    assert refusal(data) == ["CSR-FILE-07"]


def test_something_after_the_request_is_refused(make_csr: MakeCsr) -> None:
    assert refusal(parse_request(make_csr()).der + b"\0") == ["CSR-FILE-09"]


def test_an_unknown_version_is_refused(make_csr: MakeCsr) -> None:
    der = parse_request(make_csr()).der
    version = der.index(bytes.fromhex("020100"))
    assert refusal(der[: version + 2] + b"\x07" + der[version + 3 :]) == ["CSR-FILE-07"]


@pytest.mark.parametrize("names", ["3002a300", "3002a500", "30028101", "ff"])
def test_an_extension_that_cannot_be_read_is_refused(strange_csr: MakeCsr, names: str) -> None:
    broken = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, bytes.fromhex(names))
    assert refusal(strange_csr(extensions=[broken])) == ["CSR-EXTENSION-02"]


@pytest.mark.parametrize(
    "key",
    [
        "EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit",
        "EC -pkeyopt ec_paramgen_curve:P-384 -pkeyopt ec_param_enc:explicit",
        "RSA-PSS -pkeyopt rsa_keygen_bits:2048",
    ],
)
def test_a_key_that_is_written_in_another_form_is_refused(
    tmp_path: Path, openssl: Callable[..., bytes], key: str
) -> None:
    openssl("genpkey", "-algorithm", *key.split(), "-out", "tls.key")
    openssl("req", "-new", "-sha256", "-key", "tls.key", "-subj", "/CN=strange", "-out", "tls.csr")
    assert refusal((tmp_path / "tls.csr").read_bytes()) == ["CSR-KEY-04"]


@pytest.mark.parametrize("digest", ["sha1", "md5"])
def test_a_digest_that_proves_nothing_is_refused_by_name(openssl: Callable[..., bytes], digest: str) -> None:
    key = ["-newkey", "rsa:2048", "-nodes", "-keyout", "tls.key"]
    assert refusal(openssl("req", "-new", f"-{digest}", *key, "-subj", "/CN=old")) == ["CSR-KEY-02"]


@pytest.fixture(scope="module")
def der(ecdsa_key: ec.EllipticCurvePrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"), x509.NameAttribute(NameOID.COMMON_NAME, "name")])
    names = x509.SubjectAlternativeName([x509.DNSName("a.example"), x509.RFC822Name("a@b.example")])
    builder = x509.CertificateSigningRequestBuilder(name).add_extension(names, critical=False)
    return builder.sign(ecdsa_key, SHA384()).public_bytes(Encoding.DER)


@pytest.mark.filterwarnings("ignore::UserWarning")  # of lengths and alphabets in names
@settings(max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=3))
@example(changes=[(0, 0x31)])
def test_changed_bytes_never_pass_and_never_raise_anything_else(der: bytes, changes: list[tuple[int, int]]) -> None:
    changed = bytearray(der)
    for place, value in changes:
        changed[place % len(der)] = value
    try:
        request = parse_request(bytes(changed))
    except Refused:
        return
    assert request.der == der
