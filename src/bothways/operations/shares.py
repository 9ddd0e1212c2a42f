"""What each customer contributes to the data plane, kept, and derived again where something changed or time did it."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection

from bothways.connectivity.assess import assess
from bothways.connectivity.facts import Facts
from bothways.contract.document import Environment
from bothways.operations.shown import PrivatePem, Shown, shown_to
from bothways.pki.profile import uri_id
from bothways.registry.endpoint import Endpoint
from bothways.registry.flow import Flow
from bothways.registry.service import Service
from bothways.store import chains, customers, endpoints, facts, services
from bothways.store.chains import StoredChain
from bothways.xds.identities import Identities, Part
from bothways.xds.parts import Part as AnyPart
from bothways.xds.parts import place
from bothways.xds.servers import ServerPart, Servers
from bothways.xds.state import Anchors, CustomerServer, Identity

PARTS = 1024
"""Parts that the customers are divided into: at 100,000 customers, a change encodes 100 entries again."""

_Part = TypeVar("_Part", bound=AnyPart[Any])

_NEVER = datetime.max.replace(tzinfo=UTC)

MANY = 1000
"""Customers from which on all are derived anew: naming them to the database costs more than reading it through."""


@dataclass(frozen=True, slots=True)
class Share:
    """One customer's: its certificates that open the endpoint, the flows and grants that open services, its server.

    `changes_at` is when the clock alone will change something of it, None if nothing is known to. `problem` says what
    is wrong with the client certificate that its server is shown.
    """

    identities: tuple[Identity, ...]
    open_flows: frozenset[Flow]
    granted: frozenset[str]
    server: CustomerServer | None
    changes_at: datetime | None
    problem: str = ""

    def reaches(self, service: Service) -> bool:
        """Tell whether the customer may reach the service now (R2)."""
        return service.name in self.granted and service.needs <= self.open_flows


class Shares:
    """The shares of all customers. Not shared between threads.

    `private_pem` gives the keys of the client certificates that single customers are shown.
    """

    def __init__(self, environment: Environment, private_pem: PrivatePem) -> None:
        self._environment = environment
        self._private_pem = private_pem
        self._parts: list[dict[str, Share]] = [{} for _ in range(PARTS)]
        self._all = [Part()] * PARTS
        self._reached: dict[Service, list[Part]] = {}
        self._servers = [ServerPart()] * PARTS
        self._problems: dict[str, str] = {}
        self._clock: dict[str, datetime] = {}
        # No later than the first of these: looked for among all of them when it has come, and not each time.
        self._next_due = _NEVER

    def refresh(self, connection: Connection, touched: Collection[str] | None, now: datetime) -> bool:
        """Derive anew the shares of the customers that were touched, all if None, and of those that the clock changed.

        All at once or not at all: what fails leaves the shares as they were. Returns whether it was those of all.
        """
        come = self._next_due <= now
        due = {tsp_id for tsp_id, moment in self._clock.items() if moment <= now} if come else set()
        asked = None if touched is None else due.union(touched)
        if asked is not None and not asked:
            self._look_ahead(again=come)
            return False
        if asked is not None and len(asked) > MANY:
            asked = None
        shown = shown_to(connection, asked, self._private_pem, now)
        derived = _derived(connection, asked, shown, self._environment, now)
        stale = {tsp_id for part in self._parts for tsp_id in part} if asked is None else asked
        for tsp_id in stale - derived.keys():
            self._parts[place(tsp_id, PARTS)].pop(tsp_id, None)
        for tsp_id, share in derived.items():
            self._parts[place(tsp_id, PARTS)][tsp_id] = share
        self._renew({place(tsp_id, PARTS) for tsp_id in stale.union(derived)})
        self._remember(stale, derived, again=asked is None or come)
        return asked is None

    def identities(self) -> Identities:
        """Return the certificates of all customers that open the endpoint."""
        return Identities(self._all)

    def reached(self, every: Collection[Service]) -> Iterator[tuple[Service, Identities]]:
        """Yield each of the services with the certificates that may reach it."""
        self._reached = {
            each: self._reached.get(each) or [Part(tuple(_reaching(_in_order(part), each))) for part in self._parts]
            for each in every
        }
        for service, parts in self._reached.items():
            yield service, Identities(parts)

    def servers(self) -> Servers:
        """Return the servers of all customers."""
        return Servers(self._servers)

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with what single customers' servers are shown, in sentences."""
        return tuple(problem for _, problem in sorted(self._problems.items()))

    def _renew(self, changed: Collection[int]) -> None:
        """Make anew what these parts contribute; where that is as it was, it stays the same part."""
        for number in changed:
            part = _in_order(self._parts[number])
            self._all[number] = _kept(self._all[number], (each for share in part for each in share.identities))
            self._servers[number] = _kept(self._servers[number], (share.server for share in part if share.server))
            for service, parts in self._reached.items():
                parts[number] = _kept(parts[number], _reaching(part, service))

    def _remember(self, stale: Collection[str], derived: dict[str, Share], *, again: bool) -> None:
        for tsp_id in stale:
            self._clock.pop(tsp_id, None)
        changes = {tsp_id: share.changes_at for tsp_id, share in derived.items() if share.changes_at}
        self._clock |= changes
        self._next_due = min((self._next_due, *changes.values()))
        self._look_ahead(again=again)
        # Another one, and not changed in place: whoever reads it does so at any time.
        self._problems = {tsp_id: each for tsp_id, each in self._problems.items() if tsp_id not in stale} | {
            tsp_id: share.problem for tsp_id, share in derived.items() if share.problem
        }

    def _look_ahead(self, *, again: bool) -> None:
        """Look `again` for the first moment at which the clock changes something."""
        if again:
            self._next_due = min(self._clock.values(), default=_NEVER)


def share_of(
    tsp_id: str,
    fact: Facts,
    endpoint: Endpoint | None,
    endorsed: Collection[StoredChain],
    granted: frozenset[str],
    shown: Shown | None,
    environment: Environment,
    now: datetime,
    let_go: int = 0,
) -> Share:
    """Return the share of one customer. Suspended, it has none: nothing passes in either direction."""
    open_flows = assess(fact, now).open_flows
    certificates = [each for each in fact.certificates if each.revoked_at is None and each.not_after > now]
    moments = [
        *(moment for each in certificates for moment in (each.not_before, each.not_after)),
        *(each.not_after for each in endorsed),
        *([shown.until] if shown and shown.until else []),
    ]
    changes_at = min((moment for moment in moments if moment > now), default=None)
    if fact.suspended:
        return Share((), open_flows, granted, None, changes_at)
    in_force = [each for each in endorsed if each.not_after > now]
    anchors = "".join(each.pem for each in in_force)
    problem = shown.problem if shown else ""
    server = None
    if endpoint and anchors and not (shown and shown.pair is None):
        server = CustomerServer(
            tsp_id,
            endpoint.host,
            endpoint.port,
            endpoint.path,
            Anchors(anchors),
            established=Flow.OUTBOUND in open_flows,
            # One server, one set of keys: a chain without pins beside one that has some loosens nothing.
            spki_pins=tuple(sorted({pin for each in in_force for pin in each.spki_pins})),
            client=shown.pair if shown else None,
            let_go=let_go,
        )
    identities = tuple(sorted(Identity(uri_id(environment, tsp_id, each.serial), tsp_id) for each in certificates))
    return Share(identities, open_flows, granted, server, changes_at, problem)


def _derived(
    connection: Connection,
    tsp_ids: Collection[str] | None,
    shown: Mapping[str, Shown],
    environment: Environment,
    now: datetime,
) -> dict[str, Share]:
    known = facts.all_facts(connection) if tsp_ids is None else facts.facts_of_many(connection, tsp_ids)
    granted = services.grants_of(connection, tsp_ids)
    servers = endpoints.many(connection, tsp_ids)
    endorsed = chains.endorsed(connection, tsp_ids)
    let_go = customers.times_let_go(connection, tsp_ids)
    return {
        tsp_id: share_of(
            tsp_id,
            fact,
            servers.get(tsp_id),
            endorsed.get(tsp_id, ()),
            granted.get(tsp_id, frozenset()),
            shown.get(tsp_id),
            environment,
            now,
            let_go.get(tsp_id, 0),
        )
        for tsp_id, fact in known.items()
    }


def _in_order(part: Mapping[str, Share]) -> list[Share]:
    return [share for _, share in sorted(part.items())]


def _reaching(shares: Iterable[Share], service: Service) -> Iterator[Identity]:
    return (each for share in shares if share.reaches(service) for each in share.identities)


def _kept(part: _Part, items: Iterable[Any]) -> _Part:
    """Return the part if it has these items, else another one that has them."""
    found = tuple(items)
    return part if part.items == found else type(part)(found)
