import base64
import subprocess
import textwrap
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID
from tests.programs import require

from bothways.contract.document import KeyType, RequestTerms
from bothways.errors import Refused
from bothways.pki.est import BODY_LIMIT, certs_only, csr_attributes, decoded, encoded, same_subject

CONTENT = bytes(range(256))
ONE_LINE = base64.b64encode(CONTENT)


@pytest.mark.parametrize(
    "body",
    [
        ONE_LINE,
        ONE_LINE + b"\r\n",
        b"\n".join(ONE_LINE[start : start + 64] for start in range(0, len(ONE_LINE), 64)),
        b"\r\n".join(ONE_LINE[start : start + 76] for start in range(0, len(ONE_LINE), 76)) + b"\r\n",
    ],
    ids=["one line", "a line end", "64", "76 with CRLF"],
)
def test_base64_is_read_in_one_line_and_in_many(body: bytes) -> None:
    assert decoded(body) == CONTENT


def test_answers_are_in_one_line() -> None:
    assert encoded(CONTENT) == ONE_LINE


def test_pem_passes_as_it_is() -> None:
    pem = b"\n-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"
    assert decoded(pem) == pem


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"*" * 8, "no base64"),
        (b"AAA", "no base64"),
        (b"\0" * 8, "no base64"),
        (b"A" * (BODY_LIMIT + 1), "at most"),
    ],
)
def test_another_body_is_refused_with_a_sentence(body: bytes, said: str) -> None:
    with pytest.raises(Refused, match=said) as refused:
        decoded(body)
    assert [finding.id for finding in refused.value.findings] == ["EST-BODY-01"]


def test_a_certs_only_message_has_the_certificates_and_no_signer(make_ca: Callable[..., tuple[Any, Any]]) -> None:
    certificates = [make_ca(name)[1] for name in ("one", "two")]
    message = certs_only(certificates)
    assert set(pkcs7.load_der_pkcs7_certificates(message)) == set(certificates)
    # signedData, version 1, no digest algorithms; and at the end no signer infos (RFC 5652 section 5.1).
    assert bytes.fromhex("06092a864886f70d010702") in message[:20]
    assert message.endswith(bytes.fromhex("3100"))


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ((KeyType.ECDSA,), "id-ecPublicKey prime256v1 ecdsa-with-SHA256"),
        ((KeyType.RSA,), "rsaEncryption 1000 sha256WithRSAEncryption"),
        (
            (KeyType.RSA, KeyType.ECDSA),
            "id-ecPublicKey prime256v1 ecdsa-with-SHA256 rsaEncryption 1000 sha256WithRSAEncryption",
        ),
    ],
)
def test_the_attributes_are_what_the_contract_lists_as_openssl_reads_them(
    keys: tuple[KeyType, ...], wanted: str
) -> None:
    require("openssl")
    command = ["openssl", "asn1parse", "-inform", "DER"]
    done = subprocess.run(
        command, input=csr_attributes(RequestTerms(keys=keys)), capture_output=True, check=True, timeout=20
    )
    values = [line.rsplit(":", 1)[1] for line in done.stdout.decode().splitlines() if "prim:" in line]
    assert " ".join(values) == wanted, textwrap.indent(done.stdout.decode(), "  ")


def test_a_subject_is_the_same_in_another_order_and_with_no_other_value() -> None:
    parts = [x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"), x509.NameAttribute(NameOID.COMMON_NAME, "a")]
    name = x509.Name(parts)
    assert same_subject(name, x509.Name(parts[::-1]))
    for other in (parts[:1], [*parts, parts[1]], [parts[0], x509.NameAttribute(NameOID.COMMON_NAME, "A")], []):
        assert not same_subject(name, x509.Name(other))
