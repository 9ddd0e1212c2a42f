"""Figure `push-100k`: from a change's commit to Envoy's ACK, and to a request that is judged by it, by customers.

One of them is suspended and resumed, as in `change-100k`. The hub answers when Envoy has confirmed the change, and the
snapshot that Envoy starts from has it too; a request on an open connection is judged by it somewhat before. Among the
most customers it is measured again with remote nodes, each with its agent: then all Envoys have to confirm, and judge.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from bench.change_100k import effects
from bench.harness import Figure, cpu_seconds, figure
from bench.inbound import SERVICE, World, world
from bench.peers import Server
from bench.planes import node_of, until
from bothways.dataplane.envoy_state import state_of

_POPULATIONS = (10_000, 100_000)
_NODES = 2


def push_100k() -> Iterator[Figure]:
    """Measure seconds, and how many of them the control plane computes."""
    for customers in _POPULATIONS:
        yield from pushed(customers)
    yield from pushed(_POPULATIONS[-1], _NODES)


def pushed(customers: int, nodes: int = 0) -> Iterator[Figure]:
    """Measure it among so many customers, with so many remote nodes besides the Envoy beside the hub."""
    with world(customers, letting_nodes_in=nodes > 0) as ours, remote_nodes(ours, nodes) as servers:
        before = cpu_seconds(ours.process.pid)
        seen = effects(ours, servers)
        computed = (cpu_seconds(ours.process.pid) - before) / len(seen)
    what = f"{customers:,} customers that may use one service, one of them suspended and resumed, from the commit"
    envoy, line = "Envoy has", "a request on an open connection is"
    if nodes:
        what = f"{nodes} remote nodes and the Envoy beside the hub; {what}"
        envoy, line = "each Envoy has", "requests on open connections to each are"
    for name, samples, told in (
        (
            "ack",
            [each.acknowledged for each in seen],
            f"until {envoy} confirmed the change, and it is saved for Envoy's next start",
        ),
        ("judged", [each.judged for each in seen], f"until {line} judged by it"),
        ("cpu", [computed], f"CPU time of the control plane for a change, the mean of {len(seen)}"),
    ):
        beside = f"-nodes-{nodes}" if nodes else ""
        goal = "none; told beside the others"
        yield figure(f"push-{customers // 1000}k{beside}-{name}", samples, "s", goal, f"{what}: {told}", met=bool)


@contextmanager
def remote_nodes(ours: World, count: int) -> Iterator[list[Server]]:
    """Run so many remote nodes of the hub until each answers the customer; they are on this machine as well."""
    with ExitStack() as stack:
        nodes = [node_of([ours.hub], ours.directory / f"eu-{number + 1}", agent=True) for number in range(count)]
        for node in nodes:
            node.start()
            stack.callback(node.stop)
        for node in nodes:
            until(partial(node.serves, ours.spoke, f"/{SERVICE}/"), f"{node.name} does not serve its customer")
        yield [Server(each.name, each.port, state_of(each.directory / "run")["pid"]) for each in nodes]
