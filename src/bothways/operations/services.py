"""Services of the hub: add, list, grant, withdraw (R2, R3)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from cryptography import x509

from bothways.errors import Conflict, Refused
from bothways.operations.hub import Hub
from bothways.pki.chain import certificate_pem, fingerprint, parse_anchors
from bothways.registry.service import Service, service_findings
from bothways.store import customers, services

_PAGE = 1000


def add_service(hub: Hub, service: Service) -> None:
    """Put a service behind the endpoint. Raises `Refused` if a value is wrong, `Conflict` if the name is taken."""
    with hub.write() as transaction:
        others = services.every(transaction.connection)
        if service.name in {other.name for other in others}:
            raise Conflict(f"the service {service.name} exists already.", "Look at: bothways service list")
        if findings := service_findings(service, others, hub.now()):
            raise Refused(findings)
        plain = "".join(certificate_pem(each) for each in anchors(service))
        services.add(transaction, replace(service, upstream_ca=plain))
        transaction.audit("service.add", service.name, **_recorded(service), needs=sorted(service.needs))


def anchors(service: Service) -> tuple[x509.Certificate, ...]:
    """Return the CAs that vouch for the service's server; none if it is called without TLS."""
    return parse_anchors(service.upstream_ca.encode(), service.name) if service.upstream_ca else ()


def list_services(hub: Hub) -> tuple[tuple[Service, int], ...]:
    """Return all services, each with how many customers it was granted to."""
    with hub.read() as connection:
        counted = services.count_grants(connection)
        return tuple((each, counted.get(each.name, 0)) for each in services.every(connection))


def list_grants(hub: Hub, name: str, after: str = "", limit: int = _PAGE) -> list[dict[str, Any]]:
    """Return the customers that a service was granted to, after this tspId, as JSON objects. Raises `NotFound`."""
    with hub.read() as connection:
        services.find(connection, name)
        found = services.grants_to(connection, name, after, limit)
    return [{"customer": tsp_id, "organization": organization} for tsp_id, organization in found.items()]


def every_grant(hub: Hub, name: str) -> Iterator[dict[str, Any]]:
    """Yield all of them. Raises `NotFound`."""
    after: str | None = ""
    while after is not None:
        page = list_grants(hub, name, after)
        yield from page
        after = page[-1]["customer"] if len(page) == _PAGE else None


def services_of(hub: Hub, tsp_id: str) -> tuple[tuple[Service, bool], ...]:
    """Return all services, each with whether it was granted to this customer."""
    with hub.read() as connection:
        granted = services.grants_of(connection, (tsp_id,)).get(tsp_id, frozenset())
        return tuple((each, each.name in granted) for each in services.every(connection))


def grant_service(hub: Hub, name: str, tsp_id: str) -> None:
    """Grant a service to a customer; it is reachable once the flows that it needs are established."""
    with hub.write() as transaction:
        services.find(transaction.connection, name)
        customers.find(transaction.connection, tsp_id)
        if services.grant(transaction, name, tsp_id):
            transaction.audit("service.grant", name, customer=tsp_id)


def withdraw_service(hub: Hub, name: str, tsp_id: str, reason: str) -> None:
    """Withdraw a service from a customer, and say why. Raises `Conflict` if it was not granted."""
    with hub.write() as transaction:
        services.find(transaction.connection, name)
        if not services.withdraw(transaction, name, tsp_id):
            raise Conflict(f"the service {name} was not granted to {tsp_id}.", "Look at: bothways service list")
        transaction.audit("service.withdraw", name, customer=tsp_id, reason=reason)


def service_document(service: Service, customers: int) -> dict[str, Any]:
    """Return a service as the JSON object that API and command line show, with how many customers it was granted to."""
    return {
        "name": service.name,
        **_recorded(service),
        "health_path": service.health_path or None,
        "needs": sorted(service.needs),
        "customers": customers,
    }


def _recorded(service: Service) -> dict[str, Any]:
    return {
        "prefix": service.prefix,
        "upstream": service.upstream,
        "upstream_ca": [fingerprint(each) for each in anchors(service)],
        "http2": service.http2,
        "timeout": service.timeout,
        "streaming": service.streaming,
        "health_path": service.health_path,
        "strip_prefix": service.strip_prefix,
        "client_cert": service.client_cert,
    }
