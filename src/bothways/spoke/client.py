"""Calls from the customer's host to the hub's endpoint, over mutual TLS (R1)."""

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from bothways.errors import NotAuthorized, Unreachable, Unusable
from bothways.spoke.directory import Spoke, open_spoke, stands
from bothways.spoke.pair import read_key
from bothways.spoke.reload import Reloading
from bothways.spoke.resolver import Resolver
from bothways.spoke.tls import anchors, load_pair
from bothways.spoke.transport import Transport

_TIMEOUT = 30.0


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


def tls_context(spoke: Spoke) -> ssl.SSLContext:
    """Return the TLS context towards the hub: our certificate, the contract's server CA alone, TLS 1.2 or higher."""
    for path, missing in ((spoke.key_file, "csr"), (spoke.certificate_file, "install CERT")):
        if not stands(path):
            raise Unusable(f"{path} is missing. Get it: bothways spoke {missing} --directory {spoke.directory}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=anchors(spoke.contract.trust.server_ca))
    read_key(spoke.key_file)
    load_pair(context, spoke.certificate_file, spoke.key_file)
    return context


class Client(httpx2.Client):
    """An httpx2 client of the hub's endpoint with this spoke's certificate: `Client("bank").get("/tokens")`.

    It follows DNS by the book (R10), takes a renewed certificate, key or contract while it is open, follows no proxy
    of the environment, and repeats no request. `on_change` is told in a sentence when files changed; `timeout`
    is in seconds. Raises `Unusable` or `Refused` if the directory holds no spoke with a certificate that can be used.
    """

    def __init__(
        self,
        directory: str | Path | Spoke,
        *,
        timeout: float = _TIMEOUT,
        on_change: Callable[[str], None] = lambda _: None,
        resolver: Resolver | None = None,
    ) -> None:
        spoke = directory if isinstance(directory, Spoke) else open_spoke(Path(directory))
        context = Reloading(
            (spoke.certificate_file, spoke.key_file, spoke.contract_file),
            lambda: tls_context(spoke),
            lambda: tls_context(open_spoke(spoke.directory)),
            on_change,
        )
        super().__init__(
            base_url=spoke.contract.terms.endpoint,
            transport=Transport(context, resolver),
            timeout=timeout,
            trust_env=False,
        )


def open_client(spoke: Spoke) -> Client:
    """Return an HTTP client whose base is the hub's endpoint. The caller closes it."""
    return Client(spoke)


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
