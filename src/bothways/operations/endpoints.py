"""Customers' servers: set by the operator, or submitted and reviewed; shown; and what probes of them saw.

An operator who sets a server is its review. What a customer names itself waits for one, unless only the path is new.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from sqlalchemy import Connection

from bothways.connectivity.evidence import Evidence
from bothways.connectivity.facts import ProbeFact
from bothways.errors import Conflict, NotFound, Proposed, Refused
from bothways.findings import Finding
from bothways.operations import two_people
from bothways.operations.hub import Hub
from bothways.registry.endpoint import Endpoint, EndpointRules, parse_endpoint
from bothways.store import customers, endpoints, submitted_endpoints
from bothways.store.database import Transaction
from bothways.store.endpoints import StoredProbe
from bothways.store.proposals import Kind
from bothways.store.submitted_endpoints import EndpointState, SubmittedEndpoint

ANY = Endpoint("", 0, "")
"""Whatever endpoint there is, or none."""


def set_endpoint(hub: Hub, tsp_id: str, url: str, *, before: Endpoint | None = ANY) -> Endpoint:
    """Record where the customer's server is (R11). Raises `Refused` if the address breaks a rule or is another's.

    `before` is what it replaces, None for nothing: raises `Conflict` if that is not what there is any more.

    At another host or port, nothing is proved any more: the outbound flow is established again by the next probe. Where
    that takes two people, it waits for review: raises `Proposed`, or `NotAuthorized` if the actor was the first.
    """
    endpoint = parse_endpoint(url, _rules(hub))
    with hub.write() as transaction:
        customers.find(transaction.connection, tsp_id)
        current = endpoints.many(transaction.connection, (tsp_id,)).get(tsp_id)
        if before not in {ANY, current}:
            raise Conflict(
                f"the endpoint of {tsp_id} was changed meanwhile.", f"Look at: bothways endpoint show {tsp_id}"
            )
        _require_free(transaction.connection, tsp_id, endpoint, url)
        waiting = submitted_endpoints.waiting(transaction.connection, tsp_id)
        same = [each for each in waiting if each.endpoint == endpoint]
        proposed: str | Proposed = ""
        if two_people.required(hub) and (current is None or current.address != endpoint.address):
            same = same or [_submitted(transaction, tsp_id, endpoint, waiting)]
            proposed = two_people.judge_one(hub, transaction, Kind.ENDPOINT, same[0].id, tsp_id)
        if not isinstance(proposed, Proposed):
            for each in same:
                submitted_endpoints.decide(transaction, each.id, EndpointState.APPROVED)
            _put(transaction, tsp_id, endpoint, "endpoint.set", **two_people.on_record(proposed))
            return endpoint
    raise proposed


def submit_endpoint(hub: Hub, tsp_id: str, url: str) -> SubmittedEndpoint | Endpoint:
    """Take the server that a customer names under review; the same again is the same, another takes its place.

    Returns the endpoint if it is in force at once, because host and port are those that are called already. Raises
    `Refused` as `set_endpoint` does.
    """
    endpoint = parse_endpoint(url, _rules(hub))
    with hub.write() as transaction:
        connection = transaction.connection
        customers.find(connection, tsp_id)
        _require_free(transaction.connection, tsp_id, endpoint, url)
        current = endpoints.many(connection, (tsp_id,)).get(tsp_id)
        waiting = submitted_endpoints.waiting(connection, tsp_id)
        for each in waiting:
            if each.endpoint == endpoint:
                return each
        if current and current.address == endpoint.address:
            _replace(transaction, waiting)
            if current != endpoint:
                _put(transaction, tsp_id, endpoint, "endpoint.path")
            return endpoint
        stored = _submitted(transaction, tsp_id, endpoint, waiting)
        two_people.handed_in(hub, transaction, Kind.ENDPOINT, stored.id)
        return stored


def approve_endpoint(hub: Hub, number: int) -> SubmittedEndpoint:
    """Approve a server that a customer named: it is called there from the next probe on.

    Raises `NotFound`, `Conflict` if it was decided already, `Refused` if a rule that held does not hold any more, and
    `Proposed` or `NotAuthorized` if it takes another person too.
    """
    with hub.write() as transaction:
        stored = _waiting(transaction, number)
        customers.find(transaction.connection, stored.tsp_id)
        parse_endpoint(stored.endpoint.url, _rules(hub))
        _require_free(transaction.connection, stored.tsp_id, stored.endpoint, stored.endpoint.url)
        proposed = two_people.judge_one(hub, transaction, Kind.ENDPOINT, number, stored.tsp_id)
        if not isinstance(proposed, Proposed):
            submitted_endpoints.decide(transaction, number, EndpointState.APPROVED)
            detail = {"number": number} | two_people.on_record(proposed)
            _put(transaction, stored.tsp_id, stored.endpoint, "endpoint.approve", **detail)
            return submitted_endpoints.find(transaction.connection, number)
    raise proposed


def refuse_endpoint(hub: Hub, number: int, reason: str) -> SubmittedEndpoint:
    """Refuse a server that a customer named, with a reason that the customer will read; what is called stays."""
    with hub.write() as transaction:
        stored = _waiting(transaction, number)
        submitted_endpoints.decide(transaction, number, EndpointState.REFUSED, reason)
        transaction.audit(
            "endpoint.refuse", str(number), customer=stored.tsp_id, url=stored.endpoint.url, reason=reason
        )
        return submitted_endpoints.find(transaction.connection, number)


def show_endpoint(hub: Hub, tsp_id: str) -> Endpoint:
    """Return where the customer's server is. Raises `NotFound`."""
    with hub.read() as connection:
        customers.find(connection, tsp_id)
        return endpoints.find(connection, tsp_id)


def waiting_endpoints(
    hub: Hub, tsp_id: str | None = None, after: int = 0, limit: int | None = None
) -> tuple[SubmittedEndpoint, ...]:
    """Return the servers that wait for review, of all customers or of one, oldest first, after a number."""
    with hub.read() as connection:
        return submitted_endpoints.waiting(connection, tsp_id, after, limit)


def show_submitted_endpoint(hub: Hub, number: int) -> SubmittedEndpoint:
    """Return a server that a customer named, whatever was decided. Raises `NotFound`."""
    with hub.read() as connection:
        return submitted_endpoints.find(connection, number)


def last_submitted(hub: Hub, tsp_id: str) -> SubmittedEndpoint | None:
    """Return the server that a customer named last, whatever became of it."""
    with hub.read() as connection:
        return submitted_endpoints.newest(connection, tsp_id)


def endpoint_findings(hub: Hub, stored: SubmittedEndpoint) -> tuple[Finding, ...]:
    """Return what the rules say now about a server that a customer named."""
    try:
        parse_endpoint(stored.endpoint.url, _rules(hub))
        with hub.read() as connection:
            _require_free(connection, stored.tsp_id, stored.endpoint, stored.endpoint.url)
    except Refused as refused:
        return refused.findings
    return ()


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
                "so nothing is recorded.",
                f"Probe again: bothways probe {tsp_id}",
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


def _rules(hub: Hub) -> EndpointRules:
    own = (urlsplit(hub.terms.endpoint).hostname, urlsplit(hub.terms.portal).hostname)
    return EndpointRules(
        ports=() if hub.settings.danger_outbound_any_port else hub.terms.outbound.ports,
        hub=hub.terms.hub,
        own=tuple(each for each in own if each),
        # Either says that this is a developer's machine. What may be connected to, Envoy decides for each address.
        danger_local=hub.settings.danger_outbound_loopback or hub.settings.danger_outbound_any_port,
    )


def _require_free(connection: Connection, tsp_id: str, endpoint: Endpoint, url: str) -> None:
    # One name, one customer: what answers there must never count as proof for two.
    owners = {
        endpoints.owner(connection, endpoint.host),
        submitted_endpoints.owner(connection, endpoint.host),
    }
    if owners - {None, tsp_id}:
        message = f"the host {endpoint.host} is another customer's server"
        raise Refused((Finding("ENDPOINT-05", message, "Give a host name of your own.", "R14", url),))


def _submitted(
    transaction: Transaction, tsp_id: str, endpoint: Endpoint, waiting: Sequence[SubmittedEndpoint]
) -> SubmittedEndpoint:
    """Put a server under review, in place of those that wait."""
    _replace(transaction, waiting)
    stored = submitted_endpoints.add(transaction, tsp_id, endpoint)
    transaction.audit("endpoint.submit", str(stored.id), customer=tsp_id, url=endpoint.url)
    return stored


def _replace(transaction: Transaction, waiting: Sequence[SubmittedEndpoint]) -> None:
    for each in waiting:
        submitted_endpoints.decide(transaction, each.id, EndpointState.REPLACED)
        reason = "another was named before it was looked at"
        transaction.audit("endpoint.replace", str(each.id), customer=each.tsp_id, url=each.endpoint.url, reason=reason)


def _put(transaction: Transaction, tsp_id: str, endpoint: Endpoint, action: str, **detail: object) -> None:
    try:
        before = endpoints.find(transaction.connection, tsp_id).url
    except NotFound:
        before = None
    endpoints.put(transaction, tsp_id, endpoint)
    transaction.audit(action, tsp_id, url=endpoint.url, before=before, **detail)


def _waiting(transaction: Transaction, number: int) -> SubmittedEndpoint:
    stored = submitted_endpoints.find(transaction.connection, number)
    if stored.state is not EndpointState.SUBMITTED:
        raise Conflict(
            f"endpoint {number} is {stored.state.value}, not submitted.",
            f"Look at: bothways endpoint show {stored.tsp_id}",
        )
    return stored
