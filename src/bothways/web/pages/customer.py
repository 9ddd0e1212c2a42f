"""What a customer's people look at, and the hub's with them: home, requests, certificates, activity, services."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from bothways.connectivity.assess import FlowAssessment
from bothways.contract.document import KeyType
from bothways.contract.recipe import Shell, openssl_recipe
from bothways.contract.subject import Subject
from bothways.errors import Refused, Unusable
from bothways.findings import Finding
from bothways.operations.certificates import certificate_chain, list_certificates, show_certificate
from bothways.operations.customers import show_customer
from bothways.operations.endpoints import list_probes
from bothways.operations.hub import Hub
from bothways.operations.observations import last_failures, list_observations
from bothways.operations.requests import list_requests
from bothways.operations.services import services_of
from bothways.registry.access import Action
from bothways.store.certificates import StoredCertificate, absent
from bothways.web.pages.drawing import Span, colour_of, shown_steps, timeline
from bothways.web.pages.evidence import shown_probes
from bothways.web.pages.recipes import first_call, recipes
from bothways.web.pages.view import View
from bothways.web.pages.visitor import Gate, Visitor

_SHOWN = 50

TspId = Annotated[str, Path(max_length=32)]
Serial = Annotated[str, Path(pattern="^[0-9a-f]{1,40}$")]
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
Done = Annotated[str, Query(max_length=32)]
Before = Annotated[int, Query(ge=0, le=2**63 - 1)]

_Item = TypeVar("_Item")


def customer_router(gate: Gate, view: View) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/customers/{tsp_id}", include_in_schema=False)
    who = Annotated[Visitor, Depends(gate.visitor)]

    @router.get("/home")
    def _home(visitor: who, tsp_id: TspId, done: Done = "") -> Response:
        hub = visitor.may(Action.CUSTOMER_READ, tsp_id)
        found = show_customer(hub, tsp_id)
        flows = [_flow(each) for each in (found.assessment.inbound, found.assessment.outbound)]
        # Of those that say the same, the last one.
        shown = {each.finding: each for each in reversed(last_failures(hub, tsp_id))}
        return view.page(
            "home.html",
            visitor=visitor,
            place="home",
            done=done,
            customer=found.customer,
            flows=flows,
            failures=sorted(shown.values(), key=lambda each: each.last_at, reverse=True),
            may_suspend=visitor.can(Action.CUSTOMER_WRITE),
        )

    @router.get("/requests")
    def _requests(visitor: who, request: Request, tsp_id: TspId, done: Done = "", before: Before = 0) -> Response:
        hub, asked = visitor.may(Action.CUSTOMER_READ, tsp_id), dict(request.query_params)
        return view.page("requests.html", done=done, **requests_page(hub, visitor, tsp_id, asked, before))

    @router.get("/certificates")
    def _certificates(visitor: who, tsp_id: TspId, done: Done = "", before: Before = 0) -> Response:
        hub = visitor.may(Action.CUSTOMER_READ, tsp_id)
        listed = list_certificates(hub, tsp_id)
        found, older = newest(listed, before, lambda each: each.request_id, _SHOWN)
        spans, all_spans = ([_span(each) for each in some] for some in (found[::-1], listed))
        return view.page(
            "certificates.html",
            visitor=visitor,
            place="certificates",
            done=done,
            customer=show_customer(hub, tsp_id).customer,
            certificates=found,
            older=older,
            drawing=timeline(spans, hub.now(), all_spans),
            may_revoke=visitor.can(Action.CERTIFICATE_REVOKE),
            recipes=recipes(hub, tsp_id),
        )

    @router.get("/certificates/{serial}/tls.crt")
    def _download(visitor: who, tsp_id: TspId, serial: Serial) -> Response:
        hub = visitor.may(Action.CUSTOMER_READ, tsp_id)
        return pem_file(certificate_chain(hub, own_certificate(hub, tsp_id, serial)), "tls.crt")

    @router.get("/activity")
    def _activity(visitor: who, tsp_id: TspId, after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0) -> Response:
        hub = visitor.may(Action.CUSTOMER_READ, tsp_id)
        customer, probes = show_customer(hub, tsp_id).customer, shown_probes(list_probes(hub, tsp_id))
        try:
            failures = list_observations(hub, tsp_id, after=after, limit=_SHOWN + 1)
        except Unusable:
            failures = None
        return view.page(
            "activity.html",
            visitor=visitor,
            place="activity",
            customer=customer,
            failures=None if failures is None else failures[:_SHOWN],
            next=failures[_SHOWN - 1].id if failures and len(failures) > _SHOWN else None,
            probes=probes,
            calls=_calls(hub, tsp_id, probes),
            first_call=first_call(hub.terms),
        )

    @router.get("/services")
    def _services(visitor: who, tsp_id: TspId, done: Done = "") -> Response:
        hub = visitor.may(Action.CUSTOMER_READ, tsp_id)
        found = show_customer(hub, tsp_id)
        open_flows = found.assessment.open_flows
        listed = [
            {
                "service": service,
                "granted": granted,
                "needs": sorted(flow.value for flow in service.needs),
                "missing": sorted(flow.value for flow in service.needs - open_flows),
            }
            for service, granted in services_of(hub, tsp_id)
        ]
        return view.page(
            "services.html",
            visitor=visitor,
            place="services",
            done=done,
            customer=found.customer,
            services=listed,
            may_grant=visitor.can(Action.SERVICE_WRITE),
        )

    return router


def requests_page(hub: Hub, visitor: Visitor, tsp_id: str, asked: dict[str, str], before: int = 0) -> dict[str, Any]:
    """Return what the page of requests shows, of those `before` a number; for `asked` the commands are made."""
    customer = show_customer(hub, tsp_id).customer
    fields = {name: asked.get(name, "")[:128] for name in ("country", "state", "locality", "unit")}
    key = KeyType(asked["key"]) if asked.get("key") in [*KeyType] else hub.terms.request.keys[0]
    shell = Shell(asked["shell"]) if asked.get("shell") in [*Shell] else Shell.BASH
    commands = ""
    mistakes: tuple[Finding, ...] = ()
    if "key" in asked:
        subject = Subject(fields["country"], fields["state"], fields["locality"], customer.organization, fields["unit"])
        try:
            commands = openssl_recipe(hub.terms, tsp_id, key, subject, shell)
        except Refused as refused:
            mistakes = refused.findings
    shown, older = newest(list_requests(hub, tsp_id), before, lambda each: each.id, _SHOWN)
    return {
        "visitor": visitor,
        "place": "requests",
        "customer": customer,
        "asked": fields | {"key": key.value, "shell": shell.value},
        "common_name": hub.terms.request.expected_common_name(key, tsp_id, hub.environment),
        "commands": commands,
        "mistakes": mistakes,
        "requests": shown,
        "older": older,
        "may_submit": visitor.can(Action.REQUEST_SUBMIT),
    }


def newest(
    items: Sequence[_Item], before: int, number: Callable[[_Item], int], most: int
) -> tuple[Sequence[_Item], int | None]:
    """Return a page of what is sorted by number, the newest first, and before which number the next one begins."""
    found = [each for each in items if not before or number(each) < before]
    shown = found[-most:][::-1]
    return shown, number(shown[-1]) if len(found) > most else None


def own_certificate(hub: Hub, tsp_id: str, serial: str) -> StoredCertificate:
    """Return a certificate of this customer. Raises `NotFound`, for another customer's too."""
    record = show_certificate(hub, serial)
    if record.tsp_id != tsp_id:
        raise absent(serial)
    return record


def pem_file(content: str, name: str) -> Response:
    """Return a file to download."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    headers["X-Content-Type-Options"] = "nosniff"
    return Response(content, media_type="application/x-pem-file", headers=headers)


def _span(each: StoredCertificate) -> Span:
    label = f"{each.serial[:12]}…"
    return Span(label, each.not_before, each.not_after, each.revoked_at, used=each.seen_at is not None)


def _flow(assessment: FlowAssessment) -> dict[str, Any]:
    return {"assessment": assessment, "colour": colour_of(assessment.state), "steps": shown_steps(assessment)}


def _calls(hub: Hub, tsp_id: str, probes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what is known of calls that went well, the last one first: one line per certificate and per probe."""
    inbound = [
        {"at": each.seen_at, "inbound": True, "said": each.serial[:12]}
        for each in list_certificates(hub, tsp_id)[-_SHOWN:]
        if each.seen_at
    ]
    outbound = [
        {"at": each["fact"].at, "inbound": False, "said": each["fact"].seen} for each in probes if each["fact"].ok
    ]
    return sorted(inbound + outbound, key=lambda each: each["at"], reverse=True)
