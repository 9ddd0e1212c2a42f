"""Figure `memory`: resident memory of Envoy and of the control plane at 10 to 100,000 customers, as a picture too."""

from collections.abc import Iterator
from pathlib import Path

from bench.harness import Figure, figure
from bench.inbound import TSP_ID, connections, world
from bench.peers import resident
from bench.plot import lines
from bothways.operations.customers import resume_customer, suspend_customer

PICTURE = Path(__file__).parent.parent / "docs" / "memory.svg"
_POPULATIONS = (10, 1_000, 10_000, 100_000)
_CONNECTIONS = 50


def memory() -> Iterator[Figure]:
    """Measure MiB after the start, after some load, and after a change, which is when most is held at once."""
    measured: dict[str, list[tuple[float, float]]] = {"Envoy": [], "control plane": []}
    for customers in _POPULATIONS:
        with world(customers) as ours:
            connections(ours, ours.server, _CONNECTIONS)
            for suspended in (True, False):
                (suspend_customer if suspended else resume_customer)(ours.hub, TSP_ID, "tested")
                ours.apply()
            for name, mebibytes in (("Envoy", ours.server.memory()), ("control plane", resident(ours.process.pid))):
                measured[name].append((customers, mebibytes))
                yield figure(
                    f"memory-{name.replace(' ', '-').lower()}-{customers}",
                    [mebibytes],
                    "MiB",
                    "none; told beside the others",
                    f"{name}, {customers:,} customers that may use one service",
                    met=bool,
                )
    PICTURE.write_text(lines("Resident memory by customers", "customers", "MiB", measured))
