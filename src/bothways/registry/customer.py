"""A customer of the hub (R4)."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bothways.findings import Finding

_TSP_ID = re.compile(r"[0-9A-Za-z]{1,32}", re.ASCII)
_ORGANIZATION_LIMIT = 64


class CustomerKind(StrEnum):
    """An issuer serves itself in the portal, with a merchant everything is exchanged by hand (R12, R14)."""

    ISSUER = "issuer"
    MERCHANT = "merchant"


@dataclass(frozen=True, slots=True)
class Customer:
    """An organization, known by its tspId; connectivity is set up, suspended and revoked for each separately."""

    tsp_id: str
    kind: CustomerKind
    organization: str
    created_at: datetime
    suspended: bool = False


def customer_findings(tsp_id: str, organization: str) -> tuple[Finding, ...]:
    """Return what is wrong with the values of a new customer."""
    findings = []
    # The tspId stands in headers, URNs and file names: letters and digits alone mean the same in all of them.
    if not _TSP_ID.fullmatch(tsp_id):
        message = f"the tspId is {tsp_id!r}; 1 to 32 letters and digits are wanted"
        findings.append(Finding("CUSTOMER-01", message, "Give the identifier that was agreed.", "R4"))
    if not organization.strip() or len(organization) > _ORGANIZATION_LIMIT or not organization.isprintable():
        message = f"the organization is {organization!r}; 1 to {_ORGANIZATION_LIMIT} printable characters are wanted"
        findings.append(Finding("CUSTOMER-02", message, "Give the name as it is registered.", "R9"))
    return tuple(findings)
