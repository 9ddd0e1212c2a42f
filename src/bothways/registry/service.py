"""A service of the hub, behind the one endpoint (R3)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from bothways.errors import Refused
from bothways.findings import Finding, errors
from bothways.pki.anchors import Circumstances, anchor_findings
from bothways.pki.chain import parse_anchors
from bothways.registry.flow import Flow

RESERVED_PREFIX = "/connectivity"
"""The path at which the hub tells a customer what its flows lack; no service can stand there."""

ENROLMENT_PREFIX = "/.well-known/est"
"""The path of EST (RFC 7030 section 3.2.2); no service's prefix can begin with a dot."""

TIMEOUT = 60
"""How long an answer may take, in seconds, unless the service says otherwise."""
TIMEOUT_MOST = 600
STREAMING_MOST = 86400

_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}", re.ASCII)
_PREFIX = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+", re.ASCII)
_HEALTH_PATH = re.compile(r"/[A-Za-z0-9._~/?=&%+-]{0,254}", re.ASCII)

_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f.]*:[0-9a-f:.]*", re.ASCII)
_DNS_NAME = re.compile(r"(?=.*[a-z])[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Service:
    """What stands at `prefix` of the endpoint and is served by `upstream` (`http://HOST:PORT`, `https://NAME:PORT`).

    `needs` are the flows that must be established before a customer to whom it is granted gets through (R2).
    `upstream_ca` are the trust anchors of an `https` upstream, in PEM. `http2`: the upstream speaks HTTP/2, as gRPC
    does. `timeout`, in seconds, is for the whole answer; of a service with `streaming`, it is for silence alone, and
    `streaming` is how many seconds a stream lives at most. `health_path` is asked by Envoy, if there is one.
    `strip_prefix` takes the prefix off the path before the service sees it. `client_cert`: the service is handed the
    customer's certificate as a header (RFC 9440).
    """

    name: str
    prefix: str
    upstream: str
    needs: frozenset[Flow] = frozenset({Flow.INBOUND})
    upstream_ca: str = ""
    http2: bool = False
    timeout: int = TIMEOUT
    streaming: int = 0
    health_path: str = ""
    strip_prefix: bool = False
    client_cert: bool = True

    @property
    def upstream_host(self) -> str:
        """The host name or address behind the service."""
        return urlsplit(self.upstream).hostname or ""

    @property
    def upstream_port(self) -> int:
        """The port behind the service."""
        return urlsplit(self.upstream).port or 80

    @property
    def upstream_tls(self) -> bool:
        """Tell whether the service is called over TLS."""
        return urlsplit(self.upstream).scheme == "https"


def service_findings(service: Service, others: tuple[Service, ...], now: datetime) -> tuple[Finding, ...]:
    """Return what is wrong with a new service beside the `others`."""
    mistakes = [*_place(service, others), *_values(service)]
    wrong = tuple(Finding(id, message, "Correct the value.", "R2, R3", service.name) for id, message in mistakes)  # noqa: A001
    return (*wrong, *_anchor_findings(service, now))


def _place(service: Service, others: tuple[Service, ...]) -> Iterator[tuple[str, str]]:
    if not _NAME.fullmatch(service.name):
        yield "SERVICE-01", f"the name is {service.name!r}; small letters, digits and - are wanted"
    if not _PREFIX.fullmatch(service.prefix):
        yield "SERVICE-02", f"the prefix is {service.prefix!r}; a path like /tokens is wanted"
    # One prefix inside another would let the order of routes decide who may enter.
    for taken in (RESERVED_PREFIX, *(other.prefix for other in others)):
        if _inside(service.prefix, taken) or _inside(taken, service.prefix):
            yield "SERVICE-03", f"the prefix {service.prefix} overlaps {taken}; a path of its own is wanted"
    if not service.needs:
        yield "SERVICE-04", "the service needs no flow; inbound is wanted at least"


def _values(service: Service) -> Iterator[tuple[str, str]]:
    if not _is_upstream(service.upstream):
        yield "SERVICE-05", f"the upstream is {service.upstream!r}; http://HOST:PORT or https://NAME:PORT is wanted"
    elif service.upstream_tls and not _DNS_NAME.fullmatch(service.upstream_host):
        message = f"the upstream {service.upstream} has no host name; the name in its certificate is wanted"
        yield "SERVICE-06", message
    elif service.upstream_tls and not service.upstream_ca:
        yield "SERVICE-06", f"nothing says whom to trust as {service.upstream}; its CA is wanted (--upstream-ca)"
    elif service.upstream_ca and not service.upstream_tls:
        yield "SERVICE-06", f"a CA is given for {service.upstream}, which has no TLS; https://NAME:PORT is wanted"
    if not 1 <= service.timeout <= TIMEOUT_MOST:
        yield "SERVICE-07", f"the time-out is {service.timeout} s; 1 to {TIMEOUT_MOST} are wanted"
    if service.streaming and not 1 <= service.streaming <= STREAMING_MOST:
        yield "SERVICE-08", f"a stream may live {service.streaming} s; 1 to {STREAMING_MOST} are wanted"
    if service.health_path and not _HEALTH_PATH.fullmatch(service.health_path):
        yield "SERVICE-09", f"the path of the health check is {service.health_path!r}; a path like /health is wanted"


def _anchor_findings(service: Service, now: datetime) -> tuple[Finding, ...]:
    if not service.upstream_ca:
        return ()
    try:
        anchors = parse_anchors(service.upstream_ca.encode(), service.name)
    except Refused as refused:
        return refused.findings
    found = (each for anchor in anchors for each in anchor_findings((anchor,), Circumstances(now), service.name))
    return errors(found)


def _inside(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


def _is_upstream(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    plain = parts.path in {"", "/"} and not parts.query and not parts.fragment and parts.username is None
    known = parts.scheme in {"http", "https"} and bool(_HOST.fullmatch(parts.hostname or ""))
    return known and bool(port) and plain
