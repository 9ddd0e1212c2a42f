"""`bothways service`: add, list, grant, withdraw."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bothways import files
from bothways.cli.exit import OK
from bothways.cli.opening import conclude, hub_in
from bothways.cli.output import HERE, Directory, Json, result, table, tell
from bothways.operations import services
from bothways.pki.encoding import CHAIN_LIMIT
from bothways.registry.flow import Flow
from bothways.registry.service import TIMEOUT, Service


def add(
    name: str,
    *,
    prefix: Annotated[str, Parameter(help="The path under the endpoint, for example /tokens.")],
    upstream: Annotated[str, Parameter(help="Where the service listens: http://HOST:PORT or https://NAME:PORT.")],
    needs: Annotated[list[Flow] | None, Parameter(help="Flows that must be established; inbound unless said.")] = None,
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
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Put a service behind the endpoint."""
    trusted = files.read(upstream_ca, "the CA bundle", CHAIN_LIMIT).decode(errors="replace") if upstream_ca else ""
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
    with hub_in(directory) as hub:
        services.add_service(hub, service)
        text = f"{name} stands at {hub.terms.endpoint}{prefix}"
        code = conclude(hub, services.service_document(service, frozenset()), text, as_json=json)
        tell(f"Next: bothways service grant {name} TSPID")
        return code


def list_(*, directory: Directory = HERE, json: Json = False) -> int:
    """List services with the customers that they were granted to."""
    with hub_in(directory) as hub:
        found = services.list_services(hub)
        rows = [
            (
                each.name,
                each.prefix,
                each.upstream,
                _options(each),
                " ".join(sorted(each.needs)),
                " ".join(sorted(granted)),
            )
            for each, granted in found
        ]
        text = table(rows, ("SERVICE", "PREFIX", "UPSTREAM", "OPTIONS", "NEEDS", "GRANTED TO"))
        result([services.service_document(each, granted) for each, granted in found], text, as_json=json)
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


def _options(service: Service) -> str:
    words = {
        "http2": service.http2,
        f"timeout={service.timeout}s": service.timeout != TIMEOUT,
        f"streaming={service.streaming}s": service.streaming,
        f"health={service.health_path}": service.health_path,
        "strip-prefix": service.strip_prefix,
        "no-client-cert": not service.client_cert,
    }
    return " ".join(word for word, said in words.items() if said)
