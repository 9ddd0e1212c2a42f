"""A customer's server, as the hub calls it (R11), and the rules on its address."""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import idna

from bothways.errors import Refused
from bothways.findings import Finding

_HTTPS = 443
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.ASCII)
_PATH = re.compile(r"(/[A-Za-z0-9._~%-]+)*/?", re.ASCII)
_HOST_LIMIT = 253
_URL_LIMIT = 1024
_LOCAL = frozenset(
    "localhost local internal localdomain lan home corp intranet private onion alt invalid arpa".split()  # noqa: SIM905
)
"""Last labels that are no public name: RFC 6761, 6762, 7686, 9476, `.internal`, and what companies use inside."""

_HINT = "Give the base URL, for example https://callbacks.bank.example:8443/hub."
_Said = tuple[str, str]
"""A finding's id and message."""


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

    def document(self, tsp_id: str) -> dict[str, Any]:
        """Return the endpoint of a customer as the JSON object that API and command line show."""
        return {"customer": tsp_id, "url": self.url, "host": self.host, "port": self.port, "path": self.path}


@dataclass(frozen=True, slots=True)
class EndpointRules:
    """Which addresses may be a customer's server.

    `ports` are the allowed ones, empty allows any. `hub` is the hub's own domain, which is nobody's server with
    everything below it, and so are the hosts in `own`. `danger_local` lets names pass that only this machine knows.
    """

    ports: tuple[int, ...]
    hub: str = ""
    own: tuple[str, ...] = ()
    danger_local: bool = False


def parse_endpoint(url: str, rules: EndpointRules) -> Endpoint:
    """Return the endpoint that `url` names. Raises `Refused` with everything that is wrong with it."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").removesuffix(".")
    except ValueError:
        parts, host = urlsplit("https:"), ""
    try:
        port = _HTTPS if parts.port is None else parts.port
    except ValueError:
        port = 0
    mistakes = []
    if parts.scheme != "https":
        mistakes.append(("ENDPOINT-01", f"{url!r} does not begin with https://"))
    mistakes += _host_mistakes(host, parts, rules)
    if not port or (rules.ports and port not in rules.ports):
        wanted = f"one of {', '.join(map(str, rules.ports))}" if rules.ports else "1 to 65535"
        mistakes.append(("ENDPOINT-03", f"the port is {port}; {wanted} is wanted"))
    if _is_strange(url, parts):
        mistakes.append(("ENDPOINT-04", "credentials, query, fragment or unusual characters are in the address"))
    if mistakes:
        raise Refused(tuple(Finding(id, message, _HINT, "R11", url) for id, message in mistakes))  # noqa: A001
    return Endpoint(host, port, parts.path.rstrip("/"))


def _host_mistakes(host: str, parts: SplitResult, rules: EndpointRules) -> Iterator[_Said]:
    if not parts.netloc.isascii():
        yield "ENDPOINT-06", _in_a_labels(parts)
        return
    if _is_address(host) or len(host) > _HOST_LIMIT or not _is_name(host):
        yield "ENDPOINT-02", f"the host is {host!r}; a DNS name of A-labels is wanted, not an address"
        return
    if wrong := [label for label in host.split(".") if not _is_ldh_or_a_label(label)]:
        yield "ENDPOINT-06", f"{wrong[0]!r} in {host!r} begins like an A-label and is none (RFC 5890 section 2.3.2.1)"
    last = host.rpartition(".")[2]
    if not rules.danger_local and (last in _LOCAL or last == host):
        yield "ENDPOINT-07", f"the host {host!r} is no name of the public DNS; one that everybody can resolve is wanted"
    if host in rules.own or (rules.hub and f".{host}".endswith(f".{rules.hub}")):
        yield "ENDPOINT-08", f"the host {host} is the hub's own; the name of the customer's server is wanted"


def _in_a_labels(parts: SplitResult) -> str:
    """Return what is wrong with a host of U-labels; the same in A-labels if there is such a name (RFC 5891)."""
    # The library's work grows with the square of a label's length.
    typed = parts.netloc.rpartition("@")[2].partition(":")[0][:_HOST_LIMIT]
    try:
        name = idna.encode(typed, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        name = ""
    wanted = f"write it in A-labels: {name}" if name and _is_name(name) else "a DNS name of A-labels is wanted"
    return f"the host {typed!r} has characters beyond ASCII; {wanted}"


def _is_strange(url: str, parts: SplitResult) -> bool:
    # urlsplit drops tabs and line ends, and makes a Kelvin sign a k: what was typed is not what would be called.
    plain = url.isprintable() and " " not in url and url.replace(parts.netloc, "").isascii() and len(url) <= _URL_LIMIT
    more = parts.username is not None or parts.query or parts.fragment
    return bool(more) or not plain or not _PATH.fullmatch(parts.path)


def _is_name(host: str) -> bool:
    labels = host.split(".")
    # Numeric last labels are how addresses hide: 0x7f.1, 017700000001 (RFC 1123 section 2.1).
    return all(_LABEL.fullmatch(label) for label in labels) and not labels[-1][0].isdigit()


def _is_ldh_or_a_label(label: str) -> bool:
    if label[2:4] != "--":
        return True
    try:
        return idna.alabel(idna.ulabel(label)).decode() == label
    except (idna.IDNAError, UnicodeError):
        return False


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
