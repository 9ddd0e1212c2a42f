"""Figure `inbound-keepalive`: server CPU for a request on an open connection, at 10,000 customers."""

from collections.abc import Iterator

from bench.harness import Figure
from bench.inbound import requests
from bench.inbound_figures import beside_peers


def inbound_keepalive() -> Iterator[Figure]:
    """Measure requests per second of CPU, beside bare Envoy and every other peer."""
    return beside_peers("inbound-keepalive", "requests", requests, 8000)
