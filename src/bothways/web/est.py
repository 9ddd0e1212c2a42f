"""EST (RFC 7030): `/simpleenroll` at the portal, `/simplereenroll` behind Envoy, `/cacerts` and `/csrattrs` at both.

Answers are base64 in one line (strongSwan reads no other), errors a sentence of plain text (RFC 7030 section 4.2.3).
"""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Annotated

from cryptography import x509
from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import PlainTextResponse

from bothways.errors import BothwaysError, NotAuthorized
from bothways.operations.enrolment import Enrolled, enroll, reenroll
from bothways.operations.hub import Hub, contract
from bothways.pki import est
from bothways.registry.service import ENROLMENT_PREFIX
from bothways.web.failures import Failures
from bothways.web.problem import status_of

RETRY_SECONDS = 600

_CERTIFICATES, _ISSUED = "application/pkcs7-mime", "application/pkcs7-mime; smime-type=certs-only"
_OK, _ACCEPTED, _UNAUTHORIZED, _TOO_SLOW, _TOO_MANY = 200, 202, 401, 408, 429
_AT_ONCE = 2
_BODY_SECONDS = 10


def public_router(hub: Hub) -> APIRouter:
    """Return what everybody may ask: the issuing CAs, and what a request has to have."""
    router = APIRouter(prefix=ENROLMENT_PREFIX)

    @router.get("/cacerts")
    def _cacerts() -> Response:
        issuing = x509.load_pem_x509_certificates(contract(hub).trust.issuing_ca.encode())
        return _base64(est.certs_only(issuing), _CERTIFICATES)

    @router.get("/csrattrs")
    def _csrattrs() -> Response:
        return _base64(est.csr_attributes(hub.terms.request), "application/csrattrs")

    return router


def enroll_router(hub: Hub) -> APIRouter:
    """Return `/simpleenroll`: for a customer without a certificate, with the one-time password of the operator."""
    router, failures, turn = APIRouter(prefix=ENROLMENT_PREFIX), Failures(), asyncio.Semaphore(_AT_ONCE)

    @router.post("/simpleenroll")
    async def _simpleenroll(request: Request, authorization: Annotated[str, Header()] = "") -> Response:
        tsp_id, password = _credentials(authorization)
        source = (request.client.host if request.client else "", tsp_id)
        if failures.too_many(source, hub.now()):
            sentence = "too many wrong passwords came from here. Wait a minute, and ask the hub for a new password.\n"
            return PlainTextResponse(sentence, _TOO_MANY, {"Retry-After": "60"})
        # Clients of EST ask without a password first, to be asked for one.
        if not password:
            return _refused(NotAuthorized("send your tspId and the one-time password of the hub (HTTP Basic)."))
        answer = await _answer(request, lambda data: enroll(hub, tsp_id, password, data), turn)
        if answer.status_code == _UNAUTHORIZED:
            failures.add(source, hub.now())
        return answer

    return router


def reenroll_router(hub: Hub, apply: Callable[[], Awaitable[object]]) -> APIRouter:
    """Return `/simplereenroll`: behind Envoy, which says in headers whose certificate was shown."""
    router, turn = APIRouter(prefix=ENROLMENT_PREFIX), asyncio.Semaphore(_AT_ONCE)

    @router.post("/simplereenroll")
    async def _simplereenroll(
        request: Request, bothways_customer: Annotated[str, Header()], bothways_certificate: Annotated[str, Header()]
    ) -> Response:
        def work(data: bytes) -> Enrolled:
            return reenroll(hub, bothways_customer, bothways_certificate, data)

        answer = await _answer(request, work, turn)
        if answer.status_code == _OK:
            await apply()
        return answer

    return router


async def _answer(request: Request, work: Callable[[bytes], Enrolled], turn: asyncio.Semaphore) -> Response:
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            body = await _body(request)
    except TimeoutError:
        return PlainTextResponse("the body did not come. Send the request again.\n", _TOO_SLOW, {"Connection": "close"})
    try:
        content = est.decoded(body)
        # A look at a password costs memory and time on purpose; strangers get no more of both than this.
        async with turn:
            done = await asyncio.to_thread(work, content)
    except BothwaysError as error:
        return _refused(error)
    if done.certificate is None:
        sentence = f"Request {done.request} waits for review by the hub. Send the same request again later.\n"
        return PlainTextResponse(sentence, _ACCEPTED, {"Retry-After": str(RETRY_SECONDS)})
    issued = x509.load_der_x509_certificate(done.certificate.der or b"")
    return _base64(est.certs_only([issued]), _ISSUED)


async def _body(request: Request) -> bytes:
    """Return the body, or of one that is too large no more than shows that it is."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > est.BODY_LIMIT:
            break
    return bytes(body)


def _refused(error: BothwaysError) -> Response:
    if isinstance(error, NotAuthorized):
        challenge = {"WWW-Authenticate": 'Basic realm="Bothways enrolment", charset="UTF-8"'}
        return PlainTextResponse(f"{error}\n", _UNAUTHORIZED, challenge)
    return PlainTextResponse(f"{error}\n", status_of(error))


def _credentials(authorization: str) -> tuple[str, str]:
    """Return the tspId and the password of HTTP Basic (RFC 7617), both empty if there is nothing of the kind."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        tsp_id, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (tsp_id, password) if scheme.lower() == "basic" else ("", "")


def _base64(content: bytes, media_type: str) -> Response:
    return Response(est.encoded(content), media_type=media_type, headers={"Content-Transfer-Encoding": "base64"})
