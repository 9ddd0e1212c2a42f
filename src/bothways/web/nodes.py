"""What remote nodes are served over HTTP: `/connectivity` and EST, with the identity headers that their Envoy sets.

On the unix socket the headers are Envoy's, because nobody else reaches it. Here they are, because the connection has
the certificate of a node that is on record: that is looked at with each request, not with each connection.
"""

from collections.abc import Callable
from http import HTTPStatus

from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send


def nodes_only(app: ASGIApp, node_of: Callable[[bytes], tuple[str, str] | None]) -> ASGIApp:
    """Return `app` behind a look at the client's certificate: whoever is no node on record gets 403, and no more.

    `node_of` tells the node and its fingerprint from a certificate in PEM, or None for a stranger.
    """

    async def gate(scope: Scope, receive: Receive, send: Send) -> None:
        chain = scope.get("extensions", {}).get("tls", {}).get("client_cert_chain", ())
        if scope["type"] == "http" and chain and node_of(chain[0].encode()) is not None:
            await app(scope, receive, send)
            return
        document = {
            "type": "urn:bothways:problem:notauthorized",
            "title": "This is not allowed",
            "status": HTTPStatus.FORBIDDEN.value,
            "detail": "only nodes on record are served here. Show the certificate of one: bothways hub node list",
        }
        refusal = JSONResponse(document, HTTPStatus.FORBIDDEN, media_type="application/problem+json")
        await refusal(scope, receive, send)

    return gate
