"""What a server presents, judged: one vector for each way in which it can be wrong."""

import ipaddress
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bothways.findings import Finding
from bothways.pki.server_chain import path_to_anchor, server_chain_findings

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
    return builder.sign(issuer[0], wrong.get("digest", SHA256()))


def ids(findings: tuple[Finding, ...]) -> list[str]:
    return [each.id for each in findings]


def test_a_good_chain_has_no_findings(cas: tuple[Any, Any]) -> None:
    root, middle = cas
    own = end_entity(middle)
    assert server_chain_findings((own, middle[1]), (root[1],), HOST, NOW) == ()
    assert path_to_anchor((own, middle[1]), (root[1],), NOW) == (own, middle[1], root[1])
    # An endorsed intermediate is an anchor: Envoy stops there as well.
    assert path_to_anchor((own,), (middle[1],), NOW) == (own, middle[1])


def test_gaps_order_and_strangers_are_told_apart(cas: tuple[Any, Any], make_ca: MakeCa) -> None:
    root, middle = cas
    own = end_entity(middle)
    missing = server_chain_findings((own,), (root[1],), HOST, NOW)
    assert ids(missing) == ["PROBE-CHAIN-01"]
    assert "CN=TLS CA" in missing[0].message
    assert ids(server_chain_findings((own, middle[1], root[1]), (make_ca("Root")[1],), HOST, NOW)) == ["PROBE-CHAIN-02"]
    assert ids(server_chain_findings((own, middle[1]), (make_ca("Root")[1],), HOST, NOW)) == ["PROBE-CHAIN-02"]
    closed = server_chain_findings((own,), (middle[1], root[1]), HOST, NOW)
    assert [(each.id, each.level.value) for each in closed] == [("PROBE-CHAIN-03", "warning")]
    unordered = server_chain_findings((own, root[1], middle[1]), (root[1],), HOST, NOW)
    assert ids(unordered) == ["PROBE-CHAIN-04"]
    assert f"CN={HOST}, then CN=TLS CA, then CN=Root" in unordered[0].message


def test_a_ca_that_has_ended_or_is_none_or_may_not_is_on_no_path(make_ca: MakeCa) -> None:
    root = make_ca("Root")
    for wrong in (make_ca("TLS CA", root, days=-1), make_ca("TLS CA", root, ca=False)):
        own = end_entity(wrong)
        assert path_to_anchor((own, wrong[1]), (root[1],), NOW) is None
        assert "PROBE-CHAIN-02" in ids(server_chain_findings((own, wrong[1]), (root[1],), HOST, NOW))


def test_cas_that_all_issued_each_other_are_gone_through_once(make_ca: MakeCa) -> None:
    # One name and one key: each of these is an issuer of each, and the ways through them are without number.
    first = make_ca("Loop")
    loop = [first[1], *(make_ca("Loop", first, key=first[0])[1] for _ in range(15))]
    own = end_entity(first)
    assert path_to_anchor((own, *loop), (make_ca("Root")[1],), NOW) is None
    assert path_to_anchor((own, *loop), (loop[7],), NOW) == (own, loop[7])


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
    ],
)
def test_each_mistake_of_the_servers_own_certificate_is_one_finding(
    cas: tuple[Any, Any], wrong: dict[str, Any], found: str
) -> None:
    root, middle = cas
    findings = server_chain_findings((end_entity(middle, **wrong), middle[1]), (root[1],), HOST, NOW)
    assert ids(findings) == [found]
    if found.startswith("PROBE-NAME"):
        assert f"DNS:{HOST}" in findings[0].hint


def test_a_signature_with_sha_1_is_found(monkeypatch: pytest.MonkeyPatch, cas: tuple[Any, Any]) -> None:
    from bothways.pki import server_chain  # noqa: PLC0415

    root, middle = cas
    # The library signs nothing with SHA-1 any more, so the good digests are named as bad ones.
    monkeypatch.setattr(server_chain, "_HASHES", ("sha384",))
    findings = server_chain_findings((end_entity(middle), middle[1]), (root[1],), HOST, NOW)
    assert ids(findings) == ["PROBE-KEY-02"]
