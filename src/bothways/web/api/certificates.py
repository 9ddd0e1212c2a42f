"""Certificates in the API: list, show, download, revoke; and the revocation lists."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import PlainTextResponse

from bothways.operations import certificates, revocation
from bothways.operations.hub import Hub
from bothways.pki.revocation import RevocationReason
from bothways.registry.access import Action
from bothways.store.certificates import StoredCertificate, absent
from bothways.web.api.caller import Asks, Caller, Document
from bothways.web.api.etag import IfMatch, require_match, tagged
from bothways.web.api.gate import Gate
from bothways.web.api.inputs import Body
from bothways.web.api.paging import LIMIT, Limit, NumberCursor, page

Serial = Annotated[str, Path(pattern="^[0-9a-f]{1,40}$", description="The serial number in hex.")]
PEM = "application/pem-certificate-chain"
"""RFC 8555 section 9.1."""


class _Pem(PlainTextResponse):
    media_type = PEM


class Revocation(Body):
    """Why a certificate is revoked, as RFC 5280 section 5.3.1 spells it."""

    reason: RevocationReason = RevocationReason.UNSPECIFIED


def certificates_router(gate: Gate) -> APIRouter:
    """Return the routes."""
    router = gate.router("certificates")

    @router.get("")
    def _list(
        by: Asks,
        customer: Annotated[str | None, Query(max_length=64, description="Only those of this customer.")] = None,
        after: NumberCursor = 0,
        limit: Limit = LIMIT,
    ) -> Document:
        """List certificates in the order of their requests; a customer sees its own."""
        hub = by.may(Action.CUSTOMER_READ, customer or by.tsp_id)
        found = certificates.list_certificates(hub, customer or by.tsp_id, after, limit + 1)
        return page(found, limit, lambda each: each.request_id, lambda each: each.document(hub.now()))

    @router.get("/{serial}")
    def _show(by: Asks, serial: Serial, response: Response) -> Document:
        """Show a certificate; `chain` is it and its issuer in PEM, null if it was never signed."""
        return tagged(response, _shown(*_certificate(by, Action.CUSTOMER_READ, serial)))

    @router.get("/{serial}/chain", response_class=_Pem)
    def _chain(by: Asks, serial: Serial) -> Response:
        """Download the certificate and its issuer in PEM, end entity first: what is installed as `tls.crt`."""
        hub, record = _certificate(by, Action.CUSTOMER_READ, serial)
        name = f'attachment; filename="{record.tsp_id}-{record.serial[:8]}.crt"'
        text = certificates.certificate_chain(hub, record)
        return _Pem(text, headers={"Content-Disposition": name})

    @router.post("/{serial}/revoke")
    async def _revoke(by: Asks, serial: Serial, body: Revocation, if_match: IfMatch = None) -> Document:
        """Revoke a certificate: the next request with it is refused, on open connections too."""

        def work() -> Document:
            hub, record = _certificate(by, Action.CERTIFICATE_REVOKE, serial)
            require_match(if_match, _shown(hub, record))
            return certificates.revoke_certificate(hub, serial, body.reason).document(hub.now())

        return await by.change(work)

    return router


def revocation_router(gate: Gate) -> APIRouter:
    """Return the routes of the revocation lists."""
    router = gate.router("revocation-lists")

    @router.get("")
    def _show(
        by: Asks, authority: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="The CA.")] = None
    ) -> Document:
        """Show the revocation list (CRL) of an issuing CA in PEM; of the one that signs now, if none is named."""
        return revocation.list_document(revocation.current_list(by.may(Action.CUSTOMER_READ, by.tsp_id), authority))

    return router


def _shown(hub: Hub, record: StoredCertificate) -> Document:
    chain = certificates.certificate_chain(hub, record) if record.der is not None else None
    return record.document(hub.now()) | {"chain": chain}


def _certificate(by: Caller, action: Action, serial: str) -> tuple[Hub, StoredCertificate]:
    # To find out whose it is, it has to be looked at; what was seen stays here.
    record = certificates.show_certificate(by.may(Action.CUSTOMER_READ, by.tsp_id), serial)
    return by.may_with(action, record.tsp_id, absent(serial)), record
