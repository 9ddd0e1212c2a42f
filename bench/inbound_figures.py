"""The endpoint beside its peers: each in turn, in one run, under the same load; the server's CPU time counts."""

from collections.abc import Callable, Iterator
from functools import partial
from operator import le

from bench.harness import Figure, figure
from bench.inbound import World, servers, world
from bench.peers import BARE_ENVOY, ENVOY_WITH_OUR_TLS, Server

_CUSTOMERS = 10_000
_ROUNDS = 5
_OF_BARE_ENVOY = 0.95

Load = Callable[[World, Server, int], None]


def beside_peers(name: str, what: str, load: Load, each_round: int) -> Iterator[Figure]:
    """Yield a figure for each peer; the goals are 0.95 of bare Envoy, and more than any other in handshakes."""
    with world(_CUSTOMERS) as ours, servers(ours) as running:
        samples: dict[str, list[float]] = {each.name: [] for each in running}
        for warm_up in (True, *[False] * _ROUNDS):
            for server in running:
                before = server.cpu()
                load(ours, server, each_round)
                used = server.cpu() - before
                if not warm_up:
                    samples[server.name].append(each_round / used)
    own = samples.pop("Bothways")
    for peer, measured in samples.items():
        bare = peer == BARE_ENVOY
        others = 1.0 if name == "inbound-handshake" and peer != ENVOY_WITH_OUR_TLS else 0.0
        wanted = _OF_BARE_ENVOY if bare else others
        yield figure(
            name if bare else f"{name}-{peer.lower().replace(' ', '-')}",
            own,
            f"{what}/s of server CPU",
            f"at least {wanted:g} of {peer}" if wanted else "none; told beside the others",
            f"{_CUSTOMERS:,} customers, authorization on, through to a service; see bench/inbound.py",
            met=partial(le, wanted),
            peer=(peer, measured),
        )
