"""What a node asks of the hub for itself, where it gets its configuration: its next certificate, and the CAs."""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import grpc
from cryptography import x509

from bothways.errors import BothwaysError
from bothways.pki.chain import certificate_pem, fingerprint

if TYPE_CHECKING:
    # What it stands on is not needed where nobody is let in: in the process beside Envoy.
    from bothways.dataplane.admission import Admission

_log = logging.getLogger(__name__)

SERVICE, RENEW, TRUST = "bothways.node.v1.Node", "Renew", "Trust"
_LOOK, _KNOWN_SECONDS = 0.05, 10.0


def node_handler(
    renew: Callable[[str, str, bytes], tuple[x509.Certificate, str]],
    trust: Callable[[], str],
    admission: "Admission | None" = None,
) -> Any:
    """Return the gRPC handler; `renew` and `trust` are those of `operations.node_renewal` for one hub, and may block.

    To `Renew`, a request in PEM comes in; a JSON object with `certificate` and `trust`, both in PEM, goes out. To
    `Trust`, nothing comes in, and `trust` alone goes out. Whose it is says the certificate that was shown, and nothing
    else; without admission, nobody has shown one.
    """

    async def renewed(csr: bytes, context: Any) -> bytes:
        known, name, shown = await _admitted(context, admission)
        try:
            certificate, trusted = await asyncio.to_thread(renew, name, shown, csr)
        except BothwaysError as error:
            _log.warning("node %s is given no certificate: %s", name, error)
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
            raise AssertionError from error
        # Else the node could show it before it is known here.
        async with asyncio.timeout(_KNOWN_SECONDS):
            while not known.admits(name, fingerprint(certificate)):  # noqa: ASYNC110 - a round of the publisher
                await asyncio.sleep(_LOOK)
        return json.dumps({"certificate": certificate_pem(certificate), "trust": trusted}).encode()

    async def told(_: bytes, context: Any) -> bytes:
        await _admitted(context, admission)
        return json.dumps({"trust": await asyncio.to_thread(trust)}).encode()

    methods = {RENEW: renewed, TRUST: told}
    return grpc.method_handlers_generic_handler(
        SERVICE, {name: grpc.unary_unary_rpc_method_handler(method) for name, method in methods.items()}
    )


async def _admitted(context: Any, admission: "Admission | None") -> "tuple[Admission, str, str]":
    """Return who lets the node in that asks, its name and its fingerprint; whoever is none is turned away."""
    if admission is None:
        await context.abort(grpc.StatusCode.PERMISSION_DENIED, "nobody shows a certificate here")
        raise AssertionError
    return admission, *await admission.admitted(context)
