"""`bothways service`: add, list, grant, withdraw."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bothways import files
from bothways.cli.arguments import ServiceName, TspId
from bothways.cli.asking import DEFAULT, Document, Where, asked
from bothways.cli.exit import OK
from bothways.cli.output import Json, Why, result, table, tell
from bothways.cli.remote import text_of
from bothways.operations import services
from bothways.operations.hub import Hub
from bothways.pki.encoding import CHAIN_LIMIT
from bothways.registry.flow import Flow
from bothways.registry.service import TIMEOUT, Service


def add(
    name: Annotated[str, Parameter(help="The service's name, of your choice, like tokens.")],
    *,
    prefix: Annotated[str, Parameter(help="The path under the endpoint, for example /tokens.")],
    upstream: Annotated[str, Parameter(help="Where the service listens: http://HOST:PORT or https://NAME:PORT.")],
    needs: Annotated[
        list[Flow] | None, Parameter(negative="", help="Flows that must be established; inbound unless said.")
    ] = None,
    upstream_ca: Annotated[Path | None, Parameter(help="The CAs that vouch for an https upstream, in PEM.")] = None,
    http2: Annotated[bool, Parameter(negative="", help="The upstream speaks HTTP/2, as gRPC does.")] = False,
    timeout: Annotated[int, Parameter(help="Seconds that an answer may take; with --streaming, silence.")] = TIMEOUT,
    streaming: Annotated[
        int, Parameter(help="Seconds that a stream or WebSocket may live; 0: the service has none.")
    ] = 0,
    health_path: Annotated[str, Parameter(help="Path at the upstream that answers 200 while it is healthy.")] = "",
    strip_prefix: Annotated[bool, Parameter(negative="", help="Take the prefix off the path.")] = False,
    client_cert: Annotated[
        bool, Parameter(help="Hand the customer's certificate to the service, as Client-Cert (RFC 9440).")
    ] = True,
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """Put a service behind the endpoint."""
    trusted = text_of(files.read(upstream_ca, "the CA bundle", CHAIN_LIMIT)) if upstream_ca else ""
    service = Service(
        name,
        prefix,
        upstream,
        needs=frozenset(needs or [Flow.INBOUND]),
        upstream_ca=trusted,
        http2=http2,
        timeout=timeout,
        streaming=streaming,
        health_path=health_path,
        strip_prefix=strip_prefix,
        client_cert=client_cert,
    )

    def local(hub: Hub) -> Document:
        services.add_service(hub, service)
        return services.service_document(service, 0) | {"at": f"{hub.terms.endpoint}{prefix}"}

    with asked(where) as at:
        document = at.change(local, "POST", ("services",), asdict(service) | {"needs": sorted(service.needs)})
        code = at.conclude(document, f"{name} stands at {document.pop('at')}", as_json=json)
        tell(f"Next: bothways service grant {name} TSPID")
        return code


def list_(*, where: Where = DEFAULT, json: Json = False) -> int:
    """List services, each with how many customers it was granted to."""
    with asked(where) as at:
        found = at.every(
            lambda hub: [services.service_document(*each) for each in services.list_services(hub)],
            ("services",),
        )
        rows = [
            (
                each["name"],
                each["prefix"],
                each["upstream"],
                _options(each),
                " ".join(each["needs"]),
                each["customers"],
            )
            for each in found
        ]
        result(found, table(rows, ("SERVICE", "PREFIX", "UPSTREAM", "OPTIONS", "NEEDS", "CUSTOMERS")), as_json=json)
        return OK


def grants(name: ServiceName, *, where: Where = DEFAULT, json: Json = False) -> int:
    """List the customers that a service was granted to."""
    with asked(where) as at:
        found = at.every(lambda hub: services.every_grant(hub, name), ("services", name, "grants"))
        rows = [(each["customer"], each["organization"]) for each in found]
        result(found, table(rows, ("CUSTOMER", "ORGANIZATION")), as_json=json)
        return OK


def grant(name: ServiceName, tsp_id: TspId, *, where: Where = DEFAULT, json: Json = False) -> int:
    """Grant a service to a customer; it is reachable once the flows that it needs are established."""

    def local(hub: Hub) -> Document:
        services.grant_service(hub, name, tsp_id)
        return {"service": name, "customer": tsp_id, "granted": True}

    with asked(where) as at:
        document = at.change(local, "PUT", ("services", name, "grants", tsp_id))
        return at.conclude(document, f"{name} is granted to {tsp_id}.", as_json=json)


def withdraw(name: ServiceName, tsp_id: TspId, *, reason: Why, where: Where = DEFAULT, json: Json = False) -> int:
    """Withdraw a service from a customer."""

    def local(hub: Hub) -> Document:
        services.withdraw_service(hub, name, tsp_id, reason)
        return {"service": name, "customer": tsp_id, "granted": False}

    with asked(where) as at:
        document = at.change(local, "DELETE", ("services", name, "grants", tsp_id), reason=reason)
        return at.conclude(document, f"{name} is withdrawn from {tsp_id}.", as_json=json)


def _options(service: Document) -> str:
    words = {
        "http2": service["http2"],
        f"timeout={service['timeout']}s": service["timeout"] != TIMEOUT,
        f"streaming={service['streaming']}s": service["streaming"],
        f"health={service['health_path']}": service["health_path"],
        "strip-prefix": service["strip_prefix"],
        "no-client-cert": not service["client_cert"],
    }
    return " ".join(word for word, said in words.items() if said)
