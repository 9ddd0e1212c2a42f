"""Path validation (RFC 5280 section 6, RFC 9525): what a server sent becomes a `CertificationPath`, or findings.

The library decides (`x509.verification`); what is said besides tells a person why. Envoy has the last word all the
same: the probe through it is what establishes a flow.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

from bothways.errors import Refused
from bothways.findings import Finding, Level
from bothways.pki.chain import extension, issued_by, printed, self_issued

_CITATION = "R14; RFC 5280 section 6.1"
_NAMES_SHOWN = 10


@dataclass(frozen=True, slots=True)
class CertificationPath:
    """A server's certificate and the CAs above it, up to an endorsed anchor: proved for a host and a moment.

    `notes` are warnings and remarks on what the server sent.
    """

    certificates: tuple[x509.Certificate, ...]
    notes: tuple[Finding, ...] = ()


def certification_path(
    sent: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], host: str, now: datetime, subject: str
) -> CertificationPath:
    """Return the path from the server's certificate, the first that was sent, to one of the anchors.

    `anchors` are all certificates of the chains endorsed for this customer: the self-signed ones are trusted, the
    others may be missing in what was sent, as in Envoy. `host` is the DNS-ID that has to be in the certificate,
    exactly. All certificates went through `chain.readable`. Raises `Refused` with everything that is wrong.
    """
    if not sent:
        raise Refused((_finding("PATH-SENT-01", "the server sent no certificate", "Install one there.", subject),))
    roots = [each for each in anchors if issued_by(each, each)]
    between = [*sent[1:], *(each for each in anchors if each not in roots)]
    found = [*_findings(sent, roots, between, host, now, subject)]
    notes = (*_sent_notes(sent, roots, anchors, subject),)
    if roots and not found:
        try:
            return CertificationPath(_verified(sent[0], between, roots, host, now), notes)
        except (VerificationError, ValueError) as error:
            hint = "Compare the server's certificate and its CAs with RFC 5280 section 4.2."
            found.append(_finding("PATH-VERIFY-01", f"the path does not hold: {error}", hint, subject))
    raise Refused((*found, *notes))


def _verified(
    leaf: x509.Certificate,
    between: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    host: str,
    now: datetime,
) -> tuple[x509.Certificate, ...]:
    # The profile of the public web asks for extensions that CAs of a bank's own often leave out, and Envoy does not
    # want: what is wanted here is what makes a path.
    any_form = Criticality.AGNOSTIC
    issuer = ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, any_form, None)
    end_entity = ExtensionPolicy.permit_all().require_present(x509.SubjectAlternativeName, any_form, None)
    builder = PolicyBuilder().store(Store(list(roots))).time(now)
    policies = builder.extension_policies(ca_policy=issuer, ee_policy=end_entity)
    return tuple(policies.build_server_verifier(x509.DNSName(host)).verify(leaf, list(between)))


def _findings(
    sent: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    between: Sequence[x509.Certificate],
    host: str,
    now: datetime,
    subject: str,
) -> Iterator[Finding]:
    leaf = sent[0]
    way, complete = _way_up(leaf, [*between, *roots], roots)
    if not complete:
        last = printed(way[-1].subject)
        if issued_by(way[-1], way[-1]):
            message = f"the server's certificate leads to {last}, and that root is not endorsed for this customer"
            hint = "Submit the chain of that CA, if it is the customer's, or install a certificate of the endorsed one."
        else:
            message = f"the issuer {printed(way[-1].issuer)} of {last} was neither sent nor endorsed"
            hint = "Have the server send its intermediates, or submit the chain of that CA."
        yield _finding("PATH-ANCHOR-01", message, hint, subject)
    for each in way:
        if not each.not_valid_before_utc <= now <= each.not_valid_after_utc:
            dates = f"{each.not_valid_before_utc:%Y-%m-%d} to {each.not_valid_after_utc:%Y-%m-%d}"
            message = f"{printed(each.subject)} is valid from {dates}, not now"
            yield _finding("PATH-DATE-01", message, "Renew it, or compare the clocks.", subject)
    names = _dns_names(leaf)
    if host not in names:
        seen = ", ".join(names[:_NAMES_SHOWN]) or "no DNS name at all"
        message = f"the server's certificate is for {seen}; the DNS name {host} is wanted, exactly"
        hint = f"Request a certificate with subjectAltName = DNS:{host} (a common name or a wildcard does not count)."
        yield _finding("PATH-NAME-01", message, hint, subject, "R11; RFC 9525 section 6.3")
    uses = extension(leaf, x509.ExtendedKeyUsage)
    if uses is not None and not {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & {*uses}:
        message = "the server's certificate is for other uses than servers (ExtendedKeyUsage without serverAuth)"
        hint = "Request one for servers: extendedKeyUsage = serverAuth."
        yield _finding("PATH-USE-01", message, hint, subject, "RFC 5280 section 4.2.1.12")
    for each in way[1:]:
        constraints = extension(each, x509.BasicConstraints)
        if constraints is None or not constraints.ca:
            message = f"{printed(each.subject)} is no CA, and signed {printed(way[way.index(each) - 1].subject)}"
            hint = "Have the server's certificate issued by a CA: a certificate of a server signs no other."
            yield _finding("PATH-CA-01", message, hint, subject, "RFC 5280 section 6.1.4")


def _way_up(
    leaf: x509.Certificate, known: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]
) -> tuple[list[x509.Certificate], bool]:
    """Return the way from the certificate up as far as it goes, and whether it ends in one of the roots."""
    way = [leaf]
    while way[-1] not in roots:
        above = [each for each in known if each not in way and issued_by(way[-1], each)]
        if not above:
            return way, False
        way.append(next((each for each in above if each in roots), above[0]))
    return way, True


def _sent_notes(
    sent: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    subject: str,
) -> Iterator[Finding]:
    """Yield what other peers than the hub may stumble over."""
    nothing = "Nothing has to be done for the hub; other peers may want it mended."
    if any(not issued_by(one, other) for one, other in pairwise(sent)):
        message = "the certificates that the server sent are not in order, or do not belong together"
        yield _finding("PATH-SENT-02", message, nothing, subject, "RFC 8446 section 4.4.2", Level.WARNING)
    last = sent[-1]
    if not self_issued(last) and not any(issued_by(last, root) for root in roots):
        lent = [each for each in anchors if each not in sent and issued_by(last, each)]
        if lent:
            message = f"the server does not send its intermediate {printed(lent[0].subject)}; the endorsed chain has it"
            yield _finding("PATH-SENT-03", message, nothing, subject, "RFC 8446 section 4.4.2", Level.WARNING)


def _dns_names(certificate: x509.Certificate) -> list[str]:
    names = extension(certificate, x509.SubjectAlternativeName)
    return [each.lower() for each in names.get_values_for_type(x509.DNSName)] if names is not None else []


def _finding(
    id: str,  # noqa: A002 - as in Finding
    message: str,
    hint: str,
    subject: str,
    citation: str = _CITATION,
    level: Level = Level.ERROR,
) -> Finding:
    return Finding(id, message, hint, citation, subject, level)
