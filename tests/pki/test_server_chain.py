"""What a server presents, judged: one vector for each way in which it can be wrong."""

import ipaddress
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.programs import require
from tests.wire.servers import key_usage

from bothways.errors import Refused
from bothways.findings import Finding
from bothways.pki.path import certification_path
from bothways.pki.server_chain import server_chain_findings

HOST = "callbacks.bank.example"
NOW = datetime.now(UTC)
DAY = timedelta(days=1)
MakeCa = Callable[..., tuple[Any, x509.Certificate]]


@pytest.fixture
def cas(make_ca: MakeCa) -> tuple[Any, Any]:
    root = make_ca("Root")
    return root, make_ca("TLS CA", root)


def end_entity(issuer: Any, **wrong: Any) -> x509.Certificate:
    key = wrong.get("key") or ec.generate_private_key(ec.SECP256R1())
    common = wrong.get("common", HOST)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)]))
        .issuer_name(issuer[1].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(wrong.get("begin", NOW - DAY))
        .not_valid_after(wrong.get("end", NOW + 90 * DAY))
    )
    if names := wrong.get("names", [x509.DNSName(HOST)]):
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if usage := wrong.get("usage"):
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if has := wrong.get("has"):
        builder = builder.add_extension(has, critical=True)
    return builder.sign(issuer[0], wrong.get("digest", SHA256()))


def ids(findings: tuple[Finding, ...]) -> list[str]:
    return [each.id for each in findings]


def test_a_good_chain_has_no_findings(cas: tuple[Any, Any]) -> None:
    root, middle = cas
    for good in ({}, {"has": key_usage(digital_signature=True)}):
        own = end_entity(middle, **good)
        way = (own, middle[1], root[1])
        assert server_chain_findings((own, middle[1]), (root[1],), way, HOST, NOW) == ()


def test_gaps_order_and_strangers_are_told_apart(cas: tuple[Any, Any], make_ca: MakeCa) -> None:
    root, middle = cas
    own, twin = end_entity(middle), make_ca("Root")[1]
    missing = server_chain_findings((own,), (root[1],), (), HOST, NOW)
    assert ids(missing) == ["PROBE-CHAIN-01"]
    assert "CN=TLS CA" in missing[0].message
    assert ids(server_chain_findings((own, middle[1], root[1]), (twin,), (), HOST, NOW)) == ["PROBE-CHAIN-02"]
    assert ids(server_chain_findings((own, middle[1]), (twin,), (), HOST, NOW)) == ["PROBE-CHAIN-02"]
    closed = server_chain_findings((own,), (middle[1], root[1]), (own, middle[1]), HOST, NOW)
    assert [(each.id, each.level.value) for each in closed] == [("PROBE-CHAIN-03", "warning")]
    way = (own, middle[1], root[1])
    unordered = server_chain_findings((own, root[1], middle[1]), (root[1],), way, HOST, NOW)
    assert ids(unordered) == ["PROBE-CHAIN-04"]
    assert f"in order, which is: CN={HOST}; CN=TLS CA; CN=Root" in unordered[0].message


def test_what_has_ended_beside_the_way_is_a_warning(cas: tuple[Any, Any], make_ca: MakeCa) -> None:
    root, middle = cas
    own, ended = end_entity(middle), make_ca("TLS CA", root, days=-1)[1]
    found = server_chain_findings((own, middle[1], ended), (root[1],), (own, middle[1], root[1]), HOST, NOW)
    assert [(each.id, each.level.value) for each in found if "DATE" in each.id] == [("PROBE-DATE-01", "warning")]


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ({"names": []}, "PROBE-NAME-01"),
        ({"names": [x509.DNSName("*.bank.example")]}, "PROBE-NAME-02"),
        ({"names": [x509.IPAddress(ipaddress.ip_address("192.0.2.1"))]}, "PROBE-NAME-03"),
        ({"names": [x509.DNSName("*.example")]}, "PROBE-NAME-04"),
        ({"names": [x509.DNSName("other.bank.example")]}, "PROBE-NAME-04"),
        ({"names": [], "common": "Bank"}, "PROBE-NAME-04"),
        ({"end": NOW - DAY / 2}, "PROBE-DATE-01"),
        ({"begin": NOW + DAY}, "PROBE-DATE-02"),
        ({"end": NOW + 29 * DAY}, "PROBE-DATE-03"),
        ({"key": ec.generate_private_key(ec.SECP521R1())}, "PROBE-KEY-01"),
        ({"key": ed25519.Ed25519PrivateKey.generate()}, "PROBE-KEY-01"),
        ({"key": rsa.generate_private_key(65537, 1024)}, "PROBE-KEY-01"),  # noqa: S505
        ({"usage": ExtendedKeyUsageOID.CLIENT_AUTH}, "PROBE-KEY-03"),
        ({"has": key_usage(key_encipherment=True)}, "PROBE-KEY-04"),
    ],
)
def test_each_mistake_of_the_servers_own_certificate_is_one_finding(
    cas: tuple[Any, Any], wrong: dict[str, Any], found: str
) -> None:
    root, middle = cas
    own = end_entity(middle, **wrong)
    findings = server_chain_findings((own, middle[1]), (root[1],), (own, middle[1], root[1]), HOST, NOW)
    assert ids(findings) == [found]
    if found.startswith("PROBE-NAME"):
        assert f"DNS:{HOST}" in findings[0].hint


def test_a_signature_with_sha_1_is_found(cas: tuple[Any, Any], tmp_path: Path) -> None:
    root, middle = cas
    own = of_sha1(middle, tmp_path)
    now = NOW + DAY
    findings = server_chain_findings((own, middle[1]), (root[1],), (own, middle[1], root[1]), HOST, now)
    assert ids(findings) == ["PROBE-KEY-02"]
    # Nobody checks that signature any more: it is believed by nobody, and that alone is said.
    with pytest.raises(Refused) as refused:
        certification_path((own, middle[1]), (root[1],), HOST, now)
    assert ids(refused.value.findings) == ["PROBE-KEY-02"]


def of_sha1(issuer: Any, place: Path) -> x509.Certificate:
    """Return a server's certificate that openssl signed with SHA-1: the library signs nothing with it any more."""
    require("openssl")
    key = issuer[0].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (place / "ca.key").write_bytes(key)
    (place / "ca.crt").write_bytes(issuer[1].public_bytes(Encoding.PEM))
    (place / "ext").write_text(f"subjectAltName=DNS:{HOST}\n")
    for command in (
        f"req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout own.key -subj /CN={HOST} -out own.csr",
        "x509 -req -sha1 -in own.csr -CA ca.crt -CAkey ca.key -set_serial 7 -days 90 -extfile ext -out own.crt",
    ):
        subprocess.run(["openssl", *command.split()], cwd=place, check=True, capture_output=True, timeout=60)
    return x509.load_pem_x509_certificate((place / "own.crt").read_bytes())
