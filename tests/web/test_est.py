"""EST over HTTP: bodies, headers and sentences; who may ask what, and how often."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7
from fastapi import FastAPI
from tests.web.conftest import applied

from bothways.operations.enrolment import enrolment_password
from bothways.operations.hub import Hub, contract
from bothways.operations.keys import list_banned_keys
from bothways.operations.requests import approve_request, list_requests, submit_request
from bothways.pki.est import BODY_LIMIT, csr_attributes
from bothways.pki.keys import spki_pin
from bothways.web.connectivity import connectivity_app
from bothways.web.portal import portal_app

EST = "/.well-known/est"
Post = Callable[..., httpx2.Response]


@pytest.fixture
def post() -> Post:
    """Return a function that posts one body to an application."""

    def send(app: FastAPI, path: str, body: bytes, **more: object) -> httpx2.Response:
        async def once() -> httpx2.Response:
            transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
            async with httpx2.AsyncClient(transport=transport, base_url="http://hub") as client:
                return await client.post(EST + path, content=body, **more)  # type: ignore[arg-type]

        return asyncio.run(once())

    return send


@pytest.fixture
def body(make_csr: Callable[..., bytes]) -> bytes:
    """A good request as EST sends it."""
    return base64.b64encode(der_of(make_csr()))


def der_of(pem: bytes) -> bytes:
    return base64.b64decode(b"".join(pem.splitlines()[1:-1]))


def get(app: FastAPI, path: str) -> httpx2.Response:
    async def once() -> httpx2.Response:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://hub") as client:
            return await client.get(EST + path)

    return asyncio.run(once())


@pytest.mark.parametrize("behind_envoy", [False, True])
def test_everybody_is_told_the_ca_and_what_a_request_has_to_have(hub: Hub, *, behind_envoy: bool) -> None:
    app = connectivity_app(hub, applied) if behind_envoy else portal_app(hub, applied)
    answer = get(app, "/cacerts")
    assert (answer.headers["content-type"], b"\n" in answer.content) == ("application/pkcs7-mime", False)
    assert answer.headers["content-transfer-encoding"] == "base64"
    issuing = x509.load_pem_x509_certificates(contract(hub).trust.issuing_ca.encode())
    assert pkcs7.load_der_pkcs7_certificates(base64.b64decode(answer.content)) == issuing
    answer = get(app, "/csrattrs")
    assert answer.headers["content-type"] == "application/csrattrs"
    assert base64.b64decode(answer.content) == csr_attributes(hub.terms.request)


def test_enrolment_is_under_review_first_and_then_the_certificate(
    hub: Hub, issuer: str, body: bytes, post: Post
) -> None:
    app, user = portal_app(hub, applied), (issuer, enrolment_password(hub, issuer))
    answer = post(app, "/simpleenroll", body, auth=user)
    assert (answer.status_code, answer.headers["retry-after"]) == (202, "600")
    assert answer.text == "Request 1 waits for review by the hub. Send the same request again later.\n"
    record = approve_request(hub, 1)
    wrapped = b"\r\n".join(body[start : start + 64] for start in range(0, len(body), 64))
    answer = post(app, "/simpleenroll", wrapped, auth=user)
    assert (answer.status_code, answer.headers["content-type"]) == (
        200,
        "application/pkcs7-mime; smime-type=certs-only",
    )
    [issued] = pkcs7.load_der_pkcs7_certificates(base64.b64decode(answer.content, validate=True))
    assert issued == x509.load_der_x509_certificate(record.der or b"")


def test_findings_come_as_sentences_and_do_not_use_the_password_up(
    hub: Hub, issuer: str, make_csr: Callable[..., bytes], body: bytes, post: Post
) -> None:
    app, user = portal_app(hub, applied), (issuer, enrolment_password(hub, issuer))
    answer = post(app, "/simpleenroll", make_csr(OU=None, CN="TLSMA-ECDSA/12345678/PRD"), auth=user)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert [line.split(":")[0] for line in answer.text.splitlines()] == ["CSR-SUBJECT-01", "CSR-CN-01"]
    assert post(app, "/simpleenroll", b"no request", auth=user).text.startswith("EST-BODY-01: ")
    assert post(app, "/simpleenroll", body, auth=user).status_code == 202


@pytest.mark.parametrize(
    "header",
    [None, "Basic", "Basic *", "Basic " + base64.b64encode(b"12345678").decode(), "Bearer abc", "Basic gICA"],
)
def test_without_a_password_one_is_asked_for(hub: Hub, body: bytes, post: Post, header: str | None) -> None:
    answer = post(portal_app(hub, applied), "/simpleenroll", body, headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic realm=")
    assert "one-time password" in answer.text
    assert list_requests(hub) == ()


def test_after_ten_wrong_passwords_a_customer_has_to_wait_a_minute_and_no_other_has(
    hub: Hub, issuer: str, body: bytes, post: Post
) -> None:
    moment = hub.now()
    app = portal_app(replace(hub, now=lambda: moment), applied)
    good = enrolment_password(hub, issuer)
    assert {post(app, "/simpleenroll", body, auth=(issuer, "wrong")).status_code for _ in range(10)} == {401}
    answer = post(app, "/simpleenroll", body, auth=(issuer, good))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert post(app, "/simpleenroll", body, auth=("another", "wrong")).status_code == 401
    assert list_requests(hub) == ()


def test_a_body_is_not_read_beyond_its_limit(hub: Hub, issuer: str, post: Post) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100 * BODY_LIMIT:
            sent += BODY_LIMIT
            yield b"A" * BODY_LIMIT

    answer = post(portal_app(hub, applied), "/simpleenroll", endless(), auth=(issuer, enrolment_password(hub, issuer)))
    assert answer.status_code == 422
    assert "at most 32768 are read" in answer.text


def test_a_renewal_is_for_the_certificate_that_envoy_saw(
    hub: Hub, issuer: str, make_csr: Callable[..., bytes], body: bytes, post: Post
) -> None:
    old = approve_request(hub, submit_request(hub, issuer, make_csr()).id)
    calls = []

    async def apply() -> object:
        calls.append(1)
        return None

    trusting = replace(hub, settings=replace(hub.settings, danger_enrolment_without_review=True))
    seen = {"Bothways-Customer": issuer, "Bothways-Certificate": old.fingerprint or ""}
    answer = post(connectivity_app(hub, apply), "/simplereenroll", body, headers=seen)  # type: ignore[arg-type]
    assert (answer.status_code, calls) == (202, [])
    answer = post(connectivity_app(trusting, apply), "/simplereenroll", body, headers=seen)  # type: ignore[arg-type]
    assert (answer.status_code, calls) == (200, [1])
    [new] = pkcs7.load_der_pkcs7_certificates(base64.b64decode(answer.content))
    assert new.subject == x509.load_der_x509_certificate(old.der or b"").subject
    assert post(connectivity_app(hub, apply), "/simplereenroll", body).status_code == 422  # type: ignore[arg-type]
    assert post(portal_app(hub, applied), "/simplereenroll", body, headers=seen).status_code == 404


@pytest.mark.parametrize("wrapped", [bytes, base64.b64encode, b"Bag Attributes: none\n".__add__])
def test_a_private_key_in_a_body_is_banned(
    hub: Hub, issuer: str, post: Post, wrapped: Callable[[bytes], bytes]
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    app, password = portal_app(hub, applied), enrolment_password(hub, issuer)
    pin = spki_pin(key.public_key())
    assert post(app, "/simpleenroll", wrapped(pem), auth=(issuer, "wrong")).status_code == 401
    assert list_banned_keys(hub) == ()
    answer = post(app, "/simpleenroll", wrapped(pem), auth=(issuer, password))
    assert (answer.status_code, f"the key {pin} is banned for good" in answer.text) == (422, True)
    assert [each.spki_pin for each in list_banned_keys(hub)] == [pin]
    assert not any(line.decode() in answer.text for line in pem.splitlines()[1:-1])
