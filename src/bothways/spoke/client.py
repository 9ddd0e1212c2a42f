"""Calls from the customer's host to the hub's endpoint, over mutual TLS (R1)."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, Unpack

import httpx2

from bothways.errors import NotAuthorized, Unreachable, Unusable
from bothways.spoke.async_transport import AsyncTransport
from bothways.spoke.directory import Spoke
from bothways.spoke.events import Event
from bothways.spoke.line import Ask
from bothways.spoke.pooled import LIMITS
from bothways.spoke.spoke_line import SpokeLine
from bothways.spoke.transport import Transport

TIMEOUT = 30.0
"""Seconds for each step of a call, unless the client is given another."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the HTTP answer, what TLS agreed on, and after how many milliseconds."""

    status: int
    headers: dict[str, str]
    body: bytes
    tls_version: str
    server: str
    milliseconds: float

    def document(self) -> dict[str, Any]:
        """Return the answer as the JSON object that the command line shows."""
        return {
            "status": self.status,
            "headers": self.headers,
            "body": self.body.decode(errors="replace"),
            "tls_version": self.tls_version,
            "server": self.server,
            "milliseconds": self.milliseconds,
        }


class Options(TypedDict, total=False):
    """What the clients take of httpx2's own options. TLS, proxies and transports are not among them (R1)."""

    auth: Any
    params: Any
    headers: Any
    cookies: Any
    timeout: httpx2.Timeout | float | None
    follow_redirects: bool
    max_redirects: int
    event_hooks: Mapping[str, list[Callable[..., Any]]]
    default_encoding: str | Callable[[bytes], str | None]


class Client(httpx2.Client):
    """An httpx2 client of the hub's endpoint with this spoke's certificate: `Client("bank").get("/tokens")`.

    It follows DNS by the book (R10), takes a renewed certificate, key or contract while it is open, follows no proxy
    of the environment, and repeats no request. `on_event` is told of what happens (`events`), and `metrics` counts it.
    `ask` asks DNS, if not the machine's resolver. HTTP/2 needs the package `h2`. All other options are httpx2's; its
    time-outs are seconds. Raises `Unusable` or `Refused` if the directory holds no spoke whose certificate can be used.
    """

    def __init__(
        self,
        directory: str | Path | Spoke,
        *,
        on_event: Callable[[Event], None] | None = None,
        ask: Ask | None = None,
        limits: httpx2.Limits = LIMITS,
        http1: bool = True,
        http2: bool = False,
        **options: Unpack[Options],
    ) -> None:
        line = SpokeLine(directory, on_event, ask)
        self.metrics = line.metrics
        transport = Transport(line, limits, http1=http1, http2=http2)
        super().__init__(base_url=line.endpoint, transport=transport, http2=http2, trust_env=False, **_known(options))


class AsyncClient(httpx2.AsyncClient):
    """As `Client`, for asyncio and trio: `await AsyncClient("bank").get("/tokens")`."""

    def __init__(
        self,
        directory: str | Path | Spoke,
        *,
        on_event: Callable[[Event], None] | None = None,
        ask: Ask | None = None,
        limits: httpx2.Limits = LIMITS,
        http1: bool = True,
        http2: bool = False,
        **options: Unpack[Options],
    ) -> None:
        line = SpokeLine(directory, on_event, ask)
        self.metrics = line.metrics
        transport = AsyncTransport(line, limits, http1=http1, http2=http2)
        super().__init__(base_url=line.endpoint, transport=transport, http2=http2, trust_env=False, **_known(options))


def _known(options: Options) -> Options:
    """Return the options with our default. Raises `TypeError` for one that is none: it could lead around mutual TLS."""
    if unknown := options.keys() - Options.__annotations__.keys():
        known = ", ".join(sorted(Options.__annotations__))
        raise TypeError(
            f"{', '.join(sorted(unknown))}: the spoke's client takes no such option of httpx2. It takes {known}"
        )
    return Options(timeout=TIMEOUT) | options


def open_client(spoke: Spoke, ask: Ask | None = None) -> Client:
    """Return an HTTP client whose base is the hub's endpoint; `ask` asks DNS, if not the machine's resolver."""
    return Client(spoke, ask=ask)


def call(
    client: httpx2.Client, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """Call the hub once. Raises `NotAuthorized` if TLS refused us, `Unreachable` if there was no answer.

    `path` begins with one slash: a whole address would take our certificate elsewhere. Raises `Unusable` otherwise.
    """
    _check(method, path)
    started = time.perf_counter()
    try:
        with client.stream(method, path, content=body, headers=headers) as response:
            tls = response.extensions["network_stream"].get_extra_info("ssl_object")
            content = response.read()
    # A host name that cannot be encoded is a UnicodeError.
    except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as error:
        raise _explained(error, str(client.base_url)) from error
    return Answer(
        response.status_code,
        dict(response.headers),
        content,
        tls.version(),
        _subject(tls.getpeercert()),
        round(1000 * (time.perf_counter() - started), 1),
    )


def _check(method: str, path: str) -> None:
    if not (method.isascii() and method.isalpha()):
        raise Unusable(f"{method!r} is no HTTP method. Give one like GET or POST.")
    if not path.startswith("/") or path.startswith("//"):
        raise Unusable(
            f"{path!r} is no path at the hub's endpoint. Give one that begins with one slash, like /connectivity."
        )
    if wrong := next((each for each in path if not each.isprintable() or each in " #"), None):
        raise Unusable(f"{path!r} has {wrong!r}, which no path can have. Write it percent-encoded: %20 is a space.")


def _explained(error: Exception, endpoint: str) -> NotAuthorized | Unreachable:
    """Tell a refusal by TLS from an unreachable hub. In TLS 1.3 the refusal comes with the first read (RFC 8446)."""
    text = str(error)
    if "alert" in text.lower():
        return NotAuthorized(
            f"the hub at {endpoint} refused our certificate: {text}. Look at it: bothways spoke status"
        )
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return NotAuthorized(f"the server at {endpoint} is not the hub of the contract: {text}.")
    return Unreachable(f"the hub at {endpoint} does not answer: {text or type(error).__name__}. Check name and port.")


def _subject(certificate: dict[str, Any] | None) -> str:
    names = [value for kind, value in (certificate or {}).get("subjectAltName", ()) if kind == "DNS"]
    return ", ".join(names)
