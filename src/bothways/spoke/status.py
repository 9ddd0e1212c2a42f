"""What a spoke has, until when, what is wrong with it, and what to do next. Reads the directory; changes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from cryptography import x509

from bothways import files
from bothways.connectivity.assess import EXPIRING
from bothways.errors import Refused, Unusable
from bothways.findings import Finding, Level
from bothways.pki.chain import fingerprint, issued_by
from bothways.pki.encoding import CHAIN_LIMIT
from bothways.pki.keys import described
from bothways.spoke.certificate import date_findings, judge, read_certificates
from bothways.spoke.directory import REQUEST, Spoke, stands
from bothways.spoke.pair import previous, read_key

_EXPIRING, _EXPIRED = "SPOKE-EXPIRING", "INSTALL-06"


@dataclass(frozen=True, slots=True)
class CertificateStatus:
    """A certificate file: whose it is, until when, and whether the chain in it is complete, or None if nobody can tell.

    `days_left` are whole days, negative once it has expired; dates are UTC; `fingerprint` is SHA-256, in hex.
    """

    file: Path
    subject: str
    issuer: str
    fingerprint: str
    not_before: datetime
    not_after: datetime
    days_left: int
    chain: tuple[str, ...]
    chain_complete: bool | None
    findings: tuple[Finding, ...]

    def document(self) -> dict[str, Any]:
        """Return the status as the JSON object that the command line shows."""
        return {
            "file": str(self.file),
            "subject": self.subject,
            "issuer": self.issuer,
            "fingerprint": self.fingerprint,
            "not_before": self.not_before.isoformat(),
            "not_after": self.not_after.isoformat(),
            "days_left": self.days_left,
            "chain": list(self.chain),
            "chain_complete": self.chain_complete,
            "findings": [each.document() for each in self.findings],
        }


@dataclass(frozen=True, slots=True)
class SpokeStatus:
    """What a spoke has: `key` in words, the `request` under way; `step` and `command` say what is next."""

    spoke: Spoke
    key: str | None
    request: Path | None
    certificate: CertificateStatus | None
    server: CertificateStatus | None
    previous: Path | None
    findings: tuple[Finding, ...]
    step: str
    command: str | None

    @property
    def expiring(self) -> bool:
        """Tell whether a certificate has expired, or will soon."""
        return any(each.id in {_EXPIRING, _EXPIRED} for each in self.findings)

    @property
    def broken(self) -> bool:
        """Tell whether calls cannot work, for another reason than an expired certificate."""
        found = any(each.level is Level.ERROR and each.id != _EXPIRED for each in self.findings)
        return found or self.certificate is None

    def document(self) -> dict[str, Any]:
        """Return the status as the JSON object that the command line shows."""
        terms = self.spoke.contract.terms
        return {
            "directory": str(self.spoke.directory),
            "customer": self.spoke.tsp_id,
            "environment": terms.environment.value,
            "hub": terms.hub,
            "endpoint": terms.endpoint,
            "confirmed": list(self.spoke.confirmed),
            "key": self.key,
            "request": str(self.request) if self.request else None,
            "certificate": self.certificate.document() if self.certificate else None,
            "server_certificate": self.server.document() if self.server else None,
            "previous": str(self.previous) if self.previous else None,
            "findings": [each.document() for each in self.findings],
            "next": {"step": self.step, "command": self.command},
        }


def spoke_status(spoke: Spoke, now: datetime) -> SpokeStatus:
    """Return what the spoke has and needs. What is damaged is a finding, so that the rest is seen too."""
    findings: list[Finding] = []
    held: dict[str, str] = {}
    key = None
    if stands(spoke.key_file):
        try:
            own = read_key(spoke.key_file)
            held, key = {own.spki_pin: str(own.path)}, described(own.key.public_key())
            if own.token:
                key = f"{key}, {own.token.object} in the token {own.token.token}"
        except Unusable as error:
            findings.append(_finding("SPOKE-KEY", str(error), "The key is needed for every call.", spoke.key_file))
    certificate = server = None
    if stands(spoke.certificate_file):
        try:
            certificate = _client_certificate(spoke, held, now)
            findings += certificate.findings
        except (Refused, Unusable) as error:
            findings += _damaged(error, spoke.certificate_file)
    if spoke.server_certificate:
        try:
            server = _server_certificate(spoke.server_certificate, now)
            findings += server.findings
        except (Refused, Unusable) as error:
            findings += _damaged(error, spoke.server_certificate)
    request = spoke.pending / REQUEST if stands(spoke.pending / REQUEST) else None
    step, command = _next(spoke, request, certificate, server)
    return SpokeStatus(spoke, key, request, certificate, server, previous(spoke), tuple(findings), step, command)


def _client_certificate(spoke: Spoke, held: dict[str, str], now: datetime) -> CertificateStatus:
    path = spoke.certificate_file
    handed = read_certificates(files.read(path, "the certificate", CHAIN_LIMIT), str(path))
    judged = judge(handed, held, spoke.contract, spoke.tsp_id, now, str(path))
    # Without a key, what is wrong is said about the key.
    findings = tuple(each for each in judged.findings if held or each.id != "INSTALL-02")
    complete = not any(each.id == "INSTALL-03" for each in findings)
    return _status(path, judged.path, findings, now, complete=complete)


def _server_certificate(path: Path, now: datetime) -> CertificateStatus:
    chain = read_certificates(files.read(path, "the server certificate", CHAIN_LIMIT), str(path))
    findings = list(date_findings(chain, now, str(path)))
    breaks = [pair for pair in pairwise(chain) if not issued_by(*pair)]
    for lower, upper in breaks:
        message = (
            f"{upper.subject.rfc4514_string()} stands after {lower.subject.rfc4514_string()}, and did not issue it"
        )
        hint = "Put the server's certificate first, then each one that issued the one before."
        findings.append(_finding("SPOKE-CHAIN", message, hint, path))
    # The root belongs to the hub, not into the file: without it, the file does not say whether it is complete.
    complete = False if breaks else True if issued_by(chain[-1], chain[-1]) else None
    return _status(path, chain, tuple(findings), now, complete=complete)


def _status(
    path: Path,
    chain: tuple[x509.Certificate, ...],
    findings: tuple[Finding, ...],
    now: datetime,
    *,
    complete: bool | None,
) -> CertificateStatus:
    own = chain[0]
    left = own.not_valid_after_utc - now
    soon = timedelta() <= left < EXPIRING
    return CertificateStatus(
        path,
        own.subject.rfc4514_string(),
        own.issuer.rfc4514_string(),
        fingerprint(own),
        own.not_valid_before_utc,
        own.not_valid_after_utc,
        left.days,
        tuple(each.subject.rfc4514_string() for each in chain),
        complete,
        (*findings, *(_expiring(own, left, path) if soon else ())),
    )


def _expiring(certificate: x509.Certificate, left: timedelta, path: Path) -> Iterator[Finding]:
    message = f"{certificate.subject.rfc4514_string()} expires in {left.days} days"
    yield _finding(_EXPIRING, message, f"Renew it within {left.days} days.", path, Level.WARNING)


def _next(
    spoke: Spoke, request: Path | None, certificate: CertificateStatus | None, server: CertificateStatus | None
) -> tuple[str, str | None]:
    here = f"--directory {spoke.directory}"
    make = f"bothways spoke csr --country CC --state STATE --locality CITY --organization NAME --unit UNIT {here}"
    if request:
        return f"Hand {request} to the hub, and install what comes back.", f"bothways spoke install CERT {here}"
    if not stands(spoke.certificate_file):
        waiting = stands(spoke.key_file)
        return "Make the request for the key that is there." if waiting else "Make a key and a request.", make
    if certificate is None or any(each.level is Level.ERROR for each in certificate.findings):
        return "Get a certificate that works: install it, or make a new request.", make
    if certificate.findings:
        renew = f"bothways spoke renew {here}"
        return "Renew the certificate; the one in use stays until the new one is installed.", renew
    if server and server.findings:
        return (
            f"Put {server.file} right at the CA that the hub endorsed; spoke listen takes the new file by itself.",
            None,
        )
    return "Look at both ways.", f"bothways spoke check {here}"


def _damaged(error: Refused | Unusable, path: Path) -> tuple[Finding, ...]:
    if isinstance(error, Refused):
        return error.findings
    return (_finding("SPOKE-FILE", str(error), "Put the file right, or install it again.", path),)


def _finding(
    id: str,  # noqa: A002 - as in Finding
    message: str,
    hint: str,
    path: Path,
    level: Level = Level.ERROR,
) -> Finding:
    return Finding(id, message.removesuffix("."), hint, "R9", str(path), level)
