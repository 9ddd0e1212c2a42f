"""Figure `crl-100k`: time and size of a revocation list with 100,000 certificates, 1% and 10% of them revoked.

From the question to the database to the list that is stored: entries, signature with the issuing CA's P-256 key.
"""

import time
from collections.abc import Iterator

from bench.harness import Figure, figure
from bench.population import populate, revoke_first
from bench.portal_site import new_hub
from bothways.operations.hub import Hub
from bothways.operations.revocation import current_list, lists_due, publish_list

_CUSTOMERS = 100_000
_PERCENT = (1, 10)
_TIMES = 5


def crl_100k() -> Iterator[Figure]:
    """Measure seconds of one publication, and kB of the list in DER."""
    with new_hub() as hub:
        populate(hub, _CUSTOMERS)
        for percent in _PERCENT:
            revoke_first(hub, _CUSTOMERS * percent // 100)
            seconds = [_published(hub) for _ in range(_TIMES)]
            size = len(current_list(hub).der) / 1000
            what = f"{_CUSTOMERS:,} certificates, {percent}% of them revoked"
            for name, samples, unit, told in (
                ("", seconds, "s", "from the database to the stored list"),
                ("-size", [size], "kB", "the list in DER"),
            ):
                goal = "none; told beside the others"
                yield figure(f"crl-100k-{percent}{name}", samples, unit, goal, f"{what}: {told}", met=bool)


def _published(hub: Hub) -> float:
    [(authority, _)] = lists_due(hub)
    started = time.perf_counter()
    publish_list(hub, authority)
    return time.perf_counter() - started
