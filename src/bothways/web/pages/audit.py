"""The audit, newest line first, for who may read it."""

import json
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from bothways.errors import Unusable
from bothways.operations.audit import moment, page_audit
from bothways.registry.access import Action
from bothways.store.audit_actions import ACTIONS
from bothways.store.audit_search import AuditFilter
from bothways.texts.catalogue import worded
from bothways.web.pages.view import View
from bothways.web.pages.visitor import Gate, Visitor
from bothways.web.problem import Told

_SHOWN = 50


def audit_router(gate: Gate, view: View) -> APIRouter:
    """Return the route."""
    router = APIRouter(include_in_schema=False)
    who = Annotated[Visitor, Depends(gate.visitor)]

    @router.get("/audit")
    def _audit(
        visitor: who,
        chosen: Annotated[dict[str, str], Depends(_chosen)],
        before: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
    ) -> Response:
        head, lines = page_audit(visitor.may(Action.AUDIT_READ), before, _SHOWN + 1, _wanted(chosen))
        shown = [{**line, "said": _said(json.loads(line["detail"]))} for line in lines[:_SHOWN]]
        given = {name: value for name, value in chosen.items() if value}
        following = urlencode(given | {"before": shown[-1]["sequence"]}) if len(lines) > _SHOWN else ""
        values: dict[str, Any] = {
            "filters": chosen,
            "actions": sorted(ACTIONS),
            "head": head,
            "lines": shown,
            "next": following,
        }
        return view.page("audit.html", visitor=visitor, place="audit", **values)

    return router


def _chosen(
    actor: Annotated[str, Query(max_length=254)] = "",
    customer: Annotated[str, Query(max_length=64)] = "",
    action: Annotated[str, Query(max_length=64)] = "",
    since: Annotated[str, Query(alias="from", max_length=40)] = "",
    until: Annotated[str, Query(max_length=40)] = "",
) -> dict[str, str]:
    given = {"actor": actor, "customer": customer, "action": action, "from": since, "until": until}
    return {name: value.strip() for name, value in given.items()}


def _wanted(chosen: dict[str, str]) -> AuditFilter:
    try:
        since = moment(chosen["from"]) if chosen["from"] else None
        until = moment(chosen["until"], whole_day=True) if chosen["until"] else None
    except Unusable as error:
        raise Told(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error
    return AuditFilter(chosen["actor"], chosen["customer"], chosen["action"], since, until)


def _said(detail: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what a line says beside who and when, by name, as people read it."""
    known = {name: value for name, value in detail.items() if value is not None}
    return [(name, _words(value)) for name, value in known.items()]


def _words(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value) or worded("none")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
