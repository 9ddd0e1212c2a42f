"""The audit, newest line first, for who may read it."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from bothways.operations.audit import page_audit
from bothways.registry.access import Action
from bothways.texts.catalogue import worded
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
        shown = [{**line, "said": _said(json.loads(line["detail"]))} for line in lines[:_SHOWN]]
        following = shown[-1]["sequence"] if len(lines) > _SHOWN else None
        return view.page("audit.html", visitor=visitor, place="audit", head=head, lines=shown, next=following)

    return router


def _said(detail: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what a line says beside who and when, by name, as people read it."""
    known = {name: value for name, value in detail.items() if value is not None}
    return [(name, _words(value)) for name, value in known.items()]


def _words(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value) or worded("none")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
