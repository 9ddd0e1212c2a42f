"""Installing the certificate that the hub issued, after checking that it is the one that was asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from bothways.errors import Refused, Unusable
from bothways.findings import Finding
from bothways.pki.chain import certificate_pem, extension, fingerprint, issued_by, readable
from bothways.pki.encoding import UNREADABLE, certificates_der
from bothways.pki.keys import spki_pin
from bothways.spoke.directory import Spoke, alone
from bothways.spoke.pair import held_keys, put_in_use, tidy


@dataclass(frozen=True, slots=True)
class Installed:
    """What is installed now; `chain` are the subjects in the order of the file, `changed` whether it was not before."""

    fingerprint: str
    uri_id: str
    not_after: datetime
    chain: tuple[str, ...]
    changed: bool


def install_certificate(spoke: Spoke, data: bytes, subject: str = "certificate") -> Installed:
    """Check the certificate in `data` (PEM with its issuers or without, in any order; or DER), and put it in use.

    The pair before is kept. Installing the same again changes nothing. Raises `Refused` with all findings: it must be
    for one of our keys, from this hub's issuing CA, for this customer and environment, a client certificate, and valid
    now; `Unusable` without a key; `Conflict` while another command writes.
    """
    handed = _read(data, subject)
    with alone(spoke.directory):
        tidy(spoke)
        held = held_keys(spoke)
        if not held:
            raise Unusable(
                f"{spoke.directory} holds no private key, so no certificate can be for it. "
                f"Make the request first: bothways spoke csr --directory {spoke.directory}"
            )
        pins = {each.spki_pin: each for each in held}
        certificate = next((each for each in handed if spki_pin(each.public_key()) in pins), _end_entity(handed))
        anchors = x509.load_pem_x509_certificates(spoke.contract.trust.issuing_ca.encode())
        path = _path(certificate, handed, anchors)
        key = pins.get(spki_pin(certificate.public_key()))
        findings = [] if key else [_key_finding([str(each.path) for each in held], subject)]
        findings += _chain_findings(path, anchors, subject)
        findings += _purpose_findings(certificate, spoke, subject)
        findings += [each for one in path for each in date_findings(one, datetime.now(UTC), subject)]
        if findings or key is None:
            raise Refused(tuple(findings))
        pem = "".join(certificate_pem(each) for each in path).encode()
        changed = not spoke.certificate_file.exists() or spoke.certificate_file.read_bytes() != pem
        if changed or key.path != spoke.key_file:
            put_in_use(spoke, key, pem)
    names = tuple(each.subject.rfc4514_string() for each in path)
    return Installed(fingerprint(certificate), _uri_id(certificate), certificate.not_valid_after_utc, names, changed)


def date_findings(certificate: x509.Certificate, now: datetime, subject: str) -> Iterator[Finding]:
    """Yield what is wrong with the dates of a certificate: it has expired, or is not valid yet."""
    name = certificate.subject.rfc4514_string()
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now > end:
        message = f"{name} expired on {end:%Y-%m-%d %H:%M} UTC, and now it is {now:%Y-%m-%d %H:%M}"
        hint = "Make a new request (bothways spoke csr), and have it signed."
        yield Finding("INSTALL-06", message, hint, "RFC 5280 section 4.1.2.5", subject)
    elif now < begin:
        message = f"{name} is not valid yet: from {begin:%Y-%m-%d %H:%M} UTC on, and now it is {now:%Y-%m-%d %H:%M}"
        hint = "Check the clock of this machine; if it is right, wait, or ask the hub."
        yield Finding("INSTALL-07", message, hint, "RFC 5280 section 4.1.2.5", subject)


def _read(data: bytes, subject: str) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(readable(x509.load_der_x509_certificate(der)) for der in certificates_der(data, subject))
    except UNREADABLE as error:
        raise Refused((_finding("INSTALL-01", f"a certificate cannot be read: {error}", subject),)) from error


def _end_entity(handed: Sequence[x509.Certificate]) -> x509.Certificate:
    """Return the certificate that issued no other one, for the findings about it."""
    return next((one for one in handed if not any(issued_by(each, one) for each in handed)), handed[0])


def _path(
    certificate: x509.Certificate, handed: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate]
) -> list[x509.Certificate]:
    """Return the certificate and its issuers, up to the issuing CA of the contract or to where one is missing."""
    path = [certificate]
    while path[-1] not in anchors:
        issuer = next((e for e in (*anchors, *handed) if e not in path and issued_by(path[-1], e)), None)
        if issuer is None:
            break
        path.append(issuer)
    return path


def _key_finding(held: Sequence[str], subject: str) -> Finding:
    return _finding("INSTALL-02", f"the certificate is not for the key in {' or '.join(held)}", subject)


def _chain_findings(
    path: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], subject: str
) -> Iterator[Finding]:
    for each in path[1:]:
        if each not in anchors and not _is_authority(each):
            name = each.subject.rfc4514_string()
            yield _finding("INSTALL-08", f"{name} issued a certificate, and is no CA (BasicConstraints)", subject)
    last = path[-1]
    if last in anchors:
        return
    name, issuer = last.subject.rfc4514_string(), last.issuer.rfc4514_string()
    wanted = " or ".join(each.subject.rfc4514_string() for each in anchors)
    if issued_by(last, last):
        message = f"its chain ends at {name}, which is not the issuing CA of the contract, {wanted}"
    elif any(each.subject == last.issuer for each in anchors):
        message = f"{name} was not signed by the key of the contract's issuing CA, whose name its issuer has"
    else:
        message = f"{issuer}, which issued {name}, is neither in the file nor the issuing CA of the contract, {wanted}"
    yield _finding("INSTALL-03", message, subject, "Ask the hub for the certificate with its chain")


def _purpose_findings(certificate: x509.Certificate, spoke: Spoke, subject: str) -> Iterator[Finding]:
    found = _uri_id(certificate)
    wanted = f"urn:bothways:{spoke.contract.terms.environment.value}:{spoke.tsp_id}:"
    if not found.startswith(wanted):
        yield _finding("INSTALL-04", f"its URI-ID is {found or 'missing'}, wanted {wanted}...", subject)
    usage = extension(certificate, x509.ExtendedKeyUsage)
    if usage is None or ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
        yield _finding("INSTALL-05", "it is not a client certificate (extended key usage)", subject)


def _uri_id(certificate: x509.Certificate) -> str:
    names = extension(certificate, x509.SubjectAlternativeName)
    return " ".join(names.get_values_for_type(x509.UniformResourceIdentifier)) if names else ""


def _is_authority(certificate: x509.Certificate) -> bool:
    constraints = extension(certificate, x509.BasicConstraints)
    return constraints is not None and constraints.ca


def _finding(
    id: str,  # noqa: A002 - as in Finding
    message: str,
    subject: str,
    hint: str = "Ask the hub for the certificate of your request",
) -> Finding:
    return Finding(id, message, f"{hint}.", "R6; RFC 5280 section 6.1", subject)
