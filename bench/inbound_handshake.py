"""Figure `inbound-handshake`: server CPU for a full mutual-TLS handshake and one request, at 10,000 customers."""

from collections.abc import Iterator

from bench.harness import Figure
from bench.inbound import connections
from bench.inbound_figures import beside_peers


def inbound_handshake() -> Iterator[Figure]:
    """Measure connections per second of CPU, beside bare Envoy and every other peer."""
    return beside_peers("inbound-handshake", "connections", connections, 600)
