"""What a probe of a customer's server saw, stage by stage, as records. Who saw it is elsewhere; so is what follows."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cryptography import x509

from bothways.pki.alerts import Alert
from bothways.pki.chain import fingerprint


class Caller(StrEnum):
    """As whom the probe knocks: two who have to be let in, three who must not be, and one who has to be soon.

    `NEXT` there is while the hub changes its Client CA, for customers that are shown a certificate of the one before.
    """

    CURRENT = "the hub's current certificate"
    FRESH = "a fresh certificate of the same Client CA"
    NOBODY = "no certificate"
    FOREIGN = "a certificate of a foreign CA with the same names"
    EXPIRED = "an expired certificate of the Client CA"
    NEXT = "a certificate of the next Client CA"


class Outcome(StrEnum):
    """What came of one knock: refused by TLS, or answered over HTTP, or neither.

    `CLOSED`: it ended without a word, which lets nobody in. `SILENT`: nothing was heard, which proves nothing.
    """

    REFUSED = "refused"
    ANSWERED = "answered"
    CLOSED = "closed"
    SILENT = "silent"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class DnsSeen:
    """What DNS said of the host: addresses, seconds that they hold, and the names on the way (CNAME)."""

    host: str
    addresses: tuple[str, ...] = ()
    ttl: float = 0.0
    aliases: tuple[str, ...] = ()
    missing: bool = False
    failure: str = ""


@dataclass(frozen=True, slots=True)
class TcpSeen:
    """Whether one address took a connection: `failure` is empty if it did; `silent` if nothing came back in time."""

    address: str
    port: int
    failure: str = ""
    silent: bool = False


@dataclass(frozen=True, slots=True)
class VersionSeen:
    """What the server said to a hello of one version: whether it took it, and else its alert, or what it sent.

    `began` is the beginning of an answer that is no TLS; `failure` is why there was none at all.
    """

    version: str
    offered: bool
    alert: Alert | None = None
    began: bytes = b""
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Admission:
    """What came of one knock: the version of TLS, the alert if one was sent, the HTTP status if there was an answer.

    `certificate_error` tells that the HTTP answer says that the certificate is why it refuses.
    """

    caller: Caller
    outcome: Outcome
    version: str = ""
    alert: Alert | None = None
    status: int | None = None
    certificate_error: bool = False
    said: str = ""

    def __str__(self) -> str:
        """Return what came of it, in words."""
        if self.outcome is Outcome.REFUSED:
            return f"refused: {self.alert or self.said}"
        if self.outcome is Outcome.ANSWERED:
            return f"answered {self.said if self.status is None else self.status}"
        return f"{self.outcome.value}: {self.said}" if self.said else self.outcome.value


@dataclass(frozen=True, slots=True)
class CallSeen:
    """What came of one request through one Envoy, in words: `failed`, or `away` if that Envoy could not be asked.

    `tried` says where it was looked for: for the operator alone, and so not in the document.
    """

    node: str
    said: str
    failed: bool = False
    away: bool = False
    tried: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that one probe saw. A stage that was not reached is empty.

    `chain` is as it was sent; `chain_failure` says why there is none, though TLS is spoken. `calls` begin with that
    through the hub's own Envoy.
    """

    dns: DnsSeen
    tcp: tuple[TcpSeen, ...] = ()
    versions: tuple[VersionSeen, ...] = ()
    chain: tuple[x509.Certificate, ...] = ()
    chain_failure: str = ""
    admissions: tuple[Admission, ...] = ()
    calls: tuple[CallSeen, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the evidence as the JSON object that is stored and shown."""
        dns = self.dns
        return {
            "dns": {
                "addresses": list(dns.addresses),
                "ttl": dns.ttl,
                "aliases": list(dns.aliases),
                "failure": "the name does not exist" if dns.missing else dns.failure,
            },
            "tcp": [{"address": each.address, "port": each.port, "failure": each.failure} for each in self.tcp],
            "tls": [{"version": each.version, "offered": each.offered} for each in self.versions],
            "chain": [_certificate(each) for each in self.chain],
            "callers": [
                {"caller": each.caller.value, "outcome": each.outcome.value, "tls": each.version, "said": str(each)}
                for each in self.admissions
            ],
            "calls": [{"node": each.node, "outcome": _outcome(each), "said": each.said} for each in self.calls],
        }


def admission(admissions: Sequence[Admission], caller: Caller) -> Admission | None:
    """Return what came of the knock of this caller, if it knocked."""
    return next((each for each in admissions if each.caller is caller), None)


def _outcome(seen: CallSeen) -> str:
    return "not asked" if seen.away else "failed" if seen.failed else "answered"


def _certificate(certificate: x509.Certificate) -> dict[str, str]:
    return {
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "not_after": certificate.not_valid_after_utc.isoformat(),
        "fingerprint": fingerprint(certificate),
    }
