"""Certificates in the API: list, show, revoke."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict

from bothways.operations import certificates
from bothways.operations.hub import Hub
from bothways.pki.revocation import RevocationReason
from bothways.registry.access import Action
from bothways.store.certificates import StoredCertificate, absent
from bothways.web.api.caller import Caller, Document
from bothways.web.api.paging import LIMIT, Limit, NumberCursor, page

Serial = Annotated[str, Path(pattern="^[0-9a-f]{1,40}$", description="The serial number in hex.")]


class Revocation(BaseModel):
    """Why a certificate is revoked, as RFC 5280 section 5.3.1 spells it."""

    model_config = ConfigDict(extra="forbid")

    reason: RevocationReason = RevocationReason.UNSPECIFIED


def certificates_router(caller: Callable[..., Awaitable[Caller]]) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/certificates", tags=["certificates"])
    asks = Annotated[Caller, Depends(caller)]

    @router.get("")
    def _list(by: asks, after: NumberCursor = 0, limit: Limit = LIMIT) -> Document:
        """List certificates in the order of their requests; a customer sees its own."""
        hub = by.may(Action.CUSTOMER_READ, by.tsp_id)
        found = certificates.list_certificates(hub, by.tsp_id, after, limit + 1)
        return page(found, limit, lambda each: each.request_id, lambda each: each.document(hub.now()))

    @router.get("/{serial}")
    def _show(by: asks, serial: Serial) -> Document:
        """Show a certificate; `chain` is it and its issuer in PEM, null if it was never signed."""
        hub, record = _certificate(by, Action.CUSTOMER_READ, serial)
        chain = certificates.certificate_chain(hub, record) if record.der is not None else None
        return record.document(hub.now()) | {"chain": chain}

    @router.post("/{serial}/revoke")
    async def _revoke(by: asks, serial: Serial, body: Revocation) -> Document:
        """Revoke a certificate: the next request with it is refused, on open connections too."""

        def work() -> Document:
            hub, _ = _certificate(by, Action.CERTIFICATE_REVOKE, serial)
            return certificates.revoke_certificate(hub, serial, body.reason).document(hub.now())

        return await by.change(work)

    return router


def _certificate(by: Caller, action: Action, serial: str) -> tuple[Hub, StoredCertificate]:
    # To find out whose it is, it has to be looked at; what was seen stays here.
    record = certificates.show_certificate(by.may(Action.CUSTOMER_READ, by.tsp_id), serial)
    return by.may_with(action, record.tsp_id, absent(serial)), record
