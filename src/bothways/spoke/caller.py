"""Who called, as its certificate proves: the hub of the contract, with whichever certificate it has now (R12, R15)."""

from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from bothways.contract.document import Terms
from bothways.errors import Refused
from bothways.findings import Finding
from bothways.pki.chain import extension, fingerprint
from bothways.xds import names

_ASK = "Ask the hub's representative whether this call was theirs; nobody else has to be let in."


@dataclass(frozen=True, slots=True)
class Caller:
    """The hub that called: its name and environment, and subject and fingerprint (SHA-256) of its certificate.

    The last two are for logs: the hub changes its certificate without notice, so they are compared with nothing.
    """

    hub: str
    environment: str
    subject: str
    fingerprint: str

    @property
    def headers(self) -> dict[str, str]:
        """The headers by which an application is told: the same as from the sidecar."""
        return {
            names.HUB_HEADER: self.hub,
            names.ENVIRONMENT_HEADER: self.environment,
            names.CERTIFICATE_HEADER: self.fingerprint,
        }


def proved_caller(certificate: x509.Certificate, terms: Terms) -> Caller:
    """Return who showed this client certificate, which was verified against the Client CA.

    Raises `Refused` if it has another DNS-ID than the hub's name (RFC 9525), or is not for clients (RFC 5280 4.2.1.12).
    """
    subject = certificate.subject.rfc4514_string()
    found = []
    alternative = extension(certificate, x509.SubjectAlternativeName)
    hosts = alternative.get_values_for_type(x509.DNSName) if alternative else []
    if terms.hub not in hosts:
        shown = ", ".join(hosts) or "no DNS-ID"
        message = f"{subject} is not {terms.hub}: its certificate has {shown}"
        found.append(Finding("RECEIVE-01", message, _ASK, "R12"))
    usage = extension(certificate, x509.ExtendedKeyUsage)
    if usage is None or ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
        message = f"the certificate of {subject} is not for TLS clients (no clientAuth in its extended key usage)"
        found.append(Finding("RECEIVE-02", message, _ASK, "RFC 5280 section 4.2.1.12"))
    if found:
        raise Refused(tuple(found))
    return Caller(terms.hub, terms.environment.value, subject, fingerprint(certificate))


def trusted_headers(received: Iterable[tuple[str, str]], caller: Caller) -> list[tuple[str, str]]:
    """Return the headers for an application: without what could be mistaken for ours, and with who called.

    Names with an underscore or another odd sign are left out: many servers take them for the same with a dash.
    """
    kept = [(name, value) for name, value in received if not names.untrusted(name.lower())]
    return [*kept, *caller.headers.items()]
