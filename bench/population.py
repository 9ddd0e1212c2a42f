"""A hub with many customers, for figures that depend on how many there are.

What is stored for each is what enrolment stores, but for three things, because making 100,000 keys takes an hour: in
place of each request and each certificate stand as many zeros, with digests and serial numbers of their own, so that no
constraint is off; and the audit has no line for them. `docs/million.md` tells people what is real, so change it too.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import chain as chain_all
from itertools import islice

from sqlalchemy import Table, insert, update

from bothways.connectivity.probing import next_probe
from bothways.operations.hub import Hub
from bothways.pki.profile import uri_id
from bothways.pki.revocation import RevocationReason
from bothways.store import schema, schema_outbound
from bothways.store.chains import ChainState

_TOGETHER = 5_000
_FIRST = 10_000_000
_VALIDITY = timedelta(days=397)
_BYTES = bytes(900)


def populate(hub: Hub, count: int, service: str | None = None) -> None:
    """Add `count` customers, each with a certificate that was seen in use; grant them the service if one is named."""
    numbers = iter(range(count))
    while group := list(islice(numbers, _TOGETHER)):
        with hub.write() as transaction:
            for table, rows in _rows(hub, group, service):
                if rows:
                    transaction.connection.execute(insert(table), rows)


def revoke_first(hub: Hub, count: int) -> None:
    """Revoke the certificates of the first `count` customers, as far as the next revocation list is concerned."""
    with hub.write() as transaction:
        revoked = update(schema.certificate).where(
            schema.certificate.c.request_id < _FIRST + count, schema.certificate.c.revoked_at.is_(None)
        )
        values = {"revoked_at": transaction.now, "revoked_reason": RevocationReason.UNSPECIFIED.value}
        transaction.connection.execute(revoked.values(values))


def add_servers(hub: Hub, count: int, probes: int, chain: str = "", also: Sequence[str] = ()) -> None:
    """Give the first `count` customers a server with an endorsed chain, and so many daily probes, the last just now.

    `chain` is the CA of them all, in PEM; without it nothing can be called, and their data plane stays empty. `also`
    are other customers that get one too.
    """
    numbered = chain_all(((number, tsp_id(number)) for number in range(count)), enumerate(also, count))
    while group := list(islice(numbered, _TOGETHER)):
        with hub.write() as transaction:
            for table, rows in _server_rows(hub, group, probes, chain):
                transaction.connection.execute(insert(table), rows)


def tsp_id(number: int) -> str:
    """Return the tspId of the customer with this number, counted from 0."""
    return str(_FIRST + number)


def serial(number: int) -> int:
    """Return the serial number of its certificate."""
    return int.from_bytes(hashlib.sha256(b"serial %d" % number).digest()[:19], "big")


def _rows(hub: Hub, numbers: list[int], service: str | None) -> Iterator[tuple[Table, list[dict[str, object]]]]:
    now = hub.now()
    each = [(number, tsp_id(number), serial(number)) for number in numbers]
    yield (
        schema.customer,
        [
            {"tsp_id": name, "kind": "merchant", "organization": f"Shop {name}", "created_at": now, "suspended": False}
            for _, name, _ in each
        ],
    )
    yield (
        schema.request,
        [
            {
                "id": _FIRST + number,
                "tsp_id": name,
                "der": _BYTES,
                "fingerprint": _digest(b"request", number),
                "spki_pin": _digest(b"key", number),
                "state": "approved",
                "submitted_at": now,
                "decided_at": now,
                "decided_by": "bench",
            }
            for number, name, _ in each
        ],
    )
    yield (
        schema.certificate,
        [
            {
                "serial": f"{own:x}",
                "request_id": _FIRST + number,
                "tsp_id": name,
                "authority_id": 1,
                "uri_id": uri_id(hub.environment, name, own),
                "unsigned": _BYTES,
                "der": _BYTES,
                "fingerprint": _digest(b"certificate", number),
                "not_before": now - timedelta(days=1),
                "not_after": now + _VALIDITY,
                "first_seen_at": now,
                "seen_at": now,
            }
            for number, name, own in each
        ],
    )
    granted = [{"service": service, "tsp_id": name, "granted_at": now} for _, name, _ in each] if service else []
    yield schema.granted, granted


def _server_rows(
    hub: Hub, numbered: list[tuple[int, str]], probes: int, chain: str
) -> Iterator[tuple[Table, list[dict[str, object]]]]:
    now = hub.now()
    set_at = now - timedelta(days=probes)
    each = [(number, name, f"c{number}.shops.example") for number, name in numbered]
    yield (
        schema.endpoint,
        [
            {
                "tsp_id": name,
                "host": host,
                "port": 443,
                "path": "",
                "set_at": set_at,
                "probe_at": next_probe(name, now) if probes else None,
            }
            for _, name, host in each
        ],
    )
    yield (
        schema_outbound.chain,
        [
            {
                "tsp_id": name,
                "pem": chain,
                "fingerprint": _digest(b"chain", number),
                "not_after": now + _VALIDITY,
                "state": ChainState.ENDORSED.value,
                "submitted_at": set_at,
                "decided_at": set_at,
                "spki_pins": "",
            }
            for number, name, _ in each
        ],
    )
    yield (
        schema.probe,
        [
            {"tsp_id": name, "address": f"{host}:443", "at": now - timedelta(days=ago), "ok": True, "seen": "200"}
            for ago in reversed(range(probes))
            for _, name, host in each
        ],
    )


def _digest(what: bytes, number: int) -> str:
    return hashlib.sha256(b"%s %d" % (what, number)).hexdigest()
