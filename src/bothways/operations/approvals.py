"""What became of many requests, as API, portal and command line show it."""

from collections.abc import Iterable
from typing import Any

from bothways.errors import BothwaysError, Proposed
from bothways.operations.hub import Hub
from bothways.operations.requests import Approval


def approvals_document(hub: Hub, found: Iterable[Approval]) -> dict[str, Any]:
    """Return what became of each: the certificates in `approved`, with the warnings, and why there are no others.

    What is `proposed` waits for a second person.
    """
    now = hub.now()
    approved, proposed, failed = list[dict[str, Any]](), list[dict[str, Any]](), list[dict[str, Any]]()
    for each in found:
        if isinstance(each.outcome, Proposed):
            proposed.append(each.outcome.document())
        elif isinstance(each.outcome, BothwaysError):
            failed.append({"request": each.number} | each.outcome.document())
        else:
            findings = [warning.document() for warning in each.warnings]
            approved.append(each.outcome.document(now) | {"findings": findings})
    return {"approved": approved, "proposed": proposed, "not_approved": failed}
