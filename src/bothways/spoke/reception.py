"""The hub's calls at a Python server of the customer's own: one TLS context, and ASGI middleware that knows the caller.

No certificate of the hub is named anywhere, nor can one be: what is trusted are the Client CAs of the contract, and
under them the hub's name (R12, R15). Needs no server; `receive` is this for uvicorn.
"""

import logging
import ssl
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from cryptography import x509

from bothways.errors import Refused
from bothways.pki.encoding import UNREADABLE
from bothways.spoke.caller import Caller, proved_caller, trusted_headers
from bothways.spoke.directory import open_spoke
from bothways.spoke.identity import closed_context, reloading_identity

CALLER = "bothways.caller"
"""Where in the ASGI scope the `Caller` is."""

SERVER_CERTIFICATE, SERVER_KEY = "server.crt", "server.key"
"""The certificate of the customer's server, with its issuers, and its key: in the spoke's directory by default."""

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Callable[[], Awaitable[Message]], Send], Awaitable[None]]


class Reception:
    """Who a server of the spoke in `directory` is, and whom it lets in; read again whenever a file changes.

    `context` is for any server that takes an `ssl.SSLContext`; each handshake has the certificate, key and Client CAs
    as the files are then. `tell` is told in a sentence what changed or was refused; by default, the log
    `bothways.receive` is. Raises `Unusable` or `Refused` if the files cannot be used from the start.
    """

    def __init__(
        self,
        directory: str | Path,
        *,
        certificate: str | Path | None = None,
        key: str | Path | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        place = Path(directory)
        self.tell = tell or logging.getLogger("bothways.receive").warning
        pair = Path(certificate or place / SERVER_CERTIFICATE), Path(key or place / SERVER_KEY)
        self._identity = reloading_identity(open_spoke(place), *pair, self.tell)
        # Trusts nobody by itself: whatever kept a handshake from being given the files would keep everybody out.
        self.context = closed_context()
        self.context.sni_callback = self._at_handshake

    def current(self, context: ssl.SSLContext) -> bool:
        """Tell whether a connection that has this context was opened under the files as they are now."""
        return context is self._identity.now().context

    def caller(self, certificate: bytes) -> Caller:
        """Return who showed this client certificate (DER), verified by the context. Raises `Refused` if not the hub."""
        return proved_caller(x509.load_der_x509_certificate(certificate), self._identity.now().terms)

    def _at_handshake(self, connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        """Called for each ClientHello, with a server name or without."""
        del name
        connection.context = self._identity.now().context


class Callers:
    """ASGI middleware: lets calls of the hub through, with the `Caller` in the scope and its headers; others get 403.

    The server has to say which client certificate was shown, in the scope's extension `tls` (ASGI TLS extension 0.2);
    where it does not, nobody is let through.
    """

    def __init__(self, app: App, reception: Reception) -> None:
        self._app, self._reception = app, reception

    async def __call__(self, scope: Scope, receive: Callable[[], Awaitable[Message]], send: Send) -> None:
        """Handle one call, as ASGI wants it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        try:
            caller = self._reception.caller(_shown(scope))
        except (Refused, *UNREADABLE) as error:
            self._reception.tell(f"refused {(scope.get('client') or ['somebody'])[0]}: {error}")
            await _forbid(scope, send)
            return
        received = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        headers = [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in trusted_headers(received, caller)
        ]
        await self._app({**scope, "headers": headers, CALLER: caller}, receive, send)


def _shown(scope: Scope) -> bytes:
    chain = scope.get("extensions", {}).get("tls", {}).get("client_cert_chain") or []
    if not chain:
        raise ValueError("the server told of no client certificate")
    return ssl.PEM_cert_to_DER_cert(next(iter(chain)))


async def _forbid(scope: Scope, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"content-length", b"0"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
