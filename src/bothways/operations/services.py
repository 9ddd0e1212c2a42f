"""Services of the hub: add, list, grant, withdraw (R2, R3)."""

from bothways.errors import Conflict, Refused
from bothways.operations.hub import Hub
from bothways.registry.service import Service, service_findings
from bothways.store import customers, services


def add_service(hub: Hub, service: Service) -> None:
    """Put a service behind the endpoint. Raises `Refused` if a value is wrong, `Conflict` if the name is taken."""
    with hub.write() as transaction:
        others = services.every(transaction.connection)
        if service.name in {other.name for other in others}:
            raise Conflict(f"the service {service.name} exists already. Look at: bothways service list")
        if findings := service_findings(service, others):
            raise Refused(findings)
        services.add(transaction, service)
        transaction.audit("service.add", service.name, prefix=service.prefix, upstream=service.upstream)


def list_services(hub: Hub) -> tuple[tuple[Service, frozenset[str]], ...]:
    """Return all services, each with the tspIds that it was granted to."""
    with hub.read() as connection:
        granted = services.grants(connection)
        return tuple((each, granted.get(each.name, frozenset())) for each in services.every(connection))


def grant_service(hub: Hub, name: str, tsp_id: str) -> None:
    """Grant a service to a customer; it is reachable once the flows that it needs are established."""
    with hub.write() as transaction:
        services.find(transaction.connection, name)
        customers.find(transaction.connection, tsp_id)
        if services.grant(transaction, name, tsp_id):
            transaction.audit("service.grant", name, customer=tsp_id)


def withdraw_service(hub: Hub, name: str, tsp_id: str) -> None:
    """Withdraw a service from a customer. Raises `Conflict` if it was not granted."""
    with hub.write() as transaction:
        services.find(transaction.connection, name)
        if not services.withdraw(transaction, name, tsp_id):
            raise Conflict(f"the service {name} was not granted to {tsp_id}. Look at: bothways service list")
        transaction.audit("service.withdraw", name, customer=tsp_id)
