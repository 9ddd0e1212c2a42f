"""EST as customers' software does it: curl with openssl, and strongSwan's `pki`; renewal through Envoy."""

import base64
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from tests.conftest import running
from tests.programs import require
from tests.wire.conftest import ISSUER

from bothways.cli.opening import control
from bothways.operations.audit import export_audit
from bothways.operations.certificates import certificate_chain, list_certificates
from bothways.operations.customers import add_customer
from bothways.operations.enrolment import enrolment_password
from bothways.operations.hub import Hub, contract
from bothways.operations.requests import approve_request, list_requests
from bothways.operations.settings import FILE, render_settings
from bothways.registry.customer import CustomerKind

pytestmark = pytest.mark.envoy
SUBJECT = "/C=FR/ST=Ile-de-France/L=Paris/O=First Bank/OU=Payments/CN=TLSMA-ECDSA/12345678/PPR"


@pytest.fixture
def strongswan(est_hub: Hub, need: Callable[..., None], tmp_path: Path) -> Callable[..., bytes]:
    """Return a runner of `pki` that finds the hub: it asks the system's resolver, which need not know our names."""
    need("pki", "unshare", "openssl")
    hosts = [urlsplit(url).hostname or "" for url in (est_hub.terms.portal, est_hub.terms.endpoint)]
    (tmp_path / "hosts").write_text(f"127.0.0.1 localhost {' '.join(hosts)}\n")
    within = ["unshare", "--mount", "--map-root-user", "sh", "-c"]
    private = f'mount --bind {tmp_path / "hosts"} /etc/hosts && exec "$@"'
    if subprocess.run([*within, private, "sh", "true"], capture_output=True, check=False, timeout=20).returncode:
        pytest.skip("this system gives nobody an /etc/hosts of its own (unshare --mount)")
    return lambda *arguments: run(*within, private, "sh", "pki", *arguments)


@pytest.fixture
def need() -> Callable[..., None]:
    """Return a check that programs are there; a test without them is skipped by name."""
    return require


@pytest.fixture
def est_hub(hub: Hub, issuer: str, request: pytest.FixtureRequest) -> Iterator[Hub]:
    """A running hub with a customer; parametrized with True, it issues without review."""
    assert issuer == ISSUER
    changed = replace(hub.settings, danger_enrolment_without_review=getattr(request, "param", False))
    (hub.directory / FILE).write_text(render_settings(changed))
    (hub.directory.parent / "server-ca.pem").write_text(contract(hub).trust.server_ca)
    with running(hub):
        yield hub


def run(*command: object, given: bytes | None = None) -> bytes:
    done = subprocess.run([str(each) for each in command], input=given, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def make_key_and_request(place: Path) -> bytes:
    """Make a new key and a request as the documentation says it; return the request in DER."""
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", place.with_suffix(".key"))
    new = ("openssl", "req", "-new", "-sha256", "-utf8", "-key", place.with_suffix(".key"), "-outform", "DER")
    escaped = SUBJECT.replace("TLSMA-ECDSA/12345678/PPR", r"TLSMA-ECDSA\/12345678\/PPR")
    return run(*new, "-subj", escaped)


def curl(hub: Hub, url: str, *arguments: object, given: bytes | None = None) -> tuple[int, bytes]:
    """Return the status and the body."""
    trust = ("--cacert", hub.directory.parent / "server-ca.pem")
    out = run("curl", "--silent", "--show-error", *trust, "--write-out", "\n%{http_code}", *arguments, url, given=given)
    body, _, status = out.rpartition(b"\n")
    return int(status), body


def certificates_in(body: bytes, place: Path) -> list[x509.Certificate]:
    """Return the certificates of an answer as openssl reads them."""
    place.write_bytes(base64.b64decode(body, validate=True))
    pem = run("openssl", "pkcs7", "-inform", "DER", "-in", place, "-print_certs")
    return x509.load_pem_x509_certificates(pem)


def test_curl_and_openssl_enroll_after_review_and_renew_through_envoy(
    est_hub: Hub, need: Callable[..., None], tmp_path: Path
) -> None:
    need("curl", "openssl")
    portal, endpoint = (f"{url}/.well-known/est" for url in (est_hub.terms.portal, est_hub.terms.endpoint))
    status, body = curl(est_hub, f"{portal}/cacerts")
    [authority] = certificates_in(body, tmp_path / "ca.p7")
    assert (status, authority) == (200, x509.load_pem_x509_certificate(contract(est_hub).trust.issuing_ca.encode()))

    user = ("--user", f"{ISSUER}:{enrolment_password(est_hub, ISSUER)}")
    first = base64.encodebytes(make_key_and_request(tmp_path / "first"))
    send = ("--header", "Content-Type: application/pkcs10", "--data-binary", "@-")
    status, body = curl(est_hub, f"{portal}/simpleenroll", *user, *send, given=first)
    assert (status, b"waits for review" in body) == (202, True)
    record = approve_request(est_hub, list_requests(est_hub)[0].id)
    status, body = curl(est_hub, f"{portal}/simpleenroll", *user, *send, given=first)
    [issued] = certificates_in(body, tmp_path / "first.p7")
    assert (status, f"{issued.serial_number:x}") == (200, record.serial)
    issued.verify_directly_issued_by(authority)

    (tmp_path / "first.crt").write_text(certificate_chain(est_hub, record))
    applied = control(est_hub, "POST", "/apply")
    assert applied is not None
    assert applied["in_force"]
    shown = ("--cert", tmp_path / "first.crt", "--key", tmp_path / "first.key")
    second = base64.b64encode(make_key_and_request(tmp_path / "second"))
    head = tmp_path / "head"
    named = ("--dump-header", head, "--header", "X-Request-Id: mine")
    status, body = curl(est_hub, f"{endpoint}/simplereenroll", *shown, *send, *named, given=second)
    assert (status, b"waits for review" in body) == (202, True)
    # Envoy's id, once, and in the audit the same.
    [told] = [line.partition(": ")[2] for line in head.read_text().splitlines() if line.startswith("x-request-id")]
    submitted = [each["request_id"] for each in export_audit(est_hub) if each["action"] == "request.submit"]
    assert (len(submitted), submitted[1]) == (2, told)
    assert re.fullmatch(r"[0-9a-f-]{36}", told)
    assert submitted[0].startswith("web-")
    renewed = approve_request(est_hub, list_requests(est_hub)[1].id)
    status, body = curl(est_hub, f"{endpoint}/simplereenroll", *shown, *send, given=second)
    [issued] = certificates_in(body, tmp_path / "second.p7")
    assert (status, f"{issued.serial_number:x}") == (200, renewed.serial)
    # The CA and the wished attributes too, for clients that know one address only.
    assert certificates_in(curl(est_hub, f"{endpoint}/cacerts", *shown)[1], tmp_path / "again.p7") == [authority]
    assert curl(est_hub, f"{endpoint}/csrattrs", *shown)[0] == 200


def test_a_forged_identity_renews_nothing(est_hub: Hub, need: Callable[..., None], tmp_path: Path) -> None:
    need("curl", "openssl")
    add_customer(est_hub, "87654321", CustomerKind.MERCHANT, "Corner Shop")
    send = ("--header", "Content-Type: application/pkcs10", "--data-binary", "@-")
    portal = f"{est_hub.terms.portal}/.well-known/est"
    forged = ("--header", f"Bothways-Customer: {ISSUER}", "--header", f"Bothways-Certificate: {'0' * 64}")
    body = base64.b64encode(make_key_and_request(tmp_path / "first"))
    assert curl(est_hub, f"{portal}/simplereenroll", *forged, *send, given=body)[0] == 404
    wrong = ("--user", f"{ISSUER}:{enrolment_password(est_hub, '87654321')}")
    assert curl(est_hub, f"{portal}/simpleenroll", *wrong, *send, given=body)[0] == 401
    assert list_requests(est_hub) == ()


@pytest.mark.parametrize("est_hub", [True], indirect=True)
def test_strongswan_enrolls_and_renews(est_hub: Hub, strongswan: Callable[..., bytes], tmp_path: Path) -> None:
    trust = ("--cacert", est_hub.directory.parent / "server-ca.pem")
    issuing = tmp_path / "issuing.pem"
    issuing.write_text(contract(est_hub).trust.issuing_ca)
    (tmp_path / "first.csr").write_bytes(make_key_and_request(tmp_path / "first"))
    user = ("--userpass", f"{ISSUER}:{enrolment_password(est_hub, ISSUER)}")
    enroll = ("--est", "--url", est_hub.terms.portal, "--in", tmp_path / "first.csr", "--outform", "pem")
    pem = strongswan(*enroll, *trust, "--cacert", issuing, *user)
    [record] = list_certificates(est_hub)
    assert x509.load_pem_x509_certificate(pem) == x509.load_der_x509_certificate(record.der or b"")

    assert control(est_hub, "POST", "/apply") is not None
    (tmp_path / "first.crt").write_bytes(pem)
    (tmp_path / "second.csr").write_bytes(make_key_and_request(tmp_path / "second"))
    shown = ("--cert", tmp_path / "first.crt", "--key", tmp_path / "first.key")
    renew = ("--est", "--url", est_hub.terms.endpoint, "--in", tmp_path / "second.csr", "--outform", "pem")
    pem = strongswan(*renew, *trust, "--cacert", issuing, *shown)
    renewed = list_certificates(est_hub)[1]
    assert x509.load_pem_x509_certificate(pem) == x509.load_der_x509_certificate(renewed.der or b"")
