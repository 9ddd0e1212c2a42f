"""Renewal of the spoke's certificate: when it is due, the request for the next one, and its way over EST or by hand."""

import base64
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bothways import files
from bothways.contract.document import KeyType, Software
from bothways.contract.subject import Subject
from bothways.errors import Conflict, NotAuthorized, Unreachable, Unusable
from bothways.pki.chain import fingerprint
from bothways.pki.encoding import CHAIN_LIMIT
from bothways.pki.keys import key_type
from bothways.pki.rules import SUBJECT
from bothways.signer.token_uri import TokenUri
from bothways.spoke import client as clients
from bothways.spoke.certificate import read_certificates
from bothways.spoke.csr import make_request
from bothways.spoke.directory import REQUEST, Spoke, stands
from bothways.spoke.install import Installed, install_certificate

DUE = 2 / 3
"""Of a certificate's life, after which it is renewed: a third is left to mend what keeps a renewal from succeeding."""

JITTER = 1 / 20
"""Of a certificate's life, over which renewals are spread: what was issued on one day is not renewed in one minute."""

RETRY_SECONDS = 600
"""After which a hub that reviews is asked again, if it does not say."""

PATH = "/.well-known/est/simplereenroll"
_OK, _ACCEPTED, _NOT_FOUND, _CONFLICT, _UNPROCESSABLE = 200, 202, 404, 409, 422
_UNAUTHORIZED, _FORBIDDEN = 401, 403
_HEADERS = {"Content-Type": "application/pkcs10", "Content-Transfer-Encoding": "base64"}


class Outcome(StrEnum):
    """What came of a look at the renewal."""

    NOT_DUE = "not due"
    WAITING = "waiting"
    BY_HAND = "by hand"
    RENEWED = "renewed"


@dataclass(frozen=True, slots=True)
class Renewal:
    """What came of it: since or until `due`, the `request` that is under way, or what was `installed`.

    `retry_seconds` is when the hub wants to be asked again while it reviews.
    """

    outcome: Outcome
    due: datetime
    request: Path | None = None
    installed: Installed | None = None
    retry_seconds: int = RETRY_SECONDS


def certificate_in_use(spoke: Spoke) -> x509.Certificate:
    """Return the certificate in use. Raises `Unusable` or `Refused` if there is none that can be read."""
    if not stands(spoke.certificate_file):
        raise Unusable(
            f"{spoke.certificate_file} is missing, so there is nothing to renew. Get the first one: "
            f"bothways spoke csr --directory {spoke.directory}"
        )
    data = files.read(spoke.certificate_file, "the certificate", CHAIN_LIMIT)
    return read_certificates(data, str(spoke.certificate_file))[0]


def due_at(certificate: x509.Certificate) -> datetime:
    """Return when the certificate is to be renewed: at two thirds of its life, and somewhat later, each its own time.

    The same certificate is due at the same time wherever and however often one asks.
    """
    begin, life = certificate.not_valid_before_utc, certificate.not_valid_after_utc - certificate.not_valid_before_utc
    share = random.Random(fingerprint(certificate)).random()  # noqa: S311 - spread, and nothing secret
    return begin + life * (DUE + JITTER * share)


def renew(
    spoke: Spoke,
    now: datetime,
    *,
    force: bool = False,
    by_hand: bool = False,
    key: KeyType | None = None,
    token: TokenUri | None = None,
) -> Renewal:
    """Renew the certificate if it is due or `force` says so, over EST, or `by_hand` write the request and no more.

    A request that is under way is sent again, never made anew: a hub that reviews answers it one day. The key is new,
    of the same kind unless `key` says otherwise, in the same token if it lies in one, and the one at `token` if that is
    named; the subject stays. Raises `NotAuthorized` or `Unreachable` if the hub
    refuses us or does not answer, `Conflict` with the hub's words if it refused the request, `Refused` if what came
    back cannot be installed.
    """
    certificate = certificate_in_use(spoke)
    due, waiting = due_at(certificate), spoke.pending / REQUEST
    if now < due and not force and not stands(waiting):
        return Renewal(Outcome.NOT_DUE, due)
    if not stands(waiting):
        kind = key or key_type(certificate.public_key()) or KeyType.ECDSA
        make_request(spoke, kind, _subject(certificate), token=token)
    if by_hand or spoke.contract.terms.software is Software.OTHER:
        return Renewal(Outcome.BY_HAND, due, waiting)
    return _enrolled(spoke, due, waiting)


def _enrolled(spoke: Spoke, due: datetime, waiting: Path) -> Renewal:
    request = x509.load_pem_x509_csr(files.read(waiting, "the request"))
    body = base64.encodebytes(request.public_bytes(Encoding.DER))
    with clients.open_client(spoke) as client:
        answer = clients.call(client, "POST", PATH, body, _HEADERS)
    said = " ".join(answer.body.decode(errors="replace").split())[:1000]
    if answer.status == _ACCEPTED:
        after = answer.headers.get("retry-after", "")
        seconds = int(after) if after.isascii() and after.isdecimal() else RETRY_SECONDS
        return Renewal(Outcome.WAITING, due, waiting, retry_seconds=max(1, min(seconds, 86_400)))
    if answer.status == _NOT_FOUND:
        # This hub does not speak EST: the request goes the way of the first one.
        return Renewal(Outcome.BY_HAND, due, waiting)
    if answer.status in {_UNAUTHORIZED, _FORBIDDEN}:
        raise NotAuthorized(f"the hub lets nobody renew with this certificate: {said}")
    if answer.status in {_CONFLICT, _UNPROCESSABLE}:
        raise Conflict(
            f"the hub does not take {waiting}: {said} For another request, move it away: "
            f"mv {waiting.parent} {waiting.parent}.refused"
        )
    if answer.status != _OK:
        raise Unreachable(f"the hub answers the renewal with {answer.status}: {said or 'nothing'}. Try again later.")
    try:
        content = base64.b64decode(b"".join(answer.body.split()), validate=True)
    except ValueError as error:
        raise Unreachable(f"the hub answers the renewal with something that is no base64: {error}.") from error
    installed = install_certificate(spoke, content, "the hub's answer")
    return Renewal(Outcome.RENEWED, due, installed=installed)


def _subject(certificate: x509.Certificate) -> Subject:
    """Return the subject for the next request, which is the one of the certificate (RFC 7030 section 4.2.2)."""
    found = {
        name: [str(each.value) for each in certificate.subject.get_attributes_for_oid(oid)]
        for name, oid in SUBJECT.items()
    }
    values = {name: each[0] if each else "" for name, each in found.items()}
    return Subject(values["C"], values["ST"], values["L"], values["O"], values["OU"])


def wait_seconds(renewal: Renewal, now: datetime) -> float:
    """Return how long a daemon sleeps after this: until it is due, an hour at most, for clocks and files change."""
    if renewal.outcome is Outcome.NOT_DUE:
        return max(1.0, min((renewal.due - now).total_seconds(), _LOOK.total_seconds()))
    if renewal.outcome is Outcome.WAITING:
        return float(renewal.retry_seconds)
    return 1.0 if renewal.outcome is Outcome.RENEWED else _LOOK.total_seconds()


_LOOK = timedelta(hours=1)
