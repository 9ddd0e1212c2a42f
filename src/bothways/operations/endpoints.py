"""Customers' servers: set, show, and what probes of them saw."""

from collections.abc import Sequence

from bothways.connectivity.evidence import Evidence
from bothways.connectivity.facts import ProbeFact
from bothways.errors import Conflict, Refused
from bothways.findings import Finding
from bothways.operations.hub import Hub
from bothways.registry.endpoint import Endpoint, parse_endpoint
from bothways.store import customers, endpoints
from bothways.store.endpoints import StoredProbe


def set_endpoint(hub: Hub, tsp_id: str, url: str) -> Endpoint:
    """Record where the customer's server is (R11). Raises `Refused` if the address breaks a rule or is another's."""
    ports = () if hub.settings.danger_outbound_any_port else hub.terms.outbound.ports
    endpoint = parse_endpoint(url, ports)
    with hub.write() as transaction:
        customers.find(transaction.connection, tsp_id)
        # One name, one customer: what answers there must never count as proof for two.
        if endpoints.owner(transaction.connection, endpoint.host) not in {None, tsp_id}:
            message = f"the host {endpoint.host} is another customer's server"
            raise Refused((Finding("ENDPOINT-05", message, "Give a host name of your own.", "R14", url),))
        endpoints.put(transaction, tsp_id, endpoint)
        transaction.audit("endpoint.set", tsp_id, url=endpoint.url)
    return endpoint


def show_endpoint(hub: Hub, tsp_id: str) -> Endpoint:
    """Return where the customer's server is. Raises `NotFound`."""
    with hub.read() as connection:
        customers.find(connection, tsp_id)
        return endpoints.find(connection, tsp_id)


def record_probe(
    hub: Hub, tsp_id: str, probe: ProbeFact, findings: Sequence[Finding] = (), evidence: Evidence | None = None
) -> None:
    """Record what a probe saw; the outbound flow is established by a successful one, and only by that.

    Raises `Conflict` if the customer's server is another one by now: what was seen says nothing about that.
    """
    with hub.write() as transaction:
        address = endpoints.find(transaction.connection, tsp_id).address
        if address != probe.address:
            raise Conflict(
                f"the endpoint of customer {tsp_id} became {address} while {probe.address} was probed, "
                f"so nothing is recorded. Probe again: bothways probe {tsp_id}"
            )
        report = {
            "findings": [each.document() for each in findings],
            "evidence": evidence.document() if evidence else None,
        }
        endpoints.add_probe(transaction, tsp_id, probe, report)
        said = {"findings": [each.id for each in findings]} if findings else {}
        transaction.audit("probe", tsp_id, address=probe.address, ok=probe.ok, seen=probe.seen, **said)


def list_probes(hub: Hub, tsp_id: str) -> tuple[StoredProbe, ...]:
    """Return the probes of the customer's server that are kept, newest first. Raises `NotFound`."""
    with hub.read() as connection:
        customers.find(connection, tsp_id)
        return endpoints.probes(connection, tsp_id)
