"""A customer's server, as the hub calls it (R11)."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from bothways.errors import Refused
from bothways.findings import Finding

_HTTPS = 443
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.ASCII)
_PATH = re.compile(r"(/[A-Za-z0-9._~%-]+)*/?", re.ASCII)
_HOST_LIMIT = 253


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Host name (A-labels, lower case), port, and the path under which the customer's services stand."""

    host: str
    port: int
    path: str

    @property
    def address(self) -> str:
        """Where connections go, as host:port: what a probe proves."""
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The base URL."""
        port = "" if self.port == _HTTPS else f":{self.port}"
        return f"https://{self.host}{port}{self.path}"


def parse_endpoint(url: str, ports: tuple[int, ...]) -> Endpoint:
    """Return the endpoint that `url` names; `ports` are the allowed ones, empty allows any. Raises `Refused`."""
    mistakes = []
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("https:")
    try:
        port = _HTTPS if parts.port is None else parts.port
    except ValueError:
        port = 0
    host = (parts.hostname or "").removesuffix(".")
    if parts.scheme != "https":
        mistakes.append(("ENDPOINT-01", f"{url!r} does not begin with https://"))
    if _is_address(host) or len(host) > _HOST_LIMIT or not _is_name(host):
        mistakes.append(("ENDPOINT-02", f"the host is {host!r}; a DNS name of A-labels is wanted, not an address"))
    if not port or (ports and port not in ports):
        wanted = " or ".join(str(each) for each in ports) or "1 to 65535"
        mistakes.append(("ENDPOINT-03", f"the port is {port}; {wanted} is wanted"))
    # urlsplit drops tabs and line ends, and makes a Kelvin sign a k: what was typed is not what would be called.
    strange = not url.isascii() or not url.isprintable() or " " in url
    if parts.username is not None or parts.query or parts.fragment or not _PATH.fullmatch(parts.path) or strange:
        mistakes.append(("ENDPOINT-04", "credentials, query, fragment or unusual characters are in the address"))
    if mistakes:
        hint = "Give the base URL, for example https://callbacks.bank.example:8443/hub."
        raise Refused(tuple(Finding(id, message, hint, "R11", url) for id, message in mistakes))  # noqa: A001
    return Endpoint(host, port, parts.path.rstrip("/"))


def _is_name(host: str) -> bool:
    labels = host.split(".")
    # Numeric last labels are how addresses hide: 0x7f.1, 017700000001 (RFC 1123 section 2.1).
    return len(labels) > 1 and all(_LABEL.fullmatch(label) for label in labels) and not labels[-1][0].isdigit()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
