"""Figure `probe`: a full probe of one healthy customer, and the memory that many customers' daily probes take.

`probe`: from the command's operation to the stored result: DNS, TCP, four hellos, the chain, five knocks, one request
through Envoy. Server and hub are on one machine, so what is measured is our own work and the waiting that is built in.
`probe-memory`: what a process holds, with all that it imports, that makes all probes of a day at once, four at a time,
as the running hub does: for 100 and for 1,000 customers, of which every tenth server answers and the others refuse the
connection. What 10,000 take is not measured, but follows from these two on a straight line.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from bench.harness import Figure, figure
from bench.inbound import free_ports
from bench.peers import resident
from bothways.cli.opening import control
from bothways.contract.document import Environment
from bothways.contract.render import render_contract
from bothways.demo.customer_ca import make_server_files
from bothways.demo.process import BothwaysProcess
from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.customers import add_customer
from bothways.operations.endpoints import set_endpoint
from bothways.operations.hub import Hub, contract, initialise, new_terms, open_hub
from bothways.operations.settings import Settings
from bothways.outbound.probe import probe_customer
from bothways.outbound.schedule import Schedule
from bothways.registry.customer import CustomerKind
from bothways.spoke.directory import init_spoke

_READY = 120.0
_TIMES = 10
_FEW, _MANY, _WANTED = 100, 1_000, 10_000
_SECONDS_MOST, _MEBIBYTES_MOST = 2.0, 200.0
_HOST = "c0.localhost"


def probe() -> Iterator[Figure]:
    """Measure seconds of one probe, and MiB of many."""
    with _hub() as (hub, port, chain):
        _register(hub, 0, 1, port, chain)
        seconds = [_seconds(hub) for _ in range(_TIMES)]
        what = "one healthy customer: DNS, TCP, TLS versions, chain, five callers, one request through Envoy"
        goal = f"under {_SECONDS_MOST:g} s"
        yield figure("probe", seconds, "s", goal, what, met=lambda value: value < _SECONDS_MOST)
        held = []
        for first, count in ((1, _FEW), (1 + _FEW, _MANY)):
            _register(hub, first, first + count, port, chain)
            held.append(_child(hub.directory))
            what = (
                f"a process, with all that it imports, that probed {count:,} customers, all due at once, four at a time"
            )
            yield figure(f"probe-memory-{count}", held[-1:], "MiB", "none; told beside the next", what, met=bool)
    goal = f"10,000 customers within {_MEBIBYTES_MOST:g} MiB"
    what = f"10,000 customers, on a straight line through {_FEW} and {_MANY:,}; not measured"
    line = held[1] + (_WANTED - _MANY) * max(held[1] - held[0], 0.0) / (_MANY - _FEW)
    yield figure("probe-memory", [line], "MiB", goal, what, met=lambda value: value < _MEBIBYTES_MOST)


@contextmanager
def _hub() -> Iterator[tuple[Hub, int, bytes]]:
    """Run a hub and one customer's server; yield the hub, the server's port, and its chain."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        inbound, portal, egress = free_ports(3)
        settings = replace(
            Settings(inbound_port=inbound, portal_port=portal, egress_port=egress),
            danger_outbound_loopback=True,
            danger_outbound_any_port=True,
            scheduled_probes=False,
        )
        initialise(place / "hub", new_terms(Environment.PPR, "ppr.hub.localhost", settings), settings, "bench")
        with open_hub(place / "hub", "bench") as hub:
            running = BothwaysProcess(["hub", "run", "--directory", str(hub.directory)], place / "hub.log")
            (place / "published.toml").write_text(render_contract(contract(hub)))
            spoke = init_spoke(place / "spoke", str(place / "published.toml"), "0")
            files = make_server_files(place, "Bank", _HOST)
            arguments = [
                "spoke",
                "listen",
                "--directory",
                str(spoke.directory),
                "--address",
                "127.0.0.1",
                "--port",
                "0",
            ]
            arguments += ["--certificate", str(files.certificate), "--key", str(files.key)]
            server = BothwaysProcess(arguments, place / "listen.log")
            try:
                running.next_line(_READY)
                port = int(server.next_line(_READY)["listening"].rpartition(":")[2])
                yield hub, port, files.chain.read_bytes()
            finally:
                server.stop()
                running.stop()


def _register(hub: Hub, first: int, last: int, port: int, chain: bytes) -> None:
    for number in range(first, last):
        tsp_id = str(number)
        add_customer(hub, tsp_id, CustomerKind.ISSUER, "Bank")
        # Another name than the certificate's is a probe that goes as far as the chain; port 1 refuses.
        set_endpoint(hub, tsp_id, f"https://c{number}.localhost:{port if number % 10 == 0 else 1}")
        endorse_chain(hub, submit_chain(hub, tsp_id, chain).id)
    control(hub, "POST", "/apply")


def _seconds(hub: Hub) -> float:
    started = time.perf_counter()
    made = probe_customer(hub, "0")
    if made.findings or not made.fact.ok:
        raise RuntimeError(f"the server is not healthy: {made.fact.seen}, {made.findings}")
    return time.perf_counter() - started


def _child(directory: Path) -> float:
    """Return how many MiB a process of its own holds that looked who is due, and probed them."""
    context = get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_held, args=(directory, sending))
    process.start()
    held = float(receiving.recv())
    process.join()
    return held


def _held(directory: Path, sending: Connection) -> None:
    async def applied() -> None:
        """Nothing: the hub has it."""

    with open_hub(directory, "bench") as hub:
        if not asyncio.run(Schedule(hub, applied).look()):
            raise RuntimeError("nobody was due")
        sending.send(resident(os.getpid()))
