"""What a customer's server presents, against its endorsed anchors and its host name: findings of a probe. Pure.

The data plane decides by itself; here is said what it will mind and how to mend it, all at once.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bothways.findings import Finding, Level
from bothways.pki.chain import extension, fingerprint, linked, printed
from bothways.pki.keys import described

SOON = timedelta(days=30)
"""How long before its end a server's certificate is warned of: a bank's change window comes once a month."""

_RSA_BITS_LEAST = 2048
_CURVES = (ec.SECP256R1, ec.SECP384R1)
_HASHES = ("sha256", "sha384", "sha512")
_CITED = "R14; RFC 5280 section 6.1"
_NAMED = "RFC 9525 section 6.3"
_VALIDITY = "RFC 5280 section 4.1.2.5"


def server_chain_findings(
    sent: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    way: Sequence[x509.Certificate],
    host: str,
    now: datetime,
) -> tuple[Finding, ...]:
    """Return what is wrong with the chain as it was sent, the server's own certificate first.

    `way` leads from that to one of the anchors, whatever is wrong with it; it is empty if there is none.
    """
    return (
        *(_way_findings(sent, way, host) if way else _gap_findings(sent, anchors, host)),
        *_name_findings(sent[0], host),
        *_date_findings(sent, way, now, host),
        *_strength_findings(sent[0], host),
    )


def _gap_findings(
    sent: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], host: str
) -> Iterator[Finding]:
    issuers = [each.issuer for each in sent if not any(linked(each, other) for other in sent)]
    missing = printed(issuers[0]) if issuers else ""
    known = any(issuer in {each.subject for each in anchors} for issuer in issuers)
    roots = "; ".join(f"{_name(each)} (SHA-256 {fingerprint(each)[:16]}...)" for each in anchors)
    if missing and not known and not any(_is_root(each) for each in sent):
        message = f"no path leads to an endorsed CA: {missing}, the issuer of the last certificate, was not sent"
        hint = "Have the server send its certificate and each intermediate CA, in this order."
        yield Finding("PROBE-CHAIN-01", f"{message}, and is not endorsed ({roots})", hint, _CITED, host)
    else:
        message = f"the server's chain ends at {_name(sent[-1])}, which no endorsed CA vouches for: {roots}"
        hint = "Submit the chain of the CA that is in use, or present a certificate of the endorsed one."
        yield Finding("PROBE-CHAIN-02", message, hint, _CITED, host)


def _way_findings(sent: Sequence[x509.Certificate], way: Sequence[x509.Certificate], host: str) -> Iterator[Finding]:
    unsent = [each for each in way[1:] if each not in sent and not _is_root(each)]
    if unsent:
        message = f"the server does not send its intermediate CA {'; '.join(_name(each) for each in unsent)}"
        hint = (
            "It works as long as that CA stands in the endorsed chain, and breaks with the next intermediate. "
            "Have the server send it behind its own certificate."
        )
        yield Finding("PROBE-CHAIN-03", message, hint, "RFC 8446 section 4.4.2", host, Level.WARNING)
    if any(not linked(lower, upper) for lower, upper in pairwise(sent)):
        wanted = "; ".join(_name(each) for each in way)
        message = f"the certificates are not sent in order, which is: {wanted}"
        hint = "Put them in this order into the server's file, each once."
        yield Finding("PROBE-CHAIN-04", message, hint, "RFC 8446 section 4.4.2", host, Level.WARNING)


def _name_findings(own: x509.Certificate, host: str) -> Iterator[Finding]:
    names = extension(own, x509.SubjectAlternativeName)
    dns = [each.lower() for each in names.get_values_for_type(x509.DNSName)] if names else []
    if host in dns:
        return
    common = [str(each.value).lower() for each in own.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    hint = f"Request a certificate with the subjectAltName DNS:{host}"
    if f"*.{host.partition('.')[2]}" in dns:
        message = f"the certificate names {host} by a wildcard alone; every host of that domain could pose as it"
        yield Finding("PROBE-NAME-02", message, f"{hint}, without wildcard.", _NAMED, host, Level.WARNING)
    elif dns:
        message = f"the certificate is for {', '.join(dns)}, and {host} was called"
        yield Finding("PROBE-NAME-04", message, f"{hint}, or correct the endpoint.", _NAMED, host)
    elif names and names.get_values_for_type(x509.IPAddress):
        addresses = ", ".join(str(each) for each in names.get_values_for_type(x509.IPAddress))
        message = f"the certificate names addresses alone ({addresses}); the name {host} is wanted"
        yield Finding("PROBE-NAME-03", message, f"{hint}.", _NAMED, host)
    elif host in common:
        message = f"the certificate has {host} in its common name alone, which nobody looks at any more"
        yield Finding("PROBE-NAME-01", message, f"{hint}; the CN may stay.", _NAMED, host)
    else:
        yield Finding("PROBE-NAME-04", f"the certificate ({_name(own)}) names no host", f"{hint}.", _NAMED, host)


def _date_findings(
    sent: Sequence[x509.Certificate], way: Sequence[x509.Certificate], now: datetime, host: str
) -> Iterator[Finding]:
    for each in dict.fromkeys((*sent, *way)):
        begin, end = each.not_valid_before_utc, each.not_valid_after_utc
        # What stands beside the way is believed by nobody and minded by few.
        level = Level.WARNING if way and each not in way else Level.ERROR
        if end < now:
            message, hint = f"{_name(each)} expired on {end:%Y-%m-%d %H:%M} UTC", "Renew it."
            if each not in sent:
                hint = "It stands in the endorsed chain: submit the chain of the CA that took its place."
            yield Finding("PROBE-DATE-01", message, hint, _VALIDITY, host, level)
        elif begin > now:
            message = f"{_name(each)} is valid from {begin:%Y-%m-%d %H:%M} UTC on, not yet"
            hint = "Use the one before until then, and look at the clock where it was issued."
            yield Finding("PROBE-DATE-02", message, hint, _VALIDITY, host, level)
        elif end - now < SOON and each in sent:
            # The end of an endorsed chain is told by notices of its own.
            message = f"{_name(each)} expires on {end:%Y-%m-%d}, in {(end - now).days} days"
            yield Finding("PROBE-DATE-03", message, "Renew it now.", _VALIDITY, host, Level.WARNING)


def _strength_findings(own: x509.Certificate, host: str) -> Iterator[Finding]:
    key, digest = own.public_key(), own.signature_hash_algorithm
    strong = (isinstance(key, rsa.RSAPublicKey) and key.key_size >= _RSA_BITS_LEAST) or (
        isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES)
    )
    if not strong:
        message = f"the server's key is {described(key)}; RSA with 2048 bits or more, P-256 or P-384 is wanted"
        yield Finding("PROBE-KEY-01", message, "Make a new key, and a certificate for it.", "R11", host)
    if digest is None or digest.name not in _HASHES:
        message = f"the certificate is signed with {digest.name if digest else 'no known digest'}; SHA-256 is wanted"
        yield Finding("PROBE-KEY-02", message, "Have it issued anew with SHA-256.", "R11", host)
    usage = extension(own, x509.ExtendedKeyUsage)
    allowed = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if usage is not None and not allowed.intersection(usage):
        message = "the certificate's extended key usage does not say serverAuth"
        yield Finding("PROBE-KEY-03", message, "Request one for a server.", "RFC 5280 section 4.2.1.12", host)
    signs = extension(own, x509.KeyUsage)
    if signs is not None and not signs.digital_signature:
        # In all of TLS 1.3, and wherever TLS 1.2 keeps what was recorded secret, the key of the server signs.
        message = "the certificate's key usage does not say digitalSignature, and so its key may not sign a handshake"
        yield Finding("PROBE-KEY-04", message, "Request one for a server of TLS.", "RFC 5280 section 4.2.1.3", host)


def _is_root(certificate: x509.Certificate) -> bool:
    return linked(certificate, certificate)


def _name(certificate: x509.Certificate) -> str:
    return printed(certificate.subject) or f"the certificate {certificate.serial_number:x}"
