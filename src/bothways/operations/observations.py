"""Why calls failed: judge what the data plane logged, match it to a customer, store it, list it."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection

from bothways.connectivity.assess import assess
from bothways.connectivity.claim import claim_of
from bothways.connectivity.handshake import Endpoint, handshake_finding
from bothways.connectivity.observation import (
    CertificateOnRecord,
    FailedHandshake,
    Failure,
    MatchedBy,
    Observation,
    RefusedRequest,
)
from bothways.connectivity.refusal import Known, refusal_finding
from bothways.errors import NotFound, Unusable
from bothways.operations.hub import Hub
from bothways.operations.under_way import Kind, knocked
from bothways.pki.presented import Presented, read_presented
from bothways.pki.profile import read_uri_id
from bothways.store import authorities, certificates, closures, customers, facts, observations, services, under_way
from bothways.store.authorities import Role
from bothways.store.certificates import StoredCertificate

SHOWN = 5
"""How many of a customer's last observations are shown where they are not the matter itself."""

_SEEN_AGAIN = timedelta(hours=1)
_COUNTED = timedelta(days=1)

_Owner = tuple[str | None, MatchedBy | None]
_NOBODY: _Owner = (None, None)


@dataclass(frozen=True, slots=True)
class Times:
    """How often the same failure was logged, when last, and from which ports of its source, of the first ones."""

    count: int
    last_at: datetime
    ports: tuple[str, ...] = ()


def observe(hub: Hub, failures: Mapping[Failure, Times]) -> tuple[Observation, ...]:
    """Judge failed calls, store what comes of it in one transaction, and return it.

    What the canary of whichever control plane did is nobody's failed call.
    """
    if not failures:
        return ()
    with hub.read() as connection, hub.observations.read() as seen:
        judge, own = _Judge(hub, connection, seen), _of_canaries(seen, failures)
        made = tuple(
            judge.observation(failure, replace(times, count=left))
            for failure, times in failures.items()
            if (left := times.count - own[failure]) > 0
        )
    with hub.observations.write(hub.now()) as transaction:
        observations.add(transaction, made)
    return made


def connections_seen(hub: Hub, pairs: Collection[tuple[str, str]]) -> None:
    """Take note of connections that went well, each the fingerprint of a certificate and the source address.

    The address counts as one of the customer's. The certificate counts as in use, once an hour, if it is valid and the
    customer's inbound flow is established: that one is proved by `GET /connectivity` alone.
    """
    now = hub.now()
    with hub.read() as connection:
        known = certificates.by_fingerprints(connection, {fingerprint for fingerprint, _ in pairs})
        due = [
            each
            for each in known.values()
            if each.usable(now) and (not each.seen_at or now - each.seen_at > _SEEN_AGAIN)
        ]
        known_facts = facts.facts_of_many(connection, {each.tsp_id for each in due})
    proved = {tsp_id for tsp_id, each in known_facts.items() if assess(each, now).inbound.open}
    if used := [each for each in due if each.tsp_id in proved]:
        with hub.write() as transaction:
            for record in used:
                certificates.see(transaction, record.serial)
                if record.seen_at is None:
                    transaction.audit("certificate.seen", record.serial, customer=record.tsp_id)
    with hub.observations.write(now) as seen:
        observations.see_sources(
            seen, {(address, known[fingerprint].tsp_id) for fingerprint, address in pairs if fingerprint in known}
        )


def list_observations(
    hub: Hub, tsp_id: str | None = None, *, unmatched: bool = False, after: int = 0, limit: int | None = None
) -> tuple[Observation, ...]:
    """Return observations, the last first: all, those of one customer, or those of nobody known. Raises `NotFound`."""
    if tsp_id is not None:
        with hub.read() as connection:
            customers.find(connection, tsp_id)
    with hub.observations.read() as seen:
        return observations.recent(seen, tsp_id, unmatched=unmatched, after=after, limit=limit)


def last_failures(hub: Hub, tsp_id: str) -> tuple[Observation, ...]:
    """Return a customer's last observations, for where they are not the matter itself: none if they cannot be read."""
    try:
        return list_observations(hub, tsp_id, limit=SHOWN)
    except Unusable:
        return ()


def failed_calls(hub: Hub) -> dict[str, int] | None:
    """Return how many calls failed within a day, of customers and of nobody known; None if it cannot be read."""
    try:
        with hub.observations.read() as seen:
            return observations.count(seen, hub.now() - _COUNTED)
    except Unusable:
        return None


def _of_canaries(seen: Connection, failures: Mapping[Failure, Times]) -> Counter[Failure]:
    """Return how often a failure was one of a canary, that said before from where it knocks."""
    places = {
        knocked(failure.source, port): failure
        for failure, times in failures.items()
        if isinstance(failure, FailedHandshake)
        for port in times.ports
    }
    return Counter(places[each] for each in under_way.documents(seen, Kind.KNOCK.value, places))


class _Judge:
    """Judges the failures of one batch; what it looked up once it remembers."""

    def __init__(self, hub: Hub, connection: Connection, seen: Connection) -> None:
        self._connection, self._seen, self._now = connection, seen, hub.now()
        self._environment = hub.environment
        self._endpoint = Endpoint(
            hub.environment,
            urlsplit(hub.terms.endpoint).hostname or "",
            tuple(each.certificate for each in authorities.trusted(connection, Role.ISSUING)),
            hub.terms.request,
        )
        self._services = services.every(connection)
        self._shut = closures.current(connection) is not None

    def observation(self, failure: Failure, times: Times) -> Observation:
        """Return what is to be stored of a failure."""
        if isinstance(failure, FailedHandshake):
            finding, (tsp_id, matched_by) = self._handshake(failure)
        else:
            finding, (tsp_id, matched_by) = self._request(failure)
        return Observation(
            finding,
            tsp_id,
            matched_by,
            failure.source,
            failure.fingerprint,
            failure.at,
            times.last_at,
            times.count,
        )

    def _handshake(self, failed: FailedHandshake) -> tuple[Any, _Owner]:
        presented = read_presented(failed.certificate) if failed.certificate else None
        record = self._on_record(failed.fingerprint)
        finding = handshake_finding(failed, presented, self._endpoint, _as_record(record))
        if record:
            return finding, self._owner(record.tsp_id, MatchedBy.CERTIFICATE)
        owner = self._claimed(presented) if presented else _NOBODY
        if owner == _NOBODY and (tsp_id := observations.customer_at(self._seen, failed.source)):
            owner = self._owner(tsp_id, MatchedBy.SOURCE)
        return finding, owner

    def _claimed(self, presented: Presented) -> _Owner:
        claim = claim_of(presented, self._endpoint.terms)
        ours = [each for each in self._endpoint.authorities if presented.names_as_issuer(each)]
        if claim and any(presented.signed_by(each) for each in ours):
            return self._owner(claim.tsp_id, MatchedBy.SIGNATURE)
        if ours:
            try:
                record = certificates.find(self._connection, presented.serial)
                return self._owner(record.tsp_id, MatchedBy.SERIAL)
            except NotFound:
                pass
        return self._owner(claim.tsp_id, MatchedBy.SUBJECT) if claim else _NOBODY

    def _request(self, refused: RefusedRequest) -> tuple[Any, _Owner]:
        record = self._on_record(refused.fingerprint)
        named = read_uri_id(refused.uri_id)
        tsp_id = record.tsp_id if record else named[1] if named and named[0] is self._environment else ""
        customer = customers.many(self._connection, (tsp_id,)).get(tsp_id)
        known = Known(
            host=self._endpoint.host,
            certificate=_as_record(record),
            suspended=bool(customer and customer.suspended),
            assessment=assess(facts.facts_of(self._connection, tsp_id), self._now) if customer else None,
            services=self._services,
            granted=services.grants_of(self._connection, (tsp_id,)).get(tsp_id, frozenset()),
            shut=self._shut,
        )
        return refusal_finding(refused, known), self._owner(tsp_id, MatchedBy.HANDSHAKE)

    def _on_record(self, fingerprint: str) -> StoredCertificate | None:
        return certificates.by_fingerprints(self._connection, (fingerprint,)).get(fingerprint) if fingerprint else None

    def _owner(self, tsp_id: str, matched_by: MatchedBy) -> _Owner:
        return (tsp_id, matched_by) if customers.many(self._connection, (tsp_id,)) else _NOBODY


def _as_record(record: StoredCertificate | None) -> CertificateOnRecord | None:
    return CertificateOnRecord(record.not_after, record.revoked_at, record.revoked_reason or "") if record else None
