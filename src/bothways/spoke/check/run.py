"""The whole check, in order: this machine, DNS, the way to the hub, the way from it; each as far as one gets."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

from bothways.spoke.addresses import Found
from bothways.spoke.check.hub_answer import flow_steps
from bothways.spoke.check.inbound import Inbound, asked_again, hub_address, look_at_hub
from bothways.spoke.check.local import local_steps
from bothways.spoke.check.names import Stack, name_steps, this_machine
from bothways.spoke.check.outbound import Told, look_at_outbound, own_server
from bothways.spoke.check.report import Outcome, Report, Say, Step
from bothways.spoke.check.through_envoy import Envoy
from bothways.spoke.directory import Spoke
from bothways.spoke.resolver import Question

AGAIN = 5.0
"""Seconds between two checks, while one waits for everything to be right."""


def check(
    spoke: Spoke,
    say: Say,
    server: str = "",
    question: Question | None = None,
    stack: Stack | None = None,
    envoy: Envoy | None = None,
) -> Report:
    """Look at everything, and return what was seen; `say` is told each step as it is over.

    `server` is our own as HOST or HOST:PORT, for hubs that do not tell. Without an `envoy`, Python's TLS alone judges.
    Raises nothing that the network can cause.
    """
    started = time.monotonic()
    steps: list[Step] = []

    def tell(step: Step) -> None:
        steps.append(step)
        say(step)

    asked = question or Question()
    for each in local_steps(spoke, datetime.now(UTC)):
        tell(each)
    host, port = hub_address(spoke)
    answer, found = name_steps(host, asked, stack or this_machine())
    for each in found:
        tell(each)

    async def look() -> Told:
        inbound = await look_at_hub(spoke, answer, asked, tell, envoy) if isinstance(answer, Found) else Inbound()
        let_in = inbound.answer is not None
        told = await look_at_outbound(spoke, server, asked, datetime.now(UTC), tell, envoy, let_in=let_in)
        flows = (asked_again(spoke, asked) if told.probe else None) or inbound.answer
        for each in flow_steps(flows, spoke.contract.terms.endpoint) if flows else ():
            tell(each)
        return told

    told = asyncio.run(look())
    own = own_server(server or told.endpoint, ())
    probe = dict(told.probe) if told.probe else None
    address = own.address if own else ""
    return Report(str(spoke.directory), f"{host}:{port}", address, tuple(steps), time.monotonic() - started, probe)


def check_until(once: Callable[[], Report], seconds: float, sleep: Callable[[float], None] = time.sleep) -> Report:
    """Check again and again until nothing is wrong, or so many seconds are over; return the last report."""
    end = time.monotonic() + seconds
    while (report := once()).outcome not in {Outcome.OK, Outcome.EXPIRING} and time.monotonic() + AGAIN < end:
        sleep(AGAIN)
    return report
