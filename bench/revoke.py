"""Figure `revoke`: from the operator's decision to the moment when the certificate opens nothing any more, anywhere.

At 10,000 customers, for one certificate after the other: it is revoked by the operation that the command line calls,
and the running hub is told, as the command line tells it. The first clock stops when a request on a connection that was
open before is refused, the second when a new handshake fails. Half of the connections are of TLS 1.2, half of TLS 1.3.
Each of 300 customers has two certificates, as while it renews, and each of the 10,000 a server that the hub calls.
Each clock is stopped 300 times: of 100, the 99th percentile would be the worst.
"""

import ssl
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from bench.harness import Figure, figure
from bench.inbound import World, another, asked, connected, world
from bothways.operations.certificates import revoke_certificate
from bothways.pki.revocation import RevocationReason
from bothways.spoke.directory import Spoke

_CUSTOMERS = 10_000
_TIMES = 300
_GOAL = 0.1
_PATIENCE = 10.0
_PAUSE = 0.005
_REST = 0.25

Refused = Callable[[World, ssl.SSLContext, ssl.SSLSocket], bool]


def revoke() -> Iterator[Figure]:
    """Measure seconds from the decision to the refusal."""
    with world(_CUSTOMERS) as ours:
        certified = [[*islice(another(ours.hub, ours.directory, f"2{number:07}"), 2)] for number in range(_TIMES)]
        ours.apply()
        # One clock at a time: each asks all the time, and would slow the other down.
        requests = [_refused_after(ours, *first, _request_refused) for first, _ in certified]
        handshakes = [_refused_after(ours, *second, _handshake_refused) for _, second in certified]
    for name, seconds, seen in (
        ("revoke", requests, "request on an open connection"),
        ("revoke-tls", handshakes, "new handshake"),
    ):
        worst = statistics.quantiles(seconds, n=100)[98]
        what = f"{_CUSTOMERS:,} customers, {_TIMES} certificates one after the other, until a {seen} is refused"
        yield figure(name, seconds, "s", "none; told beside the others", what, met=bool)
        goal = f"at most {_GOAL:g} s"
        yield figure(f"{name}-p99", [worst], "s", goal, f"99th percentile: {what}", met=lambda value: value <= _GOAL)


def _refused_after(ours: World, spoke: Spoke, serial: str, refused: Refused) -> float:
    context = ours.context_of(spoke)
    context.maximum_version = ssl.TLSVersion.TLSv1_3 if int(serial, 16) % 2 else ssl.TLSVersion.TLSv1_2
    with connected(ours, ours.server, context) as line, ThreadPoolExecutor(1) as pool:
        if asked(ours, ours.server, line) != b"200":
            raise RuntimeError("the certificate does not open the service to begin with")
        # What the last revocation was followed by is over: decisions do not come ten a second.
        time.sleep(_REST)
        started = time.perf_counter()
        revoke_certificate(ours.hub, serial, RevocationReason.UNSPECIFIED)
        applied = pool.submit(ours.apply)
        seconds = _until(started, lambda: refused(ours, context, line))
        applied.result()
        return seconds


def _request_refused(ours: World, _: ssl.SSLContext, line: ssl.SSLSocket) -> bool:
    return asked(ours, ours.server, line) == b"403"


def _handshake_refused(ours: World, context: ssl.SSLContext, _: ssl.SSLSocket) -> bool:
    try:
        with connected(ours, ours.server, context) as another:
            return asked(ours, ours.server, another) == b"closed"
    except (ssl.SSLError, ConnectionError):
        return True


def _until(started: float, happened: Callable[[], bool]) -> float:
    while not happened():
        if time.perf_counter() - started > _PATIENCE:
            raise RuntimeError("a revoked certificate still opens something")
        time.sleep(_PAUSE)
    return time.perf_counter() - started
