"""Customers' servers and the probes of them, in the database."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from bothways.connectivity.facts import ProbeFact
from bothways.connectivity.probing import next_probe
from bothways.errors import NotFound
from bothways.registry.endpoint import Endpoint
from bothways.store.chains import ChainState
from bothways.store.database import Transaction
from bothways.store.schema import customer, endpoint, probe
from bothways.store.schema_outbound import chain

PROBES_KEPT = 10
"""Probes of a customer that are kept, besides the last that succeeded."""


@dataclass(frozen=True, slots=True)
class StoredProbe:
    """A probe as it was recorded; `report` has its `findings` and its `evidence`, as JSON objects."""

    fact: ProbeFact
    report: dict[str, Any]

    @property
    def name_answered(self) -> bool:
        """Tell whether DNS answered for the server's host: to the hub, or to its Envoy, whose call succeeded."""
        evidence = self.report.get("evidence")
        return self.fact.ok or (evidence is not None and not evidence["dns"]["failure"])

    def document(self) -> dict[str, Any]:
        """Return the probe as the JSON object that API and command line show."""
        return self.fact.document() | self.report


@dataclass(frozen=True, slots=True)
class Registered:
    """A customer whose server can be probed: since when it is as it is, and when the last probe began, if ever."""

    tsp_id: str
    since: datetime
    last: datetime | None


def put(transaction: Transaction, tsp_id: str, record: Endpoint) -> None:
    """Store the customer's server, in place of the one before.

    At the same host and port, it counts as set when that was first called: what a probe proved since then is proved.
    """
    row = transaction.connection.execute(select(endpoint).where(endpoint.c.tsp_id == tsp_id)).first()
    same = row is not None and (row.host, row.port) == (record.host, record.port)
    remove(transaction, tsp_id)
    set_at = row.set_at if row is not None and same else transaction.now
    values = insert(endpoint).values(tsp_id=tsp_id, host=record.host, port=record.port, path=record.path, set_at=set_at)
    transaction.connection.execute(values)


def remove(transaction: Transaction, tsp_id: str) -> None:
    """Forget the customer's server."""
    transaction.connection.execute(delete(endpoint).where(endpoint.c.tsp_id == tsp_id))


def find(connection: Connection, tsp_id: str) -> Endpoint:
    """Return the customer's server. Raises `NotFound`."""
    row = connection.execute(select(endpoint).where(endpoint.c.tsp_id == tsp_id)).first()
    if not row:
        raise NotFound(
            f"customer {tsp_id} has no endpoint: a server has to be named first.",
            f"Set one: bothways endpoint set {tsp_id} URL",
        )
    return Endpoint(row.host, row.port, row.path)


def owner(connection: Connection, host: str) -> str | None:
    """Return the tspId whose server has this host name, if it is anybody's."""
    return connection.execute(select(endpoint.c.tsp_id).where(endpoint.c.host == host)).scalar_one_or_none()


def many(connection: Connection, tsp_ids: Collection[str] | None = None) -> dict[str, Endpoint]:
    """Return the servers of these customers, or of all, by tspId."""
    query = select(endpoint) if tsp_ids is None else select(endpoint).where(endpoint.c.tsp_id.in_(tsp_ids))
    return {row.tsp_id: Endpoint(row.host, row.port, row.path) for row in connection.execute(query)}


def registered(connection: Connection, now: datetime) -> tuple[Registered, ...]:
    """Return the customers whose server can be probed and may be due, in order: without those that cannot be due yet.

    It can with a chain that is endorsed and valid, and not suspended. What it takes is read of those alone.
    """
    of_customer, now_endorsed = chain.c.tsp_id == endpoint.c.tsp_id, chain.c.state == ChainState.ENDORSED
    decided = select(func.max(chain.c.decided_at)).where(of_customer, now_endorsed, chain.c.not_after > now)
    last = select(func.max(probe.c.at)).where(probe.c.tsp_id == endpoint.c.tsp_id)
    served = select(customer.c.tsp_id).where(customer.c.suspended.is_(False), customer.c.removed_at.is_(None))
    query = (
        select(endpoint.c.tsp_id, endpoint.c.set_at, decided.scalar_subquery(), last.scalar_subquery())
        .where(or_(endpoint.c.probe_at.is_(None), endpoint.c.probe_at <= now))
        .where(served.where(customer.c.tsp_id == endpoint.c.tsp_id).exists())
        .order_by(endpoint.c.tsp_id)
    )
    return tuple(
        Registered(tsp_id, max(set_at, decided_at), at)
        for tsp_id, set_at, decided_at, at in connection.execute(query)
        if decided_at is not None
    )


def add_probe(transaction: Transaction, tsp_id: str, record: ProbeFact, report: dict[str, Any] | None = None) -> None:
    """Store what a probe saw, with its report (findings and evidence), and forget the oldest but the last success."""
    values = {"address": record.address, "at": record.at, "ok": record.ok, "seen": record.seen, "risk": record.risk}
    transaction.insert(probe, tsp_id=tsp_id, report=json.dumps(report or {}), **values)
    of_customer = probe.c.tsp_id == tsp_id
    kept = select(probe.c.id).where(of_customer).order_by(probe.c.id.desc()).limit(PROBES_KEPT)
    proof = select(func.max(probe.c.id)).where(of_customer, probe.c.ok.is_(True)).scalar_subquery()
    old = delete(probe).where(of_customer, probe.c.id.not_in(kept), probe.c.id != func.coalesce(proof, 0))
    transaction.connection.execute(old)
    # What was set or endorsed since the probe began, it has not seen.
    newer = select(chain.c.id).where(chain.c.tsp_id == tsp_id, chain.c.decided_at > record.at).exists()
    seen = endpoint.c.tsp_id == tsp_id, endpoint.c.set_at <= record.at, ~newer
    transaction.connection.execute(update(endpoint).where(*seen).values(probe_at=next_probe(tsp_id, record.at)))


def probes(connection: Connection, tsp_id: str) -> tuple[StoredProbe, ...]:
    """Return the probes of the customer's servers that are kept, newest first."""
    rows = connection.execute(select(probe).where(probe.c.tsp_id == tsp_id).order_by(probe.c.id.desc()))
    return tuple(
        StoredProbe(ProbeFact(row.address, row.at, row.ok, row.seen, row.risk), json.loads(row.report)) for row in rows
    )
