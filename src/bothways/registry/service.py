"""A service of the hub, behind the one endpoint (R3)."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from bothways.findings import Finding
from bothways.registry.flow import Flow

RESERVED_PREFIX = "/connectivity"
"""The path at which the hub tells a customer what its flows lack; no service can stand there."""

ENROLMENT_PREFIX = "/.well-known/est"
"""The path of EST (RFC 7030 section 3.2.2); no service's prefix can begin with a dot."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}", re.ASCII)
_PREFIX = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+", re.ASCII)

_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f.]*:[0-9a-f:.]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Service:
    """What stands at `prefix` of the endpoint and is served by `upstream` (`http://HOST:PORT`).

    `needs` are the flows that must be established before a customer to whom it is granted gets through (R2).
    """

    name: str
    prefix: str
    upstream: str
    needs: frozenset[Flow] = frozenset({Flow.INBOUND})

    @property
    def upstream_host(self) -> str:
        """The host name or address behind the service."""
        return urlsplit(self.upstream).hostname or ""

    @property
    def upstream_port(self) -> int:
        """The port behind the service."""
        return urlsplit(self.upstream).port or 80


def service_findings(service: Service, others: tuple[Service, ...]) -> tuple[Finding, ...]:
    """Return what is wrong with a new service beside the `others`."""
    mistakes = []
    if not _NAME.fullmatch(service.name):
        mistakes.append(("SERVICE-01", f"the name is {service.name!r}; small letters, digits and - are wanted"))
    if not _PREFIX.fullmatch(service.prefix):
        mistakes.append(("SERVICE-02", f"the prefix is {service.prefix!r}; a path like /tokens is wanted"))
    # One prefix inside another would let the order of routes decide who may enter.
    mistakes += [
        ("SERVICE-03", f"the prefix {service.prefix} overlaps {taken}; a path of its own is wanted")
        for taken in (RESERVED_PREFIX, *(other.prefix for other in others))
        if _inside(service.prefix, taken) or _inside(taken, service.prefix)
    ]
    if not service.needs:
        mistakes.append(("SERVICE-04", "the service needs no flow; inbound is wanted at least"))
    if not _is_upstream(service.upstream):
        mistakes.append(("SERVICE-05", f"the upstream is {service.upstream!r}; http://HOST:PORT is wanted"))
    return tuple(Finding(id, message, "Correct the value.", "R2, R3", service.name) for id, message in mistakes)  # noqa: A001


def _inside(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


def _is_upstream(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    plain = parts.path in {"", "/"} and not parts.query and not parts.fragment and parts.username is None
    return parts.scheme == "http" and bool(_HOST.fullmatch(parts.hostname or "")) and bool(port) and plain
