"""What an observation is: a failed call to the endpoint, whose it was as far as anything says, why, and the repair.

The reasons are judged in `handshake` and `refusal`; who it was is looked up by whoever has the records.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from bothways.findings import Finding


class MatchedBy(StrEnum):
    """What tied a failed call to a customer, strongest first. Only `HANDSHAKE` proves that it was the customer.

    A certificate is public: in a handshake that fails, nobody has shown yet that the key is theirs.
    """

    HANDSHAKE = "handshake"
    CERTIFICATE = "certificate"
    SIGNATURE = "signature"
    SERIAL = "serial"
    SUBJECT = "subject"
    SOURCE = "source"

    @property
    def said(self) -> str:
        """How sure it is, in words."""
        return _SAID[self]


_SAID = {
    MatchedBy.HANDSHAKE: "proved by its key",
    MatchedBy.CERTIFICATE: "presented a certificate that is on record, key not proved",
    MatchedBy.SIGNATURE: "presented a certificate that the hub's CA signed, key not proved",
    MatchedBy.SERIAL: "claims to be, by issuer and serial number",
    MatchedBy.SUBJECT: "claims to be, by the names in its certificate",
    MatchedBy.SOURCE: "called from an address at which this customer alone was seen",
}


@dataclass(frozen=True, slots=True)
class CertificateOnRecord:
    """A certificate that the hub issued: until when it is valid, and when and why it was revoked, if it was."""

    not_after: datetime
    revoked_at: datetime | None = None
    revoked_reason: str = ""


@dataclass(frozen=True, slots=True)
class FailedHandshake:
    """A connection that came to nothing, as the data plane logged it.

    `reason` and `flags` are Envoy's words, `server_name` the SNI, `ja4` the fingerprint of the ClientHello,
    `certificate` what was presented (URL-encoded PEM), `fingerprint` its SHA-256; each is empty where there was none.
    Two that differ in `at` and `port` alone are the same failure.
    """

    at: datetime = field(compare=False)
    source: str
    reason: str = ""
    flags: str = ""
    server_name: str = ""
    ja4: str = ""
    certificate: str = ""
    fingerprint: str = ""
    port: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class RefusedRequest:
    """A request after a good handshake that the data plane answered itself, and with an error.

    `details` and `flags` are Envoy's words, `path` is without the query: that is nobody's business here.
    Two that differ in `at` alone are the same failure.
    """

    at: datetime = field(compare=False)
    source: str
    fingerprint: str
    uri_id: str
    status: int
    details: str
    flags: str = ""
    method: str = ""
    path: str = ""
    host: str = ""


Failure = FailedHandshake | RefusedRequest


@dataclass(frozen=True, slots=True)
class Observation:
    """Why calls failed: the same finding, source and certificate, `count` times since `first_at`.

    `tsp_id` and `matched_by` are None if nothing says whose they were. `fingerprint` is empty without a certificate.
    """

    finding: Finding
    tsp_id: str | None
    matched_by: MatchedBy | None
    source: str
    fingerprint: str
    first_at: datetime
    last_at: datetime
    count: int = 1
    id: int = 0

    def document(self) -> dict[str, Any]:
        """Return the observation as the JSON object that API and command line show."""
        return {
            "id": self.id,
            "customer": self.tsp_id,
            "matched_by": self.matched_by and self.matched_by.value,
            "finding": self.finding.document(),
            "source": self.source,
            "fingerprint": self.fingerprint or None,
            "first_at": self.first_at.isoformat(),
            "last_at": self.last_at.isoformat(),
            "count": self.count,
        }
