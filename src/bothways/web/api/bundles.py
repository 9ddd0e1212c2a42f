"""Bundles in the API: what is exchanged with a customer by hand, as one signed zip in each direction, in base64."""

import base64
import binascii

from fastapi import APIRouter
from pydantic import Field

from bothways.bundle.archive import BUNDLE_LIMIT
from bothways.errors import Refused
from bothways.findings import Finding
from bothways.operations import bundles
from bothways.outbound.trial import require_taken
from bothways.registry.access import Action
from bothways.web.api.caller import Asks, Document
from bothways.web.api.gate import Gate
from bothways.web.api.inputs import Body, Flag, TspId
from bothways.web.pages.instructions import enclosed


class Answer(Body):
    """The zip that a customer sent back, in base64; `force` installs a certificate (R13) that its server refuses."""

    bundle: str = Field(min_length=1, max_length=4 * BUNDLE_LIMIT // 3 + 4)
    force: Flag = False


def bundle_router(gate: Gate) -> APIRouter:
    """Return the route of what goes out to a customer."""
    router = gate.router("bundles", "/customers/{tsp_id}/bundle")

    @router.post("", status_code=201)
    def _export(by: Asks, tsp_id: TspId) -> Document:
        """Make a bundle for a customer: contract, CAs, commands, configurations, instructions, and what was issued.

        `fingerprint` is for the customer to compare by phone. Each bundle can be answered once.
        """
        hub = by.may(Action.CUSTOMER_WRITE, tsp_id)
        made = bundles.export_bundle(hub, tsp_id, enclosed(hub, tsp_id))
        return made.document(tsp_id) | {"bundle": base64.b64encode(made.data).decode()}

    return router


def bundles_router(gate: Gate) -> APIRouter:
    """Return the route of what comes in."""
    router = gate.router("bundles")

    @router.post("", status_code=201)
    async def _import(by: Asks, body: Answer) -> Document:
        """Take in what a customer sent back: its request, server chain and address wait for review."""

        def work() -> Document:
            hub = by.may(Action.CUSTOMER_WRITE)

            def tried(tsp_id: str, certificate: bytes) -> None:
                if not body.force:
                    require_taken(hub, tsp_id, certificate)

            return bundles.import_bundle(hub, _decoded(body.bundle), "bundle", tried).document()

        return await by.change(work)

    return router


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        message = f"the bundle is no base64: {error}"
        finding = Finding("BUNDLE-01", message, "Send the zip as it is, in base64.", "RFC 4648 section 4", "bundle")
        raise Refused((finding,)) from error
