"""Figure `push-100k`: from a change's commit to Envoy's ACK, and to a request that is judged by it, by customers.

One of them is suspended and resumed, as in `change-100k`. The hub answers when Envoy has confirmed the change, and the
snapshot that Envoy starts from has it too; a request on an open connection is judged by it somewhat before.
"""

from collections.abc import Iterator

from bench.change_100k import effects
from bench.harness import Figure, cpu_seconds, figure
from bench.inbound import world

_POPULATIONS = (10_000, 100_000)


def push_100k() -> Iterator[Figure]:
    """Measure seconds, and how many of them the control plane computes."""
    for customers in _POPULATIONS:
        yield from pushed(customers)


def pushed(customers: int) -> Iterator[Figure]:
    """Measure it among so many customers."""
    with world(customers) as ours:
        before = cpu_seconds(ours.process.pid)
        seen = effects(ours)
        computed = (cpu_seconds(ours.process.pid) - before) / len(seen)
    what = f"{customers:,} customers that may use one service, one of them suspended and resumed, from the commit"
    for name, samples, told in (
        (
            "ack",
            [each.acknowledged for each in seen],
            "until Envoy has confirmed the change, and it is saved for Envoy's next start",
        ),
        ("judged", [each.judged for each in seen], "until a request on an open connection is judged by it"),
        ("cpu", [computed], f"CPU time of the control plane for a change, the mean of {len(seen)}"),
    ):
        goal = "none; told beside the others"
        yield figure(f"push-{customers // 1000}k-{name}", samples, "s", goal, f"{what}: {told}", met=bool)
