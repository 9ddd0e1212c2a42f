"""What a node asks of the hub for itself, at the port where it gets its configuration: its next certificate."""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import grpc
from cryptography import x509

from bothways.dataplane.admission import Admission
from bothways.errors import BothwaysError
from bothways.pki.chain import certificate_pem, fingerprint

_log = logging.getLogger(__name__)

SERVICE, RENEW = "bothways.node.v1.Node", "Renew"
_LOOK, _KNOWN_SECONDS = 0.05, 10.0


def node_handler(
    renew: Callable[[str, bytes], tuple[x509.Certificate, str]], admission: Admission | None = None
) -> Any:
    """Return the gRPC handler; `renew` is `operations.node_renewal.renew_node` for one hub, and may block.

    A request in PEM comes in; a JSON object with `certificate` and `trust`, both in PEM, goes out. Whose it is says the
    certificate that was shown, and nothing else; without admission, nobody has shown one.
    """

    async def answer(csr: bytes, context: Any) -> bytes:
        shown = b"".join(context.auth_context().get("x509_pem_cert", ()))
        known = admission.node_of(shown) if admission is not None else None
        if admission is None or known is None:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "this certificate is no node's on record")
            raise AssertionError
        try:
            certificate, trust = await asyncio.to_thread(renew, known[0], csr)
        except BothwaysError as error:
            _log.warning("node %s is given no certificate: %s", known[0], error)
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
            raise AssertionError from error
        # Else the node could show it before it is known here.
        async with asyncio.timeout(_KNOWN_SECONDS):
            while not admission.admits(known[0], fingerprint(certificate)):  # noqa: ASYNC110 - a round of the publisher
                await asyncio.sleep(_LOOK)
        return json.dumps({"certificate": certificate_pem(certificate), "trust": trust}).encode()

    return grpc.method_handlers_generic_handler(SERVICE, {RENEW: grpc.unary_unary_rpc_method_handler(answer)})
