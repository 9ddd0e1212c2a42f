"""The audit in the API: its lines, and whether it is whole."""

from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query

from bothways.operations.audit import Known, export_audit, verify_audit
from bothways.registry.access import Action
from bothways.web.api.caller import Asks, Document
from bothways.web.api.gate import Gate
from bothways.web.api.paging import LIMIT, NumberCursor, page

LINES_MOST = 1000
"""Lines of a page: they are short, and archives take all of them."""
Head = Annotated[
    str | None,
    Query(pattern="^[1-9][0-9]{0,17}:[0-9a-f]{64}$", description="`head` of an earlier look, NUMBER:SHA256."),
]


def audit_router(gate: Gate) -> APIRouter:
    """Return the routes."""
    router = gate.router("audit")

    @router.get("")
    def _export(
        by: Asks, after: NumberCursor = 0, limit: Annotated[int, Query(ge=1, le=LINES_MOST)] = LIMIT
    ) -> Document:
        """List the lines of the audit, oldest first; `next` is the number of the last one."""
        found = list(islice(export_audit(by.may(Action.AUDIT_READ), after), limit + 1))
        return page(found, limit, lambda each: each["sequence"], lambda each: each)

    @router.get("/verify")
    def _verify(by: Asks, head: Head = None) -> Document:
        """Check that no line was changed, removed or put in; with a head that was known, that none was cut off."""
        number, _, digest = (head or "").partition(":")
        known = (Known(int(number), digest, "head"),) if head else ()
        return verify_audit(by.may(Action.AUDIT_READ), known).document()

    return router
