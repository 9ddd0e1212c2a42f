"""The audit, newest line first, for who may read it."""

import json
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from bothways.operations.audit import page_audit
from bothways.registry.access import Action
from bothways.web.pages.view import View
from bothways.web.pages.visitor import Gate, Visitor

_SHOWN = 50


def audit_router(gate: Gate, view: View) -> APIRouter:
    """Return the route."""
    router = APIRouter(include_in_schema=False)
    who = Annotated[Visitor, Depends(gate.visitor)]

    @router.get("/audit")
    def _audit(visitor: who, before: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0) -> Response:
        head, lines = page_audit(visitor.may(Action.AUDIT_READ), before, _SHOWN + 1)
        shown = [{**line, "detail": json.loads(line["detail"])} for line in lines[:_SHOWN]]
        following = shown[-1]["sequence"] if len(lines) > _SHOWN else None
        return view.page("audit.html", visitor=visitor, place="audit", head=head, lines=shown, next=following)

    return router
