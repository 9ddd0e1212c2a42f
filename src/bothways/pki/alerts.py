"""TLS alerts about certificates and versions, in sentences: one table for the hub's probe and the customer's checks."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Alert:
    """A TLS alert (RFC 8446 section 6.2): its number, its name in the RFC, and what the peer means by it."""

    number: int
    name: str
    sentence: str

    def __str__(self) -> str:
        """Return the sentence, with name and number for who looks them up."""
        return f"{self.sentence} (TLS alert {self.number}, {self.name})"


ALERTS = (
    Alert(40, "handshake_failure", "it found nothing that both sides can use, or it wants a certificate and got none"),
    Alert(42, "bad_certificate", "it could not read the certificate, or its signature does not hold"),
    Alert(43, "unsupported_certificate", "it does not take certificates of this kind: key, or purpose (EKU)"),
    Alert(44, "certificate_revoked", "it takes the certificate for revoked"),
    Alert(45, "certificate_expired", "it takes the certificate for expired, or not yet valid: look at its clock too"),
    Alert(46, "certificate_unknown", "it does not accept the certificate, and does not say why"),
    Alert(48, "unknown_ca", "it does not trust the CA of the certificate"),
    Alert(49, "access_denied", "it understood the certificate, and lets its owner not in"),
    Alert(70, "protocol_version", "it does not speak this version of TLS"),
    Alert(112, "unrecognized_name", "it does not know the host name that was asked for (SNI)"),
    Alert(116, "certificate_required", "it wants a certificate, and got none"),
    Alert(120, "no_application_protocol", "it speaks none of the protocols that were offered (ALPN)"),
)

_BY_NUMBER = {each.number: each for each in ALERTS}
_BY_REASON = re.compile(r"(?:SSLV3|TLSV1|TLSV13)_(?:ALERT_)?([A-Z_]+)")
_BY_NAME = {each.name.upper(): each for each in ALERTS}


def alert(number: int) -> Alert:
    """Return the alert with this number; one that the table does not have is told by its number alone."""
    return _BY_NUMBER.get(number) or Alert(number, "another alert", "it ended the handshake")


def alert_in(reason: str) -> Alert | None:
    """Return the alert that a reason of OpenSSL or BoringSSL names (`TLSV1_ALERT_UNKNOWN_CA`), or None."""
    for match in _BY_REASON.finditer(reason.upper().replace(" ", "_")):
        if found := _BY_NAME.get(match[1].rstrip("_")):
            return found
    return None
