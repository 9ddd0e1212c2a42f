"""The facts that the state of each customer's flows follows from, for all customers in a few queries."""

from collections import defaultdict
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Table, func, select

from bothways.connectivity.facts import AnchorFact, CertificateFact, Facts, ProbeFact
from bothways.registry.endpoint import Endpoint
from bothways.store import schema
from bothways.store.chains import ChainState
from bothways.store.requests import RequestState


def facts_of(connection: Connection, tsp_id: str) -> Facts:
    """Return the facts about one customer."""
    return _collect(connection, tsp_id).get(tsp_id, Facts())


def all_facts(connection: Connection) -> dict[str, Facts]:
    """Return the facts about all customers, by tspId."""
    return _collect(connection, None)


def _collect(connection: Connection, tsp_id: str | None) -> dict[str, Facts]:
    def rows(table: Table) -> list[Any]:
        query = select(table)
        return list(connection.execute(query if tsp_id is None else query.where(table.c.tsp_id == tsp_id)))

    facts: dict[str, Facts] = {}
    for row in rows(schema.customer):
        if row.removed_at is None:
            facts[row.tsp_id] = Facts(suspended=row.suspended)
    open_requests: defaultdict[tuple[str, str], int] = defaultdict(int)
    for row in rows(schema.request):
        open_requests[row.tsp_id, row.state] += 1
    certificates: defaultdict[str, list[CertificateFact]] = defaultdict(list)
    for row in rows(schema.certificate):
        if row.der is not None:
            certificates[row.tsp_id].append(
                CertificateFact(int(row.serial, 16), row.not_before, row.not_after, row.revoked_at, row.seen_at)
            )
    endpoints = {row.tsp_id: Endpoint(row.host, row.port, row.path).address for row in rows(schema.endpoint)}
    endorsed: defaultdict[str, list[AnchorFact]] = defaultdict(list)
    waiting: defaultdict[str, int] = defaultdict(int)
    for row in rows(schema.chain):
        if row.state == ChainState.ENDORSED:
            endorsed[row.tsp_id].append(AnchorFact(row.decided_at, row.not_after))
        waiting[row.tsp_id] += row.state == ChainState.SUBMITTED
    last, proved = _probes(connection, tsp_id)
    return {
        name: replace(
            fact,
            requests_open=open_requests[name, RequestState.SUBMITTED],
            requests_refused=open_requests[name, RequestState.REFUSED],
            certificates=tuple(certificates[name]),
            endpoint=endpoints.get(name),
            chains_open=waiting[name],
            anchors=tuple(endorsed[name]),
            probe=last.get(name),
            proof=proved.get(name),
        )
        for name, fact in facts.items()
    }


def _probes(connection: Connection, tsp_id: str | None) -> tuple[dict[str, ProbeFact], dict[str, ProbeFact]]:
    probe = schema.probe

    def latest(*conditions: Any) -> dict[str, ProbeFact]:
        if tsp_id is not None:
            conditions = (*conditions, probe.c.tsp_id == tsp_id)
        newest = select(func.max(probe.c.id)).where(*conditions).group_by(probe.c.tsp_id)
        rows = connection.execute(select(probe).where(probe.c.id.in_(newest)))
        return {row.tsp_id: ProbeFact(row.address, row.at, row.ok, row.seen) for row in rows}

    return latest(), latest(probe.c.ok.is_(True))
