import base64
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from bothways.errors import Refused
from bothways.findings import Level
from bothways.pki.encoding import CHAIN_LIMIT, REQUEST_LIMIT, certificates_der, pem, request_der

DER = bytes.fromhex("3003020101")
REQUEST = pem("CERTIFICATE REQUEST", DER)
CERTIFICATE = pem("CERTIFICATE", DER)
ENCRYPTED = BestAvailableEncryption(b"secret")


def refusal(read: Callable[[bytes, str], object], data: bytes) -> list[str]:
    with pytest.raises(Refused) as refused:
        read(data, "pasted")
    assert {each.subject for each in refused.value.findings} == {"pasted"}
    return [each.id for each in refused.value.findings]


@settings(deadline=None)
@given(st.binary(max_size=500))
def test_a_block_comes_back_as_it_was(der: bytes) -> None:
    assert certificates_der(pem("CERTIFICATE", der).encode(), "pasted") == (der,)


def test_a_block_is_that_of_rfc_7468() -> None:
    assert pem("CERTIFICATE", bytes(49)) == (
        f"-----BEGIN CERTIFICATE-----\n{'A' * 64}\nAA==\n-----END CERTIFICATE-----\n"
    )


@pytest.mark.parametrize(
    "data",
    [
        DER,
        REQUEST.encode(),
        REQUEST.replace("CERTIFICATE", "NEW CERTIFICATE").encode(),
        REQUEST.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + REQUEST.encode(),
        b"Certificate Request:\n    Data: ...\n" + REQUEST.encode() + b"\n\n",
        REQUEST.rstrip().encode(),
        REQUEST.replace("MAMC", "MA\n MC ").encode(),
    ],
    ids=["DER", "PEM", "NEW", "CRLF", "BOM", "text around", "no newline", "other lines"],
)
def test_the_ways_in_which_a_request_comes_are_normalised(data: bytes) -> None:
    assert request_der(data, "pasted")[0] == DER


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (DER, None),
        (REQUEST.encode(), None),
        (f"\n\n{REQUEST}\n".encode(), None),
        (REQUEST.replace("CERTIFICATE", "NEW CERTIFICATE").encode(), "the old label NEW CERTIFICATE REQUEST"),
        (REQUEST.replace("\n", "\r\n").encode(), "line ends of Windows"),
        (REQUEST.replace("\n", "\\n").encode(), "line ends that a program had escaped"),
        (b"\xef\xbb\xbf" + REQUEST.encode(), "a byte order mark was removed"),
        (REQUEST.encode("utf-16"), "UTF-16 was read as text"),
        (REQUEST.encode("utf-16-le"), "UTF-16 was read as text"),
        (REQUEST.replace("MAMC", "MA\u200bMC").encode(), "invisible characters were removed"),
        (f"Certificate Request:\n{REQUEST}".encode(), "text around it was left out"),
        (REQUEST.replace("MAMC", "MA\n MC ").encode(), "blanks and empty lines in the base64 were removed"),
    ],
)
def test_what_was_normalised_is_said(data: bytes, said: str | None) -> None:
    der, notes = request_der(data, "pasted")
    assert der == DER
    assert [(each.id, each.level, each.subject) for each in notes] == (
        [("CSR-NOTE-01", Level.INFO, "pasted")] if said else []
    )
    assert said is None or said in notes[0].message


def test_base64_without_the_lines_around_it_is_a_request(make_csr: Callable[..., bytes]) -> None:
    text = make_csr()
    der, notes = request_der(b"\n".join(text.split(b"\n")[1:-2]), "pasted")
    assert pem("CERTIFICATE REQUEST", der).encode() == text
    assert "the lines with BEGIN and END were missing" in notes[0].message


@pytest.mark.parametrize(
    ("data", "id_"),
    [
        (b"", "CSR-FILE-04"),
        (b"hello", "CSR-FILE-04"),
        (REQUEST.encode("utf-32"), "CSR-FILE-04"),
        (b"\xff\xfe\x00\xd8", "CSR-FILE-04"),
        (REQUEST.replace("-----", "\u2014\u2013").encode(), "CSR-FILE-06"),
        (REQUEST.replace("-----", "----").encode(), "CSR-FILE-06"),
        (b"A" * 65, "CSR-FILE-04"),
        (b"\0" + DER, "CSR-FILE-04"),
        (b"x" * (REQUEST_LIMIT + 1), "CSR-FILE-01"),
        (REQUEST.encode() * 2, "CSR-FILE-05"),
        (CERTIFICATE.encode(), "CSR-FILE-03"),
        (REQUEST.encode() + CERTIFICATE.encode(), "CSR-FILE-03"),
        (REQUEST.replace("MAMC", "MA*C").encode(), "CSR-FILE-06"),
        (REQUEST.replace("MAMC", "MAM").encode(), "CSR-FILE-06"),
        (REQUEST.replace("MAMC", "Proc-Type: 4,ENCRYPTED\n\nMAMC").encode(), "CSR-FILE-06"),
        (REQUEST[:-10].encode(), "CSR-FILE-06"),
        (REQUEST[:40].encode() + REQUEST.encode(), "CSR-FILE-06"),
    ],
)
def test_what_is_not_one_request_is_refused_by_its_own_id(data: bytes, id_: str) -> None:
    assert refusal(request_der, data) == [id_]


@pytest.mark.parametrize("count", [1, 2, 10])
def test_a_chain_may_have_any_number_of_certificates(count: int) -> None:
    blocks = [bytes([0x30, 1, number]) for number in range(count)]
    text = "\nsubject=CN\n".join(pem("CERTIFICATE", each) for each in blocks)
    assert certificates_der(text.encode(), "pasted") == tuple(blocks)


@pytest.mark.parametrize(
    ("data", "id_"),
    [
        (REQUEST.encode(), "CSR-FILE-03"),
        (CERTIFICATE.replace("CERTIFICATE", "TRUSTED CERTIFICATE").encode(), "CSR-FILE-03"),
        (CERTIFICATE.replace("CERTIFICATE", "NEW CERTIFICATE").encode(), "CSR-FILE-03"),
        (b"x" * (CHAIN_LIMIT + 1), "CSR-FILE-01"),
        (CERTIFICATE.encode() + CERTIFICATE[:40].encode(), "CSR-FILE-06"),
        (CERTIFICATE[:40].encode() + CERTIFICATE.encode(), "CSR-FILE-06"),
        (b"-----BEGIN CERTIFICATE-----" * (CHAIN_LIMIT // 27), "CSR-FILE-06"),
    ],
)
def test_what_is_no_chain_is_refused_by_its_own_id(data: bytes, id_: str) -> None:
    assert refusal(certificates_der, data) == [id_]


def test_the_limit_itself_is_still_read() -> None:
    filler = b"#" * (REQUEST_LIMIT - len(REQUEST))
    assert request_der(filler + REQUEST.encode(), "pasted")[0] == DER


@pytest.mark.parametrize("encryption", [NoEncryption(), ENCRYPTED], ids=["clear", "encrypted"])
@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("read", [request_der, certificates_der])
def test_a_private_key_in_pem_is_refused_wherever_it_stands(
    ecdsa_key: ec.EllipticCurvePrivateKey,
    read: Callable[[bytes, str], object],
    form: PrivateFormat,
    encryption: KeySerializationEncryption,
) -> None:
    key = ecdsa_key.private_bytes(Encoding.PEM, form, encryption)
    own = REQUEST if read is request_der else CERTIFICATE
    for pasted in (key, key + own.encode(), own.encode() + key, key[:60], key.decode().encode("utf-16")):
        assert refusal(read, pasted) == ["CSR-FILE-02"]


@pytest.mark.parametrize("read", [request_der, certificates_der])
def test_a_private_key_in_der_is_refused(
    ecdsa_key: ec.EllipticCurvePrivateKey, rsa_key: rsa.RSAPrivateKey, read: Callable[[bytes, str], object]
) -> None:
    keys = [
        ecdsa_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        ecdsa_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, ENCRYPTED),
        ecdsa_key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        rsa_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        rsa_key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
    ]
    assert [refusal(read, each) for each in keys] == [["CSR-FILE-02"]] * 5


def test_a_private_key_beside_a_request_is_refused_without_its_label_too(
    ecdsa_key: ec.EllipticCurvePrivateKey, make_csr: Callable[..., bytes]
) -> None:
    der = ecdsa_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    for data in (
        make_csr() + base64.b64encode(der),
        b'{"key": "' + base64.b64encode(der) + b'", "csr": "' + make_csr(),
    ):
        with pytest.raises(Refused, match="CSR-FILE-02"):
            request_der(data, "tls.csr")


def test_a_private_key_without_its_label_is_refused(ecdsa_key: ec.EllipticCurvePrivateKey) -> None:
    der = ecdsa_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    mislabelled = pem("CERTIFICATE REQUEST", der)
    assert refusal(request_der, mislabelled.encode()) == ["CSR-FILE-02"]
    assert refusal(request_der, "".join(mislabelled.splitlines()[1:-1]).encode()) == ["CSR-FILE-02"]


@pytest.mark.parametrize("start", [b"-----BEGIN ", b"BEGIN PRIVATE KEY ", b" ", b"A", b"-----BEGIN A-----", b"\\n"])
def test_what_is_made_to_take_long_does_not(start: bytes) -> None:
    for read in (request_der, certificates_der):
        assert refusal(read, (start * REQUEST_LIMIT)[: REQUEST_LIMIT - 1] + b"!")


def test_a_refusal_never_repeats_what_was_pasted(ecdsa_key: ec.EllipticCurvePrivateKey) -> None:
    key = ecdsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(Refused) as refused:
        request_der(key, "pasted")
    secret = base64.b64encode(ecdsa_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())).decode()
    assert not any(secret[start : start + 12] in str(refused.value) for start in range(len(secret) - 12))
