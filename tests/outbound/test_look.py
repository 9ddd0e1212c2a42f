"""Where a look goes, and where it does not: by DNS of our own."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import NOW
from tests.wire.servers import accepting

from bothways.operations.hub import Hub
from bothways.outbound.callers import make_callers
from bothways.outbound.look import Look
from bothways.registry.endpoint import Endpoint
from bothways.spoke.addresses import Answer, Failed, Found, Missing


def look(ask: Callable[[str], Answer], port: int = 443, *, loopback_allowed: bool = True) -> Look:
    return Look(Endpoint("bank.example", port, ""), "/", (), NOW, loopback_allowed, ask)


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (Found({"8.8.8.8": 60, "8.8.4.4": 30}, (90, 20), ("edge.example",)), (("8.8.8.8", "8.8.4.4"), 20, False, "")),
        (Missing(5), ((), 0, True, "")),
        (Failed("SERVFAIL"), ((), 0, False, "SERVFAIL")),
    ],
)
def test_what_dns_says_is_told(answer: Answer, seen: Any) -> None:
    dns = asyncio.run(look(lambda _: answer)._dns())
    assert (dns.addresses, dns.ttl, dns.missing, dns.failure) == seen


def test_no_special_address_is_a_target_and_ipv4_comes_before_ipv6() -> None:
    mixed = Found(dict.fromkeys(("127.0.0.1", "10.0.0.1", "2a00::1", "8.8.8.8", "::ffff:8.8.8.8"), 60))
    asked = look(lambda _: mixed, loopback_allowed=False)
    assert [each.address for each in asked._targets(asyncio.run(asked._dns()))] == ["8.8.8.8"]
    alone = look(lambda _: Found({"2a00::1": 60, "fe80::1": 60}))
    assert [each.address for each in alone._targets(asyncio.run(alone._dns()))] == ["2a00::1"]


def test_a_name_that_changes_between_look_and_connection_leads_nowhere_else(hub: Hub) -> None:
    asked: list[str] = []

    def rebinding(host: str) -> Answer:
        asked.append(host)
        return Found({"127.0.0.2" if len(asked) == 1 else "127.0.0.1": 0.0})

    reached: list[object] = []
    with accepting(reached.append) as port:
        evidence = asyncio.run(look(rebinding, port).evidence(make_callers(hub), lambda *_: None))
    # Asked once: the address that was judged is the one that is connected to, and nothing listens there.
    assert asked == ["bank.example"]
    assert [(each.address, each.failure) for each in evidence.tcp] == [("127.0.0.2", "connection refused")]
    assert reached == []


def test_each_stage_is_said_as_it_is_over_and_the_last_is_the_one_that_failed(hub: Hub) -> None:
    said: list[tuple[str, str]] = []
    callers = make_callers(hub)
    asyncio.run(look(lambda _: Missing(5)).evidence(callers, lambda *each: said.append(each)))
    assert said == [("dns", "no such name"), ("tcp", "there is nowhere to connect to")]
    with accepting(lambda plain: plain.sendall(b"HTTP/1.0 400 Bad\r\n\r\n")) as port:
        asyncio.run(look(lambda _: Found({"127.0.0.1": 60}), port).evidence(callers, lambda *each: said.append(each)))
    assert [stage for stage, _ in said[2:]] == ["dns", "tcp", "tls"]
