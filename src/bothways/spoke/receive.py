"""The hub's calls at an ASGI application, by uvicorn: `serve(app, directory)`. Needs the extra `receiver`.

Nothing else of the spoke imports this module.
"""

import asyncio
import ssl
from pathlib import Path
from typing import Any

from bothways.errors import Unusable
from bothways.spoke.reception import App, Callers, Message, Reception, Scope, Send

try:
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol
except ImportError as error:
    raise Unusable(
        "uvicorn is not installed. Install it with the receiver: pip install 'bothways[receiver]'"
    ) from error

_ONE_PROCESS = "workers", "reload"

KEEP_ALIVE_SECONDS = 75
"""Longer than the 60 s after which a hub ends its connections: it decides, and no call meets a connection that ends."""

CONNECTIONS = 256
"""Calls at once; what is above is answered with 503."""


def serve(
    app: Any,
    directory: str | Path,
    *,
    certificate: str | Path | None = None,
    key: str | Path | None = None,
    host: str = "0.0.0.0",  # noqa: S104 - the hub calls from outside
    port: int = 8443,
    **options: Any,
) -> None:
    """Serve the hub's calls with this ASGI application (or its import string) until SIGTERM or Ctrl-C.

    The server's `certificate` (with its issuers) and `key` are `server.crt` and `server.key` in the spoke's directory,
    unless said otherwise. Other options are those of `uvicorn.run`. The application finds the `Caller` in the scope,
    under `bothways.caller`. Raises `Unusable` or `Refused` if the files cannot be used, or for an option that would
    let somebody else in.
    """
    reception = Reception(directory, certificate=certificate, key=key)
    fixed = uvicorn_options(reception)
    if taken := sorted(each for each in options if each in {*fixed, *_ONE_PROCESS} or each.startswith("ssl_")):
        raise Unusable(f"{', '.join(taken)} cannot be set here: the receiver does it. Leave it out.")
    uvicorn.run(app, host=host, port=port, **(options | fixed))


def uvicorn_options(reception: Reception) -> dict[str, Any]:
    """Return what `uvicorn.run` and `uvicorn.Config` need for this reception, for programs that start it themselves.

    In one process: several (`workers`) are started one by one, behind a balancer that passes TCP on.
    """

    class Protocol(_Protocol):
        own = reception

    return {
        "http": Protocol,
        "ws": "none",
        "ssl_context_factory": lambda _config, _default: reception.context,
        # Who called is proved by TLS, which ends here: nobody in front has anything to say about it.
        "proxy_headers": False,
        "server_header": False,
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
        "limit_concurrency": CONNECTIONS,
    }


class _Protocol(H11Protocol):
    """HTTP/1.1 on one connection, whose client certificate goes into the scope of each of its calls."""

    own: Reception

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Called when the handshake is done."""
        super().connection_made(transport)
        self.app = _Connection(Callers(self.app, self.own), self.own, transport.get_extra_info("ssl_object"))


class _Connection:
    """Tells of the client certificate, and ends the connection after a call if the files changed since it began."""

    def __init__(self, app: App, reception: Reception, secured: ssl.SSLObject) -> None:
        self._app, self._reception, self._secured = app, reception, secured
        shown = secured.getpeercert(binary_form=True)
        self._chain = [ssl.DER_cert_to_PEM_cert(shown)] if shown else []

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        async def ending(message: Message) -> None:
            if message["type"] == "http.response.start" and not self._reception.current(self._secured.context):
                message = {**message, "headers": [*message.get("headers", []), (b"connection", b"close")]}
            await send(message)

        tls = {"client_cert_chain": self._chain}
        extensions = {**scope.get("extensions", {}), "tls": tls}
        await self._app({**scope, "extensions": extensions}, receive, ending)
