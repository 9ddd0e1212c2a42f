from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bothways.contract.document import Environment, KeyType
from bothways.contract.render import render_contract
from bothways.contract.subject import Subject
from bothways.errors import Refused
from bothways.operations.certificates import certificate_chain
from bothways.operations.customers import add_customer
from bothways.operations.hub import Hub, contract, initialise, new_terms, open_hub
from bothways.operations.requests import approve_request, submit_request
from bothways.operations.settings import Settings
from bothways.registry.customer import CustomerKind
from bothways.spoke.csr import make_request, read_key
from bothways.spoke.directory import Spoke, init_spoke
from bothways.spoke.install import install_certificate

Certified = Callable[[Spoke], bytes]
CA = tuple[ec.EllipticCurvePrivateKey, x509.Certificate]


def issued(
    spoke: Spoke, ca: CA, *, days: int = 30, client: bool = True, uri: str = "urn:bothways:PPR:12345678:1"
) -> bytes:
    """Return a certificate for the spoke's key from this CA, otherwise like the hub's own."""
    end = datetime.now(UTC) + timedelta(days=days)
    usage = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TLSMA-ECDSA/12345678/PPR")]))
        .issuer_name(ca[1].subject)
        .public_key(read_key(spoke).public_key())
        .serial_number(1)
        .not_valid_before(min(end, datetime.now(UTC)) - timedelta(days=1))
        .not_valid_after(end)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    )
    if uri:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=False
        )
    return builder.sign(ca[0], SHA256()).public_bytes(Encoding.PEM)


@pytest.fixture
def own_ca(spoke: Spoke, subject: Subject, make_ca: Callable[..., CA]) -> tuple[Spoke, CA]:
    """A spoke with a key, under a contract whose issuing CA the test holds: it can issue what a hub never would."""
    ca = make_ca("issuing CA of the test")
    trust = replace(spoke.contract.trust, issuing_ca=ca[1].public_bytes(Encoding.PEM).decode())
    changed = replace(spoke, contract=replace(spoke.contract, trust=trust))
    make_request(changed, KeyType.ECDSA, subject)
    return changed, ca


def refusal(spoke: Spoke, data: bytes) -> list[str]:
    with pytest.raises(Refused) as refused:
        install_certificate(spoke, data)
    return [finding.id for finding in refused.value.findings]


def test_the_issued_certificate_is_installed_with_its_issuer(spoke: Spoke, certified: Certified) -> None:
    chain = certified(spoke)
    installed = install_certificate(spoke, chain)
    assert spoke.certificate_file.read_bytes() == chain
    assert installed.uri_id.startswith("urn:bothways:PPR:12345678:")
    assert installed.fingerprint == x509.load_pem_x509_certificates(chain)[0].fingerprint(SHA256()).hex()


def test_the_issuer_is_added_where_it_was_not_handed_over(spoke: Spoke, certified: Certified) -> None:
    chain = certified(spoke)
    alone = x509.load_pem_x509_certificates(chain)[0].public_bytes(Encoding.PEM)
    install_certificate(spoke, alone)
    assert spoke.certificate_file.read_bytes() == chain


def test_a_certificate_for_another_key_is_refused_and_the_installed_one_stays(
    ready_spoke: Spoke, contract_file: Path, certified: Certified, tmp_path: Path
) -> None:
    before = ready_spoke.certificate_file.read_bytes()
    other = init_spoke(tmp_path / "other", str(contract_file), ready_spoke.tsp_id)
    assert refusal(ready_spoke, certified(other)) == ["INSTALL-02"]
    assert ready_spoke.certificate_file.read_bytes() == before
    assert not (ready_spoke.directory / "tls.crt.previous").exists()


def test_the_certificate_before_is_kept(
    ready_spoke: Spoke, contract_file: Path, certified: Certified, tmp_path: Path
) -> None:
    before = ready_spoke.certificate_file.read_bytes()
    renewed = init_spoke(tmp_path / "renewed", str(contract_file), ready_spoke.tsp_id)
    chain = certified(renewed)
    renewed.key_file.replace(ready_spoke.key_file)
    install_certificate(ready_spoke, chain)
    assert ready_spoke.certificate_file.read_bytes() == chain
    assert (ready_spoke.directory / "tls.crt.previous").read_bytes() == before


def test_a_certificate_from_another_ca_is_refused(own_ca: tuple[Spoke, CA], make_ca: Callable[..., CA]) -> None:
    changed, _ = own_ca
    assert refusal(changed, issued(changed, make_ca("another CA"))) == ["INSTALL-03"]


def test_a_ca_that_only_has_the_right_name_is_refused(own_ca: tuple[Spoke, CA], make_ca: Callable[..., CA]) -> None:
    changed, _ = own_ca
    assert refusal(changed, issued(changed, make_ca("issuing CA of the test"))) == ["INSTALL-03"]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"uri": "urn:bothways:PRD:12345678:1"}, ["INSTALL-04"]),
        ({"uri": "urn:bothways:PPR:1234567:1"}, ["INSTALL-04"]),
        ({"uri": ""}, ["INSTALL-04"]),
        ({"client": False}, ["INSTALL-05"]),
        ({"days": -1}, ["INSTALL-06"]),
        ({"days": -1, "client": False, "uri": ""}, ["INSTALL-04", "INSTALL-05", "INSTALL-06"]),
    ],
    ids=["other environment", "other customer", "no URI-ID", "server certificate", "expired", "all findings at once"],
)
def test_what_the_hub_never_issues_is_refused(
    own_ca: tuple[Spoke, CA], change: dict[str, object], found: list[str]
) -> None:
    changed, ca = own_ca
    install_certificate(changed, issued(changed, ca))
    before = changed.certificate_file.read_bytes()
    assert refusal(changed, issued(changed, ca, **change)) == found  # type: ignore[arg-type]
    assert changed.certificate_file.read_bytes() == before


def test_a_certificate_of_the_other_environments_hub_is_refused(
    spoke: Spoke, subject: Subject, certified: Certified, settings: Settings, tmp_path: Path
) -> None:
    certified(spoke)
    directory = tmp_path / "prd"
    initialise(directory, new_terms(Environment.PRD, "prd.hub.localhost", settings), settings, "tester")
    with open_hub(directory, "tester") as prd:
        other = _spoke_of(prd, tmp_path, spoke.tsp_id)
        make_request(other, KeyType.ECDSA, subject)
        assert refusal(spoke, _approved(prd, other)) == ["INSTALL-02", "INSTALL-03", "INSTALL-04"]


@pytest.mark.parametrize(
    ("data", "found"),
    [(b"", "CSR-FILE-04"), (b"0\x82\x00", "INSTALL-01"), (b"-----BEGIN PRIVATE KEY-----", "CSR-FILE-02")],
    ids=["empty", "broken DER", "a private key"],
)
def test_what_is_no_certificate_is_refused(spoke: Spoke, data: bytes, found: str) -> None:
    assert refusal(spoke, data) == [found]


def _spoke_of(hub: Hub, tmp_path: Path, tsp_id: str) -> Spoke:
    add_customer(hub, tsp_id, CustomerKind.ISSUER, "First Bank")
    (tmp_path / "prd.toml").write_text(render_contract(contract(hub)))
    return init_spoke(tmp_path / "prd-spoke", str(tmp_path / "prd.toml"), tsp_id)


def _approved(hub: Hub, spoke: Spoke) -> bytes:
    stored = submit_request(hub, spoke.tsp_id, spoke.request_file.read_bytes())
    return certificate_chain(hub, approve_request(hub, stored.id)).encode()
