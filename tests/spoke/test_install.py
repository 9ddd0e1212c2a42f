import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.postgresql import another

from bothways import files
from bothways.contract.document import Environment, KeyType
from bothways.contract.render import render_contract
from bothways.contract.subject import Subject
from bothways.errors import Conflict, Refused, Unusable
from bothways.operations.certificates import certificate_chain
from bothways.operations.customers import add_customer
from bothways.operations.hub import Hub, contract, initialise, new_terms, open_hub
from bothways.operations.requests import approve_request, submit_request
from bothways.operations.settings import Settings, TwoPeople
from bothways.registry.customer import CustomerKind
from bothways.spoke.csr import make_request
from bothways.spoke.directory import Spoke, alone, init_spoke
from bothways.spoke.install import install_certificate
from bothways.spoke.pair import previous, read_key

Certified = Callable[[Spoke], bytes]
CA = tuple[ec.EllipticCurvePrivateKey, x509.Certificate]


def issued(
    spoke: Spoke,
    ca: CA,
    *,
    days: int = 30,
    begin: int = -1,
    client: bool = True,
    uri: str = "urn:bothways:PPR:12345678:1",
) -> bytes:
    """Return a certificate for the spoke's key from this CA, otherwise like the hub's own."""
    end = datetime.now(UTC) + timedelta(days=days)
    usage = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TLSMA-ECDSA/12345678/PPR")]))
        .issuer_name(ca[1].subject)
        .public_key(read_key(spoke.key_file).key.public_key())
        .serial_number(1)
        .not_valid_before(min(end, datetime.now(UTC)) + timedelta(days=begin))
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
    changed = trusting_ca(spoke, ca[1])
    make_request(changed, KeyType.ECDSA, subject)
    return changed, ca


def trusting_ca(spoke: Spoke, ca: x509.Certificate) -> Spoke:
    """Return the spoke under a contract with this issuing CA."""
    trust = replace(spoke.contract.trust, issuing_ca=ca.public_bytes(Encoding.PEM).decode())
    return replace(spoke, contract=replace(spoke.contract, trust=trust))


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
    assert previous(ready_spoke) is None


def test_the_certificate_before_is_kept(
    ready_spoke: Spoke, contract_file: Path, certified: Certified, tmp_path: Path
) -> None:
    before = ready_spoke.certificate_file.read_bytes()
    renewed = init_spoke(tmp_path / "renewed", str(contract_file), ready_spoke.tsp_id)
    chain = certified(renewed)
    renewed.key_file.replace(ready_spoke.key_file)
    install_certificate(ready_spoke, chain)
    assert ready_spoke.certificate_file.read_bytes() == chain
    kept = previous(ready_spoke)
    assert kept
    assert (kept / "tls.crt").read_bytes() == before


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
        ({"begin": 1}, ["INSTALL-07"]),
        ({"days": -1, "client": False, "uri": ""}, ["INSTALL-04", "INSTALL-05", "INSTALL-06"]),
    ],
    ids=[
        "other environment",
        "other customer",
        "no URI-ID",
        "server certificate",
        "expired",
        "not yet valid",
        "all findings at once",
    ],
)
def test_what_the_hub_never_issues_is_refused(
    own_ca: tuple[Spoke, CA], change: dict[str, object], found: list[str]
) -> None:
    changed, ca = own_ca
    install_certificate(changed, issued(changed, ca))
    before = changed.certificate_file.read_bytes()
    assert refusal(changed, issued(changed, ca, **change)) == found  # type: ignore[arg-type]
    assert changed.certificate_file.read_bytes() == before


def test_expired_and_not_yet_valid_are_told_apart_in_words(own_ca: tuple[Spoke, CA]) -> None:
    changed, ca = own_ca
    with pytest.raises(Refused, match=r"expired on 20.* Make a new request.* bothways spoke csr"):
        install_certificate(changed, issued(changed, ca, days=-1))
    with pytest.raises(Refused, match=r"is not valid yet: from 20.* Check the clock of this machine"):
        install_certificate(changed, issued(changed, ca, begin=1))


def test_the_chain_is_ordered_whatever_the_order_and_superfluous_is_left_out(
    spoke: Spoke, subject: Subject, make_ca: Callable[..., CA]
) -> None:
    root = make_ca("root")
    upper = make_ca("upper", root)
    lower = make_ca("lower", upper)
    trusting = trusting_ca(spoke, root[1])
    make_request(trusting, KeyType.ECDSA, subject)
    own = issued(trusting, lower)
    blocks = [upper[1].public_bytes(Encoding.PEM), root[1].public_bytes(Encoding.PEM)]
    stranger = make_ca("stranger")[1].public_bytes(Encoding.PEM)
    handed = [blocks[1], stranger, blocks[0], own, lower[1].public_bytes(Encoding.PEM), own]
    installed = install_certificate(trusting, b"".join(handed))
    assert installed.chain == ("CN=TLSMA-ECDSA/12345678/PPR", "CN=lower", "CN=upper", "CN=root")
    written = x509.load_pem_x509_certificates(trusting.certificate_file.read_bytes())
    assert tuple(each.subject.rfc4514_string() for each in written) == installed.chain
    (trusting.directory / "root.pem").write_bytes(blocks[1])
    command = ["openssl", "verify", "-CAfile", "root.pem", "-untrusted", "tls.crt", "tls.crt"]
    seen = subprocess.run(command, cwd=trusting.directory, capture_output=True, text=True, check=False, timeout=30)
    assert seen.stdout == "tls.crt: OK\n", seen.stderr


def test_a_missing_intermediate_is_named(spoke: Spoke, subject: Subject, make_ca: Callable[..., CA]) -> None:
    root = make_ca("root")
    lower = make_ca("lower", make_ca("upper", root))
    trusting = trusting_ca(spoke, root[1])
    make_request(trusting, KeyType.ECDSA, subject)
    data = issued(trusting, lower) + lower[1].public_bytes(Encoding.PEM)
    with pytest.raises(Refused, match="CN=upper, which issued CN=lower, is neither in the file nor the issuing CA"):
        install_certificate(trusting, data)


def test_a_chain_that_ends_elsewhere_and_a_false_name_are_said(
    own_ca: tuple[Spoke, CA], make_ca: Callable[..., CA]
) -> None:
    changed, _ = own_ca
    other = make_ca("another CA")
    with pytest.raises(Refused, match="ends at CN=another CA, which is not the issuing CA"):
        install_certificate(changed, issued(changed, other) + other[1].public_bytes(Encoding.PEM))
    with pytest.raises(Refused, match="was not signed by the key of the contract's issuing CA"):
        install_certificate(changed, issued(changed, make_ca("issuing CA of the test")))


def test_an_issuer_that_is_no_ca_is_refused(own_ca: tuple[Spoke, CA], make_ca: Callable[..., CA]) -> None:
    changed, ca = own_ca
    middle = make_ca("no CA", ca, ca=False)
    data = issued(changed, middle) + middle[1].public_bytes(Encoding.PEM)
    assert refusal(changed, data) == ["INSTALL-08"]


def test_an_issuer_that_has_expired_is_refused(spoke: Spoke, subject: Subject, make_ca: Callable[..., CA]) -> None:
    old = make_ca("old CA", days=-1)
    trusting = trusting_ca(spoke, old[1])
    make_request(trusting, KeyType.ECDSA, subject)
    assert refusal(trusting, issued(trusting, old)) == ["INSTALL-06"]


def test_installing_the_same_again_changes_nothing(ready_spoke: Spoke) -> None:
    before = sorted(ready_spoke.directory.rglob("*"))
    assert not install_certificate(ready_spoke, ready_spoke.certificate_file.read_bytes()).changed
    assert sorted(ready_spoke.directory.rglob("*")) == before
    assert previous(ready_spoke) is None


def test_without_a_key_it_says_to_make_the_request(ready_spoke: Spoke) -> None:
    chain = ready_spoke.certificate_file.read_bytes()
    ready_spoke.key_file.unlink()
    with pytest.raises(Unusable, match=r"holds no private key.* bothways spoke csr --directory"):
        install_certificate(ready_spoke, chain)


def test_two_commands_at_once_do_not_mix(ready_spoke: Spoke) -> None:
    with alone(ready_spoke.directory), pytest.raises(Conflict, match="another bothways spoke command is writing"):
        install_certificate(ready_spoke, ready_spoke.certificate_file.read_bytes())


def test_a_certificate_of_the_other_environments_hub_is_refused(
    spoke: Spoke, subject: Subject, certified: Certified, settings: Settings, tmp_path: Path
) -> None:
    certified(spoke)
    directory = tmp_path / "prd"
    single = replace(another(settings), two_people=TwoPeople.DANGER_NEVER)
    initialise(directory, new_terms(Environment.PRD, "prd.hub.localhost", single), single, "tester")
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


def test_the_key_of_a_request_that_was_made_elsewhere_is_brought_with_the_certificate(
    hub: Hub, spoke: Spoke, make_csr: Callable[..., bytes], tmp_path: Path
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    record = approve_request(hub, submit_request(hub, spoke.tsp_id, make_csr(key)).id)
    chain = certificate_chain(hub, record).encode()
    with pytest.raises(Unusable, match="--key-file"):
        install_certificate(spoke, chain)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files.write_new(tmp_path / "elsewhere.key", pem, files.PRIVATE)
    (tmp_path / "tls.csr").write_text("somebody else's")
    assert install_certificate(spoke, chain, key_file=tmp_path / "elsewhere.key").changed
    assert spoke.key_file.read_bytes() == pem
    assert not (spoke.directory / "current" / "tls.csr").exists()
    assert (tmp_path / "elsewhere.key").exists()
