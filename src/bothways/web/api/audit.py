"""The audit in the API: its lines, and whether it is whole."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from bothways.operations.audit import Known, compare_audit, export_audit, signed_head, verify_audit
from bothways.registry.access import Action
from bothways.store.audit_search import AuditFilter
from bothways.web.api.caller import Asks, Document
from bothways.web.api.gate import Gate
from bothways.web.api.inputs import Body
from bothways.web.api.paging import LIMIT, NumberCursor, page

LINES_MOST = 1000
"""Lines of a page: they are short, and archives take all of them."""
EXPORT_MOST = 8_000_000
"""Characters that are compared at once: a thousand lines as long as lines get."""
Head = Annotated[
    str | None,
    Query(pattern="^[1-9][0-9]{0,17}:[0-9a-f]{64}$", description="`head` of an earlier look, NUMBER:SHA256."),
]


class Exported(Body):
    """JSON lines as an export gave them: a piece of it at a time, if it is long."""

    export: str = Field(min_length=1, max_length=EXPORT_MOST)


def _instant(value: Any) -> Any:
    """Refuse what pydantic takes for a moment, and the document does not: seconds since 1970."""
    if isinstance(value, str) and "-" not in value[:5]:
        raise ValueError("a moment with its zone is wanted, as 2026-11-23T00:00:00Z")
    return value


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        # In the first or the last hours that there can be: no line is near them.
        return moment.replace(tzinfo=UTC)


_Moment = Annotated[AwareDatetime, BeforeValidator(_instant), AfterValidator(_in_utc)]


def _wanted(
    actor: Annotated[str, Query(max_length=254, description="Who acted, as the audit names them.")] = "",
    customer: Annotated[str, Query(max_length=64, description="Of this customer: its tspId.")] = "",
    action: Annotated[str, Query(max_length=64, description="What was done, as `chain.endorse`.")] = "",
    since: Annotated[_Moment | None, Query(alias="from", description="At this moment or later.")] = None,
    until: Annotated[_Moment | None, Query(description="Before this moment.")] = None,
) -> AuditFilter:
    return AuditFilter(actor, customer, action, since, until)


def audit_router(gate: Gate) -> APIRouter:
    """Return the routes."""
    router = gate.router("audit")

    @router.get("")
    def _export(
        by: Asks,
        wanted: Annotated[AuditFilter, Depends(_wanted)],
        after: NumberCursor = 0,
        limit: Annotated[int, Query(ge=1, le=LINES_MOST)] = LIMIT,
    ) -> Document:
        """List the lines of the audit, oldest first; `next` is the number of the last one."""
        found = list(export_audit(by.may(Action.AUDIT_READ), after, wanted, limit + 1))
        return page(found, limit, lambda each: each["sequence"], lambda each: each)

    @router.get("/verify")
    def _verify(by: Asks, head: Head = None) -> Document:
        """Check that no line was changed, removed or put in; with a head that was known, that none was cut off."""
        number, _, digest = (head or "").partition(":")
        known = (Known(int(number), digest, "head"),) if head else ()
        return verify_audit(by.may(Action.AUDIT_READ), known).document()

    @router.get("/head")
    def _head(by: Asks) -> Document:
        """Show the signed head, to be kept on another machine: how lines that were cut off at the end are found."""
        return signed_head(by.may(Action.AUDIT_READ))

    @router.post("/compare")
    def _compare(by: Asks, body: Exported) -> Document:
        """Compare lines that were exported earlier, with or without a signed head, with what is there now."""
        found = compare_audit(by.may(Action.AUDIT_READ), body.export.encode(errors="replace"), "export")
        return {"findings": [each.document() for each in found]}

    return router
