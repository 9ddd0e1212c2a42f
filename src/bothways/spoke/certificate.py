"""What the spoke checks on its certificate: the key it is for, its chain, whose it is, its dates. No I/O."""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bothways.contract.document import Contract, KeyType, Software, Terms
from bothways.errors import Refused
from bothways.findings import Finding
from bothways.pki.chain import extension, is_authority, issued_by, readable
from bothways.pki.encoding import UNREADABLE, certificates_der
from bothways.pki.keys import key_type, spki_pin


@dataclass(frozen=True, slots=True)
class Judged:
    """A certificate with its issuers in order, as far as they are there; and everything that is wrong with them."""

    path: tuple[x509.Certificate, ...]
    findings: tuple[Finding, ...]

    @property
    def certificate(self) -> x509.Certificate:
        """The end entity's certificate."""
        return self.path[0]


def read_certificates(data: bytes, subject: str) -> tuple[x509.Certificate, ...]:
    """Return the certificates in `data`, PEM (any number) or DER (one). Raises `Refused` if one cannot be read."""
    try:
        return tuple(readable(x509.load_der_x509_certificate(der)) for der in certificates_der(data, subject))
    except UNREADABLE as error:
        raise Refused((_finding("INSTALL-01", f"a certificate cannot be read: {error}", subject),)) from error


def judge(
    handed: Sequence[x509.Certificate],
    held: dict[str, str],
    contract: Contract,
    tsp_id: str,
    now: datetime,
    subject: str = "certificate",
) -> Judged:
    """Return what is to be said about the certificate among those `handed`, which may stand in any order.

    `held` are our keys: the SPKI pin, and the file to name in findings. The certificate must be for one of them, have a
    chain to the issuing CA of the contract, and be for this customer and environment, a client certificate, valid now.
    """
    anchors = issuing_cas(contract)
    path = certification_path(handed, held, anchors)
    certificate = path[0]
    findings: list[Finding] = []
    if spki_pin(certificate.public_key()) not in held:
        message = f"the certificate is not for the key in {' or '.join(held.values())}"
        findings.append(_finding("INSTALL-02", message, subject))
    findings += _chain_findings(path, anchors, subject)
    findings += _identity_findings(certificate, contract.terms, tsp_id, subject)
    findings += _purpose_findings(certificate, contract.terms.software, subject)
    findings += date_findings(path, now, subject)
    return Judged(path, tuple(findings))


def issuing_cas(contract: Contract) -> tuple[x509.Certificate, ...]:
    """Return the issuing CAs that the contract names; none where a hub's is not known yet."""
    pem = contract.trust.issuing_ca
    return tuple(x509.load_pem_x509_certificates(pem.encode())) if pem else ()


def certification_path(
    handed: Sequence[x509.Certificate], pins: Container[str], anchors: Sequence[x509.Certificate] = ()
) -> tuple[x509.Certificate, ...]:
    """Return the certificate for one of the keys with these SPKI pins, and its issuers as far as they are there."""
    certificate = next((each for each in handed if spki_pin(each.public_key()) in pins), _end_entity(handed))
    return _path(certificate, handed, anchors)


def date_findings(path: Iterable[x509.Certificate], now: datetime, subject: str) -> Iterator[Finding]:
    """Yield what is wrong with the dates of certificates: `INSTALL-06` has expired, `INSTALL-07` is not valid yet."""
    for certificate in path:
        name = certificate.subject.rfc4514_string()
        begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if now > end:
            message = f"{name} expired on {end:%Y-%m-%d %H:%M} UTC, and now it is {now:%Y-%m-%d %H:%M}"
            hint = "Make a new request, and have it signed: bothways spoke csr."
            yield Finding("INSTALL-06", message, hint, "RFC 5280 section 4.1.2.5", subject)
        elif now < begin:
            message = f"{name} is not valid yet: from {begin:%Y-%m-%d %H:%M} UTC on, and now it is {now:%Y-%m-%d %H:%M}"
            hint = "Check the clock of this machine; if it is right, wait, or ask the hub."
            yield Finding("INSTALL-07", message, hint, "RFC 5280 section 4.1.2.5", subject)


def uri_id(certificate: x509.Certificate) -> str:
    """Return the certificate's URI-ID, or an empty text if it has none."""
    names = extension(certificate, x509.SubjectAlternativeName)
    return " ".join(names.get_values_for_type(x509.UniformResourceIdentifier)) if names else ""


def _end_entity(handed: Sequence[x509.Certificate]) -> x509.Certificate:
    """Return the certificate that issued no other one, for the findings about it."""
    return next((one for one in handed if not any(issued_by(each, one) for each in handed)), handed[0])


def _path(
    certificate: x509.Certificate, handed: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    """Return the certificate and its issuers, up to the issuing CA of the contract or to where one is missing."""
    path = [certificate]
    while path[-1] not in anchors:
        issuer = next((e for e in (*anchors, *handed) if e not in path and issued_by(path[-1], e)), None)
        if issuer is None:
            break
        path.append(issuer)
    return tuple(path)


def _chain_findings(
    path: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], subject: str
) -> Iterator[Finding]:
    for each in path[1:]:
        if each not in anchors and not is_authority(each):
            name = each.subject.rfc4514_string()
            yield _finding("INSTALL-08", f"{name} issued a certificate, and is no CA (BasicConstraints)", subject)
    last = path[-1]
    if last in anchors:
        return
    name, issuer = last.subject.rfc4514_string(), last.issuer.rfc4514_string()
    if not anchors:
        message = f"the hub's issuing CA is not known yet, so nothing vouches for {name}"
        yield _finding("INSTALL-03", message, subject, "Name its file: bothways spoke install CERT --ca FILE")
        return
    wanted = " or ".join(each.subject.rfc4514_string() for each in anchors)
    if issued_by(last, last):
        message = f"its chain ends at {name}, which is not the issuing CA of the contract, {wanted}"
    elif any(each.subject == last.issuer for each in anchors):
        message = f"{name} was not signed by the key of the contract's issuing CA, whose name its issuer has"
    else:
        message = f"{issuer}, which issued {name}, is neither in the file nor the issuing CA of the contract, {wanted}"
    yield _finding("INSTALL-03", message, subject, "Ask the hub for the certificate with its chain")


def _identity_findings(certificate: x509.Certificate, terms: Terms, tsp_id: str, subject: str) -> Iterator[Finding]:
    if terms.software is Software.BOTHWAYS:
        wanted, found = f"urn:bothways:{terms.environment.value}:{tsp_id}:", uri_id(certificate)
        if not found.startswith(wanted):
            yield _finding("INSTALL-04", f"its URI-ID is {found or 'missing'}, wanted {wanted}...", subject)
        return
    # The common name is all that such a hub agreed on (R8); a kind of key that it did not, `csr` refuses.
    kinds = [kind] if (kind := key_type(certificate.public_key())) else list(KeyType)
    names = [str(each.value) for each in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    agreed = [terms.request.expected_common_name(each, tsp_id, terms.environment) for each in kinds]
    if len(names) != 1 or names[0] not in agreed:
        named = " and ".join(names) or "missing"
        yield _finding("INSTALL-04", f"its common name is {named}, wanted {' or '.join(agreed)}", subject)


def _purpose_findings(certificate: x509.Certificate, software: Software, subject: str) -> Iterator[Finding]:
    usage = extension(certificate, x509.ExtendedKeyUsage)
    if usage is None and software is Software.OTHER:
        # Without the extension it is for every purpose (RFC 5280 section 4.2.1.12).
        return
    if usage is None or ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
        yield _finding("INSTALL-05", "it is not a client certificate (extended key usage)", subject)


def _finding(
    id: str,  # noqa: A002 - as in Finding
    message: str,
    subject: str,
    hint: str = "Ask the hub for the certificate of your request",
) -> Finding:
    return Finding(id, message, f"{hint}.", "R6; RFC 5280 section 6.1", subject)
