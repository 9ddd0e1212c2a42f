"""The facts about one customer from which the state of its flows follows. Collected by the store, judged elsewhere."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class CertificateFact:
    """A client certificate that was issued to the customer, and not revoked if `revoked_at` is None."""

    serial: int
    not_before: datetime
    not_after: datetime
    revoked_at: datetime | None = None
    seen_at: datetime | None = None

    def active(self, now: datetime) -> bool:
        """Tell whether the certificate opens the door now."""
        return self.revoked_at is None and self.not_before <= now < self.not_after


@dataclass(frozen=True, slots=True)
class AnchorFact:
    """An endorsed chain: it is trusted from the moment of its endorsement until its first certificate ends."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class ProbeFact:
    """A probe of the customer's server: where it went, when it began, and what came of it.

    `risk` says, if the probe succeeded, why calls may fail soon or should not be made; empty if nothing does.
    """

    address: str
    at: datetime
    ok: bool
    seen: str
    risk: str = ""

    def document(self) -> dict[str, Any]:
        """Return the fact as the JSON object that API and command line show."""
        return {
            "address": self.address,
            "at": self.at.isoformat(),
            "ok": self.ok,
            "seen": self.seen,
            "risk": self.risk or None,
        }


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything about one customer that its flows depend on.

    `requests_open` and `requests_refused` count its requests under review and refused; `endpoint` is host:port, where
    it is called since `endpoint_since`; `endpoints_open` counts those under review; `anchors` are the endorsed chains,
    `chains_open` counts those under review; `probe` is the last probe, and `proof` the last successful one.
    `client_until` is the end of the client certificate that the customer's own CA signed for the hub (R13), None if it
    did not; `held` is why the customer is still shown an earlier one of the hub's, if it is.
    """

    suspended: bool = False
    requests_open: int = 0
    requests_refused: int = 0
    certificates: tuple[CertificateFact, ...] = ()
    endpoint: str | None = None
    endpoint_since: datetime | None = None
    endpoints_open: int = 0
    chains_open: int = 0
    anchors: tuple[AnchorFact, ...] = ()
    probe: ProbeFact | None = None
    proof: ProbeFact | None = None
    client_until: datetime | None = None
    held: str = ""
