"""The facts that the state of each customer's flows follows from, for many customers in a few queries."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, func, select

from bothways.connectivity.facts import AnchorFact, CertificateFact, Facts, ProbeFact
from bothways.registry.endpoint import Endpoint
from bothways.store import customer_credentials, holds, schema, schema_outbound
from bothways.store.chains import ChainState
from bothways.store.requests import RequestState
from bothways.store.submitted_endpoints import EndpointState


def facts_of(connection: Connection, tsp_id: str) -> Facts:
    """Return the facts about one customer."""
    return facts_of_many(connection, (tsp_id,)).get(tsp_id, Facts())


def facts_of_many(connection: Connection, tsp_ids: Collection[str]) -> dict[str, Facts]:
    """Return the facts about these customers, by tspId; one that is not there, or was removed, is not in it.

    For many, `all_facts` is faster, and knows no limit.
    """
    return _Query(connection, list(tsp_ids)).facts()


def all_facts(connection: Connection) -> dict[str, Facts]:
    """Return the facts about all customers, by tspId."""
    return _Query(connection, None).facts()


class _Query:
    """The queries for some customers, or for all (None)."""

    def __init__(self, connection: Connection, tsp_ids: list[str] | None) -> None:
        self._connection = connection
        self._tsp_ids = tsp_ids

    def facts(self) -> dict[str, Facts]:
        requests, certificates = self._requests(), self._certificates()
        endorsed, waiting = self._chains()
        own, held = customer_credentials.active(self._connection, self._tsp_ids), self._held()
        last, proved = self._probes(), self._probes(schema.probe.c.ok.is_(True))
        endpoint, submitted = schema.endpoint, schema_outbound.submitted_endpoint
        endpoints = {
            row.tsp_id: (Endpoint(row.host, row.port, row.path).address, row.set_at)
            for row in self._rows(endpoint, endpoint.c.host, endpoint.c.port, endpoint.c.path, endpoint.c.set_at)
        }
        named = Counter(
            row.tsp_id for row in self._rows(submitted, submitted.c.state) if row.state == EndpointState.SUBMITTED
        )
        customer = schema.customer
        return {
            row.tsp_id: Facts(
                suspended=row.suspended,
                requests_open=requests[row.tsp_id, RequestState.SUBMITTED],
                requests_refused=requests[row.tsp_id, RequestState.REFUSED],
                certificates=tuple(certificates.get(row.tsp_id, ())),
                endpoint=endpoints.get(row.tsp_id, (None, None))[0],
                endpoint_since=endpoints.get(row.tsp_id, (None, None))[1],
                endpoints_open=named[row.tsp_id],
                chains_open=waiting[row.tsp_id],
                anchors=tuple(endorsed.get(row.tsp_id, ())),
                probe=last.get(row.tsp_id),
                proof=proved.get(row.tsp_id),
                client_until=own[row.tsp_id].not_after if row.tsp_id in own else None,
                held=held.get(row.tsp_id, ""),
            )
            for row in self._rows(customer, customer.c.suspended, customer.c.removed_at)
            if row.removed_at is None
        }

    def _rows(self, table: Table, *columns: ColumnElement[Any]) -> Iterator[Row[Any]]:
        # The columns that are needed and no others: the tables hold requests and certificates too.
        return iter(self._connection.execute(select(table.c.tsp_id, *columns).where(*self._ours(table))))

    def _ours(self, table: Table) -> list[ColumnElement[bool]]:
        return [] if self._tsp_ids is None else [table.c.tsp_id.in_(self._tsp_ids)]

    def _held(self) -> dict[str, str]:
        return {tsp_id: hold.reason for tsp_id, hold in holds.many(self._connection, self._tsp_ids).items()}

    def _requests(self) -> defaultdict[tuple[str, str], int]:
        request = schema.request
        count: defaultdict[tuple[str, str], int] = defaultdict(int)
        for row in self._rows(request, request.c.state):
            count[row.tsp_id, row.state] += 1
        return count

    def _certificates(self) -> dict[str, list[CertificateFact]]:
        found: defaultdict[str, list[CertificateFact]] = defaultdict(list)
        each = schema.certificate.c
        signed = select(each.tsp_id, each.serial, each.not_before, each.not_after, each.revoked_at, each.seen_at)
        for row in self._connection.execute(signed.where(each.der.is_not(None), *self._ours(schema.certificate))):
            found[row.tsp_id].append(CertificateFact(int(row.serial, 16), *row[2:]))
        return found

    def _chains(self) -> tuple[dict[str, list[AnchorFact]], defaultdict[str, int]]:
        endorsed: defaultdict[str, list[AnchorFact]] = defaultdict(list)
        waiting: defaultdict[str, int] = defaultdict(int)
        chain = schema_outbound.chain
        for row in self._rows(chain, chain.c.state, chain.c.decided_at, chain.c.not_after):
            if row.state == ChainState.ENDORSED:
                endorsed[row.tsp_id].append(AnchorFact(row.decided_at, row.not_after))
            waiting[row.tsp_id] += row.state == ChainState.SUBMITTED
        return endorsed, waiting

    def _probes(self, *conditions: ColumnElement[bool]) -> dict[str, ProbeFact]:
        """Return the latest probe that meets the conditions, by tspId."""
        probe = schema.probe
        newest = select(func.max(probe.c.id)).where(*conditions, *self._ours(probe)).group_by(probe.c.tsp_id)
        each = probe.c
        columns = select(each.tsp_id, each.address, each.at, each.ok, each.seen, each.risk)
        rows = self._connection.execute(columns.where(each.id.in_(newest)))
        return {row.tsp_id: ProbeFact(*row[1:]) for row in rows}
