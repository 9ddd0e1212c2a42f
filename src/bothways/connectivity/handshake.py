"""Why a handshake failed, from what Envoy logged of it and what the hub knows: one finding, with its repair.

The words of Envoy 1.40 that this looks for are verified against the real one by `tests/wire/test_observations.py`.
"""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from bothways.connectivity.claim import claim_of
from bothways.connectivity.observation import CertificateOnRecord, FailedHandshake
from bothways.contract.document import Environment, RequestTerms
from bothways.findings import Finding
from bothways.pki.presented import Presented
from bothways.pki.revocation import RevocationReason
from bothways.pki.rule import shown

_NO_ROUTE = "NR"
_VERIFY_FAILED = "CERTIFICATE_VERIFY_FAILED"
_VERSIONS = {"t12": "TLS 1.2", "t11": "TLS 1.1", "t10": "TLS 1.0", "ts3": "SSL 3.0", "ts2": "SSL 2.0"}
"""The version in a JA4 fingerprint: of the ClientHello, and so right where Envoy's own field is not."""

# As TLS stacks say that they do not believe the other side's certificate (RFC 8446 section 6.2).
_DISTRUST = (
    "ALERT_UNKNOWN_CA",
    "ALERT_BAD_CERTIFICATE",
    "ALERT_CERTIFICATE_UNKNOWN",
    "ALERT_CERTIFICATE_EXPIRED",
    "ALERT_CERTIFICATE_REVOKED",
    "ALERT_UNSUPPORTED_CERTIFICATE",
    "ALERT_ACCESS_DENIED",
)
_NOTHING_SHARED = ("NO_SHARED_CIPHER", "NO_SHARED_GROUP", "WRONG_CURVE", "NO_COMMON_SIGNATURE_ALGORITHMS")
_NO_TLS = ("HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "WRONG_VERSION_NUMBER")
# A client in TLS 1.3 that breaks off after the server's certificate sends its alert in clear, which reads as garbage.
_BROKEN_RECORD = "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What the hub's endpoint is: its environment, host name, issuing CAs that are trusted, and terms of requests."""

    environment: Environment
    host: str
    authorities: tuple[x509.Certificate, ...]
    terms: RequestTerms


def handshake_finding(
    failed: FailedHandshake, presented: Presented | None, endpoint: Endpoint, record: CertificateOnRecord | None = None
) -> Finding:
    """Return why the handshake failed; `record` is what is stored of the very certificate that was presented.

    Total: what is not known is said as it was logged.
    """
    if _VERIFY_FAILED in failed.reason:
        return _certificate(failed, presented, endpoint, record)
    if any(each in failed.reason for each in _NO_TLS):
        return _finding(
            "INBOUND-TLS-04",
            "what came was not TLS: plain HTTP, or another protocol",
            f"Call https://{endpoint.host}, through no proxy that ends TLS.",
            "R1",
        )
    if _NO_ROUTE in failed.flags.split(","):
        return _name(failed, endpoint)
    return _handshake(failed, endpoint)


def _name(failed: FailedHandshake, endpoint: Endpoint) -> Finding:
    hint = f"Connect by the host name {endpoint.host}, with server name indication (SNI) switched on."
    if not failed.server_name:
        return _finding(
            "INBOUND-NAME-02", "no host name was sent (SNI); the endpoint wants its own", hint, "RFC 6066 section 3"
        )
    message = f"the host name {shown(failed.server_name)} was asked for (SNI); {endpoint.host} alone is served"
    return _finding("INBOUND-NAME-01", message, hint, "R3; RFC 6066 section 3")


def _handshake(failed: FailedHandshake, endpoint: Endpoint) -> Finding:
    reason = failed.reason
    if "PEER_DID_NOT_RETURN_A_CERTIFICATE" in reason:
        return _finding(
            "INBOUND-TLS-01",
            "no client certificate was sent",
            "Give the TLS client the certificate that the hub issued and its key; many libraries send none, and say "
            "nothing, if they cannot read either.",
            "R1; RFC 8446 section 4.4.2.4",
        )
    if "UNSUPPORTED_PROTOCOL" in reason:
        version = _VERSIONS.get(failed.ja4[:3], "an older version of TLS")
        return _finding(
            "INBOUND-TLS-02", f"{version} was offered; 1.2 or 1.3 is wanted", "Update the TLS library.", "R11"
        )
    if any(each in reason for each in _NOTHING_SHARED):
        return _finding(
            "INBOUND-TLS-03",
            "both sides have no cipher suite, curve or signature algorithm in common",
            "Switch on ECDHE with AES-GCM or ChaCha20-Poly1305, and the curves X25519 or P-256.",
            "R11",
        )
    if (told := any(each in reason for each in _DISTRUST)) or _BROKEN_RECORD in reason:
        why = "it does not trust it" if told else "most likely it does not trust it"
        return _finding(
            "INBOUND-TLS-05",
            f"the caller broke off when it saw the hub's certificate: {why}",
            f"Trust the server CA of the contract for {endpoint.host}, and no other; take the contract again if the "
            "hub has a new one.",
            "R1; RFC 8446 section 6.2",
        )
    return _finding("INBOUND-TLS-06", f"the handshake failed: {_words(reason)}", _ASK, "RFC 8446 section 6.2")


def _certificate(
    failed: FailedHandshake, presented: Presented | None, endpoint: Endpoint, record: CertificateOnRecord | None
) -> Finding:
    """Return what is wrong with the certificate; our own reading of it decides where Envoy's words say less."""
    reason = failed.reason
    if presented is None:
        said = f"the certificate was refused, and cannot be read here: {_words(reason)}"
        return _finding("INBOUND-CERTIFICATE-09", said, _INSTALL, "R6; RFC 5280")
    if "certificate_has_expired" in reason and presented.not_after <= failed.at:
        return expired(presented.not_after)
    if "certificate_is_not_yet_valid" in reason and presented.not_before > failed.at:
        return _finding(
            "INBOUND-CERTIFICATE-04",
            f"the certificate is not valid before {_moment(presented.not_before)}",
            "Wait for it, and use the one before until then; if that moment is past, a clock is wrong.",
            "RFC 5280 section 4.1.2.5",
        )
    if "certificate_revoked" in reason:
        return revoked(record)
    if "unsupported_certificate_purpose" in reason and not presented.for_clients:
        return _finding(
            "INBOUND-CERTIFICATE-06",
            "the certificate is not for clients: its extended key usage lacks clientAuth",
            "Present the client certificate that the hub issued, not one of a server.",
            "RFC 5280 section 4.2.1.12",
        )
    return _untrusted(failed, presented, endpoint)


def _untrusted(failed: FailedHandshake, presented: Presented, endpoint: Endpoint) -> Finding:
    claim = claim_of(presented, endpoint.terms)
    issuer = shown(presented.issuer.rfc4514_string())
    named = [each for each in endpoint.authorities if presented.names_as_issuer(each)]
    if claim and claim.environment is not endpoint.environment:
        return _finding(
            "INBOUND-CERTIFICATE-02",
            f"the certificate is for {claim.environment.value}; this is {endpoint.environment.value}",
            f"Present the certificate that was issued for {endpoint.environment.value}, or call the endpoint of "
            f"{claim.environment.value}: nothing crosses from one to the other.",
            "R5",
        )
    if named and not any(presented.signed_by(each) for each in named):
        return _finding(
            "INBOUND-CERTIFICATE-07",
            f"the certificate names the hub's CA {issuer} as its issuer, and that CA did not sign it",
            "Present the certificate as the hub issued it. If nobody here made this one, tell the hub's operator: "
            "somebody tries to pass for this customer.",
            "R6; RFC 5280 section 6.1.3",
        )
    if not named:
        who = "itself" if presented.self_signed else issuer
        return _finding(
            "INBOUND-CERTIFICATE-01", f"the certificate is issued by {who}, not by the hub's CA", _INSTALL, "R6"
        )
    return _finding(
        "INBOUND-CERTIFICATE-09", f"the certificate was refused: {_words(failed.reason)}", _INSTALL, "R6; RFC 5280"
    )


def expired(not_after: datetime) -> Finding:
    """Return the finding of a certificate past its end."""
    return _finding(
        "INBOUND-CERTIFICATE-03",
        f"the certificate expired on {_moment(not_after)}",
        "Submit a new request (CSR), and install the certificate that comes of it.",
        "RFC 5280 section 4.1.2.5",
    )


def revoked(record: CertificateOnRecord | None) -> Finding:
    """Return the finding of a revoked certificate: when and why, as far as it is on record."""
    when = f" on {_moment(record.revoked_at)}" if record and record.revoked_at else ""
    reason = record.revoked_reason if record else ""
    if reason == RevocationReason.SUPERSEDED:
        message = f"the certificate was replaced by a newer one, and revoked{when}"
        hint = "Install the newer certificate at this caller as well, and open its connections again."
    else:
        message = f"the certificate was revoked{when}{f' ({reason})' if reason else ''}"
        hint = "Make a new key and a new request (CSR); a revoked certificate is never valid again."
    return _finding("INBOUND-CERTIFICATE-05", message, hint, "RFC 5280 section 5.3")


_INSTALL = "Present the certificate that the hub issued for this customer and environment, with its key."
_ASK = "Ask the hub's operator, with the moment and the source address of the call."


def _finding(id_: str, message: str, hint: str, citation: str) -> Finding:
    return Finding(id_, message, hint, citation)


def _words(reason: str) -> str:
    """Return what Envoy said, for people: the last words of its chain, which are the narrowest."""
    parts = [each for each in reason.split(":") if each and "TLS_error" not in each]
    return shown(parts[-1].replace("_", " ")) if parts else "no reason was given"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
