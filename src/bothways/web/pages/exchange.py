"""What a customer's people hand in and give up: requests and certificates."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from bothways.errors import Refused
from bothways.operations.certificates import revoke_certificate
from bothways.operations.request_check import check_request
from bothways.operations.requests import submit_request
from bothways.pki.chain import printed
from bothways.pki.keys import described
from bothways.pki.revocation import RevocationReason
from bothways.registry.access import Action
from bothways.web.pages.customer import Serial, TspId, own_certificate, requests_page
from bothways.web.pages.trust import harmless
from bothways.web.pages.view import View
from bothways.web.pages.visitor import Form, Gate, redirect

_OK, _REFUSED = 200, 422
_REASONS = {each.value: each for each in RevocationReason}


def exchange_router(gate: Gate, view: View) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/customers/{tsp_id}", include_in_schema=False)
    sent = Annotated[Form, Depends(gate.posted)]

    @router.post("/requests/check")
    async def _check(form: sent, tsp_id: TspId) -> Response:
        hub = form.visitor.may(Action.REQUEST_SUBMIT, tsp_id)
        content = form.content("csr")
        parsed, findings = await asyncio.to_thread(check_request, hub, tsp_id, content)
        page = await asyncio.to_thread(requests_page, hub, form.visitor, tsp_id, {})
        checked = parsed and {
            "subject": printed(parsed.subject),
            "key": described(parsed.public_key),
            "fingerprint": parsed.fingerprint,
            "pem": parsed.pem,
        }
        pasted = "" if parsed else harmless(form.text("csr"))
        status = _OK if parsed else _REFUSED
        return view.page(
            "requests.html", status, findings=findings, refused=not parsed, checked=checked, pasted=pasted, **page
        )

    @router.post("/requests")
    async def _submit(form: sent, tsp_id: TspId) -> Response:
        hub = form.visitor.may(Action.REQUEST_SUBMIT, tsp_id)
        content = form.content("csr")
        try:
            await asyncio.to_thread(submit_request, hub, tsp_id, content, "request")
        except Refused as refused:
            page = await asyncio.to_thread(requests_page, hub, form.visitor, tsp_id, {})
            return view.page("requests.html", _REFUSED, findings=refused.findings, refused=True, **page)
        return redirect(f"/customers/{tsp_id}/requests?done=submitted")

    @router.post("/certificates/{serial}/revoke")
    async def _revoke(form: sent, tsp_id: TspId, serial: Serial) -> Response:
        hub = form.visitor.may(Action.CERTIFICATE_REVOKE, tsp_id)
        own_certificate(hub, tsp_id, serial)
        reason = _REASONS.get(form.text("reason"), RevocationReason.UNSPECIFIED)
        await asyncio.to_thread(revoke_certificate, hub, serial, reason)
        return redirect(f"/customers/{tsp_id}/certificates?done={await form.visitor.apply()}")

    return router
