"""Figure `probe`: a full probe of one healthy customer, and what a day of probes of 10,000 customers takes.

`probe`: from the command's operation to the stored result: DNS, TCP, four hellos, the chain, five knocks, one request
through Envoy. Server and hub are on one machine, so what is measured is our own work and the waiting that is built in.
`probe-day`: the hub's own scheduler, in a process of its own, under a clock that goes through 24 hours in steps of five
minutes; after each step it looks who is due, and makes those probes for real, through a running hub's Envoy that has
all 10,000 customers. Every tenth server answers (to a probe that ends with "pinned": the fresh certificate is of the
clock's time, and the server's is the real one), the others refuse the connection. What is stored of the customers
beforehand goes into the database without its line in the audit. The memory is the most that the process ever held,
with all that it imports; the spread is how many probes fall into the busiest five minutes, of 35 on average.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

from bench.harness import Figure, figure
from bench.inbound import free_ports
from bothways.cli.opening import control
from bothways.connectivity.facts import ProbeFact
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
from bothways.pki.chain import parse_chain
from bothways.registry.customer import Customer, CustomerKind
from bothways.registry.endpoint import Endpoint
from bothways.spoke.directory import init_spoke
from bothways.store import chains, customers, endpoints
from bothways.store.chains import ChainState

_READY = 120.0
_TIMES = 10
_CUSTOMERS = 10_000
_STEP, _DAY = timedelta(minutes=5), timedelta(days=1)
_BUSIEST_MOST = 3.0
_SECONDS_MOST, _MEBIBYTES_MOST = 2.0, 200.0
_HOST = "c0.localhost"


def probe() -> Iterator[Figure]:
    """Measure seconds of one probe, and MiB of many."""
    with hub_with_server() as (hub, port, chain):
        register(hub, port, chain)
        seconds = [_seconds(hub) for _ in range(_TIMES)]
        what = "one healthy customer: DNS, TCP, TLS versions, chain, five callers, one request through Envoy"
        goal = f"under {_SECONDS_MOST:g} s"
        yield figure("probe", seconds, "s", goal, what, met=lambda value: value < _SECONDS_MOST)
        yield from probe_day(hub, port, chain, _CUSTOMERS)


def probe_day(hub: Hub, port: int, chain: bytes, count: int) -> Iterator[Figure]:
    """Measure MiB and spread of a day of probes."""
    _populate(hub, count, port, chain)
    began = time.perf_counter()
    held, counts = _child(hub.directory)
    if sum(counts) != count + 1:
        raise RuntimeError(f"{sum(counts)} of {count + 1} customers were probed")
    took = time.perf_counter() - began
    what = f"the scheduler's process, at its largest, in a day of the clock with {count:,} customers ({took:.0f} s)"
    goal = f"{count:,} customers within {_MEBIBYTES_MOST:g} MiB"
    yield figure("probe-day", [held], "MiB", goal, what, met=lambda value: value < _MEBIBYTES_MOST)
    average = count / len(counts)
    what = f"the busiest of {len(counts)} steps of five minutes, {max(counts)} probes, beside their average"
    goal = f"at most {_BUSIEST_MOST:g} times the average"
    ratio = [max(counts) / average]
    yield figure("probe-day-busiest", ratio, "times", goal, what, met=lambda value: value <= _BUSIEST_MOST)


@contextmanager
def hub_with_server() -> Iterator[tuple[Hub, int, bytes]]:
    """Run a hub and one customer's server, its spoke beside the hub; yield the hub, the server's port, and chain."""
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


def register(hub: Hub, port: int, chain: bytes) -> None:
    """Register the customer 0, with its server at this port, and endorse its chain."""
    add_customer(hub, "0", CustomerKind.ISSUER, "Bank")
    set_endpoint(hub, "0", f"https://{_HOST}:{port}")
    endorse_chain(hub, submit_chain(hub, "0", chain).id)
    control(hub, "POST", "/apply")


def _populate(hub: Hub, count: int, port: int, chain: bytes) -> None:
    """Store so many more customers with server and chain, each probed once already, and bring them into force."""
    endorsed = parse_chain(chain)
    with hub.write() as transaction:
        for number in range(1, 1 + count):
            tsp_id, host = str(number), f"c{number}.localhost"
            customers.add(transaction, Customer(tsp_id, CustomerKind.ISSUER, "Bank", transaction.now))
            # Another name than the certificate's is a probe that goes as far as the chain; port 1 refuses.
            endpoint = Endpoint(host, port if number % 10 == 0 else 1, "")
            endpoints.put(transaction, tsp_id, endpoint)
            chains.decide(transaction, chains.add(transaction, tsp_id, endorsed), ChainState.ENDORSED)
            endpoints.add_probe(transaction, tsp_id, ProbeFact(endpoint.address, transaction.now, ok=False, seen="-"))
        endpoints.add_probe(transaction, "0", ProbeFact(f"{_HOST}:{port}", transaction.now, ok=True, seen="-"))
    control(hub, "POST", "/apply")


def _seconds(hub: Hub) -> float:
    started = time.perf_counter()
    made = probe_customer(hub, "0")
    if made.findings or not made.fact.ok:
        raise RuntimeError(f"the server is not healthy: {made.fact.seen}, {made.findings}")
    return time.perf_counter() - started


def _child(directory: Path) -> tuple[float, list[int]]:
    """Return how many MiB a process of its own held at most that made a day's probes, and how many in each step."""
    context = get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_held, args=(directory, sending))
    process.start()
    held, counts = receiving.recv()
    process.join()
    return float(held), counts


def _held(directory: Path, sending: Connection) -> None:
    async def applied() -> None:
        """Nothing: the hub has it."""

    async def day(schedule: Schedule, clock: list[datetime]) -> list[int]:
        counts = []
        for _ in range(_DAY // _STEP):
            clock[0] += _STEP
            counts.append(await schedule.look())
        return counts

    with open_hub(directory, "bench") as hub:
        clock = [hub.now()]
        counts = asyncio.run(day(Schedule(replace(hub, now=lambda: clock[0]), applied), clock))
        sending.send((getrusage(RUSAGE_SELF).ru_maxrss / 1024, counts))
