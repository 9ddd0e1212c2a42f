"""What is judged of the hub's certificate; the connections themselves are in tests/wire/test_spoke_check.py."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from tests.wire.servers import make_pki

from bothways.spoke.check.inbound import hub_address, hub_findings
from bothways.spoke.directory import Spoke


def ids(spoke: Spoke, chain: tuple[x509.Certificate, ...], host: str = "hub.localhost", days: int = 0) -> list[str]:
    now = datetime.now(UTC) + timedelta(days=days)
    return [each.id for each in hub_findings(chain, "silent", spoke, host, 443, now)]


def test_the_hub_is_known_by_path_name_and_dates_each_told_alone(spoke: Spoke, tmp_path: Path) -> None:
    pki = make_pki(tmp_path, "", "hub.localhost", names=[x509.DNSName("hub.localhost"), x509.DNSName("*.wild.example")])
    chain = tuple(x509.load_pem_x509_certificates(pki.certificate.read_bytes()))
    trusting = replace(spoke, contract=replace(spoke.contract, trust=replace(spoke.contract.trust, server_ca=pki.root)))
    assert ids(trusting, chain) == []
    assert ids(trusting, chain, "api.wild.example") == []
    assert ids(trusting, chain, "other.example") == ["CHECK-HUB-03"]
    assert ids(trusting, chain, days=100) == ["CHECK-HUB-04"]
    assert ids(trusting, chain[:1]) == ["CHECK-HUB-02"]
    assert ids(spoke, chain) == ["CHECK-HUB-02"]
    assert ids(spoke, ()) == ["CHECK-HUB-01"]


def test_the_endpoint_has_a_port_where_none_is_written(spoke: Spoke) -> None:
    terms = replace(spoke.contract.terms, endpoint="https://api.hub.example")
    assert hub_address(replace(spoke, contract=replace(spoke.contract, terms=terms))) == ("api.hub.example", 443)
