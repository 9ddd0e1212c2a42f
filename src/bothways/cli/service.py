"""`bothways service`: add, list, grant, withdraw."""

from typing import Annotated, Any

from cyclopts import Parameter

from bothways.cli.exit import OK
from bothways.cli.opening import conclude, hub_in
from bothways.cli.output import HERE, Directory, Json, result, table, tell
from bothways.operations import services
from bothways.registry.flow import Flow
from bothways.registry.service import Service


def add(
    name: str,
    *,
    prefix: Annotated[str, Parameter(help="The path under the endpoint, for example /tokens.")],
    upstream: Annotated[str, Parameter(help="Where the service listens: http://HOST:PORT.")],
    needs: Annotated[list[Flow] | None, Parameter(help="Flows that must be established; inbound unless said.")] = None,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Put a service behind the endpoint."""
    service = Service(name, prefix, upstream, frozenset(needs or [Flow.INBOUND]))
    with hub_in(directory) as hub:
        services.add_service(hub, service)
        text = f"{name} stands at {hub.terms.endpoint}{prefix}"
        code = conclude(hub, _document(service, frozenset()), text, as_json=json)
        tell(f"Next: bothways service grant {name} TSPID")
        return code


def list_(*, directory: Directory = HERE, json: Json = False) -> int:
    """List services with the customers that they were granted to."""
    with hub_in(directory) as hub:
        found = services.list_services(hub)
        rows = [
            (each.name, each.prefix, each.upstream, " ".join(sorted(each.needs)), " ".join(sorted(granted)))
            for each, granted in found
        ]
        text = table(rows, ("SERVICE", "PREFIX", "UPSTREAM", "NEEDS", "GRANTED TO"))
        result([_document(each, granted) for each, granted in found], text, as_json=json)
        return OK


def grant(name: str, tsp_id: str, *, directory: Directory = HERE, json: Json = False) -> int:
    """Grant a service to a customer; it is reachable once the flows that it needs are established."""
    with hub_in(directory) as hub:
        services.grant_service(hub, name, tsp_id)
        document = {"service": name, "customer": tsp_id, "granted": True}
        return conclude(hub, document, f"{name} is granted to {tsp_id}.", as_json=json)


def withdraw(name: str, tsp_id: str, *, directory: Directory = HERE, json: Json = False) -> int:
    """Withdraw a service from a customer."""
    with hub_in(directory) as hub:
        services.withdraw_service(hub, name, tsp_id)
        document = {"service": name, "customer": tsp_id, "granted": False}
        return conclude(hub, document, f"{name} is withdrawn from {tsp_id}.", as_json=json)


def _document(service: Service, granted: frozenset[str]) -> dict[str, Any]:
    return {
        "name": service.name,
        "prefix": service.prefix,
        "upstream": service.upstream,
        "needs": sorted(service.needs),
        "granted": sorted(granted),
    }
