"""HTTP over unix sockets, to the hub's own parts: no TLS is spoken there, and none is prepared."""

import ssl
from pathlib import Path

import httpx2

# Trusts nobody, and is never used: the library would read all of the system's CAs for it, which takes 20 ms or more.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def over_socket(path: Path) -> httpx2.HTTPTransport:
    """Return the transport of a client that asks at the socket, whatever host its URLs name."""
    return httpx2.HTTPTransport(uds=str(path), verify=_NO_TLS)


def over_socket_async(path: Path) -> httpx2.AsyncHTTPTransport:
    """Return the same for an asynchronous client."""
    return httpx2.AsyncHTTPTransport(uds=str(path), verify=_NO_TLS)
