"""Figure `portal-100k`: what pages cost at the server with 100,000 customers: time, and bytes that are sent.

Each page is asked of the portal in this process, as a browser asks it, without network and TLS: what is measured is
the look at the session, the questions to the database, and the page. 200 requests wait for review, and 500 chains are
endorsed beside the population's certificates; each customer has a person and a token.
"""

import asyncio
import statistics
import time
from collections.abc import Iterator
from datetime import timedelta

import httpx2
from sqlalchemy import insert

from bench.harness import Figure, figure
from bench.population import populate, tsp_id
from bench.portal_site import BANK, account, applied, csr, new_hub
from bothways.operations.customers import add_customer
from bothways.operations.hub import Hub
from bothways.operations.requests import approve_request, submit_request
from bothways.registry.access import Role
from bothways.registry.customer import CustomerKind
from bothways.store import schema, schema_outbound, schema_people
from bothways.web.portal import portal_app

_CUSTOMERS, _WAITING, _CHAINS = 100_000, 200, 500
_TIMES = 20
_MILLISECONDS, _KILOBYTES = 100, 150
_OPERATOR = (
    "/reviews",
    "/customers",
    "/customers?after=10050000",
    "/customers?find=Shop+100999",
    "/customers?attention=waiting",
    "/customers?attention=ending",
    "/customers?attention=unconnected",
    "/customers?attention=unproved",
    "/customers?attention=suspended&kind=merchant",
    "/audit",
    "/audit?actor=hub&action=certificate.issue",
    "/audit?actor=nobody",
    "/audit?customer=10050000&action=certificate.issue",
    "/audit?action=hub.init",
    "/audit?from=2000-01-01&until=2000-12-31",
    "/people",
    "/people?after=90000",
    "/tokens",
    "/tokens?before=1000",
    "/contacts",
    "/nodes",
)
_PLACES = ("trust", "own-ca", "endpoint", "activity", "services", "files", "contacts")
_CUSTOMER = ("home", "requests", "certificates", *_PLACES)


def portal_100k() -> Iterator[Figure]:
    """Measure milliseconds and kilobytes of the slowest and the largest page."""
    with new_hub() as hub:
        populate(hub, _CUSTOMERS)
        _furnish(hub)
        cookie = account(hub, "ann@hub.example", "Ann", Role.OPERATOR)
        # Of a customer whose earlier request is one.
        review = f"/reviews/requests/{submit_request(hub, BANK, csr(BANK, 'First Bank', hub.environment)).id}"
        paths = [*_OPERATOR, review, *(f"/customers/{BANK}/{each}" for each in _CUSTOMER)]
        seen = asyncio.run(_asked(hub, cookie, paths))
    medians = {path: statistics.median(times) for path, (times, _) in seen.items()}
    slowest = max(medians, key=lambda path: medians[path])
    largest = max(seen, key=lambda path: seen[path][1])
    what = f"{_CUSTOMERS:,} customers, {len(paths)} pages, each asked {_TIMES} times"
    told = ", ".join(f"{path} {value:.0f} ms" for path, value in sorted(medians.items(), key=lambda each: -each[1])[:5])
    yield figure(
        "portal-100k",
        seen[slowest][0],
        "ms",
        f"under {_MILLISECONDS} ms",
        f"{what}; the slowest page, {slowest}. The slowest: {told}",
        met=lambda value: value < _MILLISECONDS,
    )
    yield figure(
        "portal-100k-size",
        [seen[largest][1] / 1000],
        "kB",
        f"under {_KILOBYTES} kB",
        f"{what}; the largest page, {largest}, with style and script",
        met=lambda value: value < _KILOBYTES,
    )


def _furnish(hub: Hub) -> None:
    # The requests of the population are no requests; this customer's is one.
    add_customer(hub, BANK, CustomerKind.ISSUER, "First Bank")
    approve_request(hub, submit_request(hub, BANK, csr(BANK, "First Bank", hub.environment)).id)
    for number in range(_WAITING):
        name = tsp_id(number * 400)
        submit_request(hub, name, csr(name, f"Shop {name}", hub.environment))
    now = hub.now()
    rows = [
        {
            "tsp_id": tsp_id(number * 199),
            "pem": "",
            "fingerprint": f"{number:064x}",
            "not_after": now + timedelta(days=number),
            "state": "endorsed",
            "submitted_at": now,
            "decided_at": now,
            "spki_pins": "",
        }
        for number in range(_CHAINS)
    ]
    owners = [tsp_id(number) for number in range(_CUSTOMERS)]
    people = [
        {"email": f"{each}@x.example", "name": each, "role": Role.CUSTOMER_MEMBER, "tsp_id": each, "added_at": now}
        for each in owners
    ]
    tokens = [
        {
            "name": each,
            "role": Role.CUSTOMER_MEMBER,
            "tsp_id": each,
            "digest": f"{each:0>64}",
            "person": f"{each}@x.example",
            "created_at": now,
            "expires_at": now + timedelta(days=90),
        }
        for each in owners
    ]
    with hub.write() as transaction:
        transaction.connection.execute(insert(schema_outbound.chain), rows)
        transaction.connection.execute(insert(schema_people.person), people)
        transaction.connection.execute(insert(schema.token), tokens)


async def _asked(hub: Hub, cookie: str, paths: list[str]) -> dict[str, tuple[list[float], int]]:
    """Return by path the milliseconds of each time, and the bytes with those of the static files."""
    seen: dict[str, tuple[list[float], int]] = {}
    cookies = {f"__Host-bothways-{hub.environment.value.lower()}": cookie}
    transport = httpx2.ASGITransport(portal_app(hub, applied))
    async with httpx2.AsyncClient(transport=transport, base_url=hub.terms.portal, cookies=cookies) as client:
        static = 0
        for path in paths:
            times = []
            for _ in range(_TIMES + 1):
                started = time.perf_counter()
                answer = await client.get(path)
                times.append(1000 * (time.perf_counter() - started))
                answer.raise_for_status()
            if not static:
                found = [part.split('"')[0] for part in answer.text.split('"/static/')[1:]]
                static = sum([len((await client.get(f"/static/{each}")).content) for each in found])
            # The first one of all imports and compiles.
            seen[path] = (times[1:], len(answer.content) + static)
    return seen
