from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.operations.conftest import Audit

from bothways.connectivity.evidence import DnsSeen, Evidence
from bothways.connectivity.facts import ProbeFact
from bothways.operations import idle
from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.customers import add_customer
from bothways.operations.data_plane import DataPlane, hub_state
from bothways.operations.endpoints import record_probe, set_endpoint
from bothways.operations.hub import Hub
from bothways.operations.idle import calls_seen, let_go, let_go_stale
from bothways.operations.upkeep import upkeep
from bothways.pki.chain import certificate_pem
from bothways.registry.customer import CustomerKind
from bothways.xds import names
from bothways.xds.snapshot import build_snapshot
from bothways.xds.state import HubState

DAYS = 7


def after(hub: Hub, days: float) -> Hub:
    """Return the hub so many days later."""
    moment = hub.now() + timedelta(days=days)
    return replace(hub, now=lambda: moment)


@pytest.fixture
def served(hub: Hub, make_ca: Callable[..., Any]) -> Hub:
    """The hub with two customers who have servers."""
    for tsp_id in "AB":
        add_customer(hub, tsp_id, CustomerKind.ISSUER, "Bank")
        set_endpoint(hub, tsp_id, f"https://{tsp_id.lower()}.bank.example")
        endorse_chain(hub, submit_chain(hub, tsp_id, certificate_pem(make_ca(f"Root {tsp_id}")[1]).encode()).id)
    return hub


def clusters(state: HubState) -> dict[str, str]:
    found = ((names.customer_of(each), each) for each in build_snapshot(state).of(names.CLUSTER_TYPE))
    return {each[0]: name for each, name in found if each}


def test_who_was_not_called_for_a_week_is_let_go_once_and_its_cluster_gets_a_new_name_each_time(
    served: Hub, audited: Audit
) -> None:
    plane, lines = DataPlane(served), audited()
    names_of_a = [clusters(plane.state())["A"]]
    b = clusters(plane.state())["B"]
    for week in (0, 10):
        calls_seen(after(served, week), ["A"], ["B"])
        calls_seen(after(served, week + DAYS - 1), ["B"], ["A"])
        assert let_go(after(served, week + DAYS - 0.1)) == 0
        assert upkeep(after(served, week + DAYS + 0.1)).done[-1:] == (
            "1 customers whom nobody called for 7 days are let go",
        )
        assert let_go(after(served, week + DAYS + 0.2)) == 0
        state = plane.state()
        assert clusters(state) == clusters(hub_state(served))
        names_of_a.append(clusters(state)["A"])
        assert clusters(state)["B"] == b
    assert len(set(names_of_a)) == 3
    assert [line for line in audited() if line not in lines and "let" in line[0]] == []


def probed(hub: Hub, *, ok: bool = False, failure: str = "") -> None:
    """Have a probe on record of what DNS says of A now."""
    dns = DnsSeen("a.bank.example", () if failure else ("8.8.8.8",), failure=failure)
    record_probe(hub, "A", ProbeFact("a.bank.example:443", hub.now(), ok=ok, seen="seen"), (), Evidence(dns))


def test_the_last_address_of_whose_dns_fails_is_forgotten_after_three_days_and_not_before(served: Hub) -> None:
    calls_seen(served, ["A"], ["B"])
    names_of_both = clusters(hub_state(served))
    probed(served, ok=True)
    for day in (1, 2):
        probed(after(served, day), failure="SERVFAIL")
        assert not let_go_stale(after(served, day), "A")
    # That the hub's own Envoy was answered counts, and that a name was answered for whose server then failed.
    probed(after(served, 2.5), ok=True, failure="no answer")
    assert not let_go_stale(after(served, 3.5), "A")
    probed(after(served, 4))
    probed(after(served, 6.9), failure="SERVFAIL")
    assert not let_go_stale(after(served, 6.9), "A")
    probed(after(served, 7), failure="SERVFAIL")
    assert let_go_stale(after(served, 7), "A")
    now = clusters(hub_state(served))
    assert (now["A"] != names_of_both["A"], now["B"]) == (True, names_of_both["B"])
    # Nobody has loaded it any more: as long as nobody calls it, there is nothing to forget.
    assert not let_go_stale(after(served, 8), "A")
    calls_seen(after(served, 8), ["A"], [])
    assert let_go_stale(after(served, 8), "A")


def test_what_dns_said_of_another_host_before_says_nothing_of_this_one(served: Hub) -> None:
    calls_seen(served, ["A"], [])
    probed(served, ok=True)
    set_endpoint(served, "A", "https://other.bank.example")
    dns = Evidence(DnsSeen("other.bank.example", failure="SERVFAIL"))
    fact = ProbeFact("other.bank.example:443", after(served, 9).now(), ok=False, seen="seen")
    record_probe(after(served, 9), "A", fact, (), dns)
    assert not let_go_stale(after(served, 9), "A")
    assert not let_go_stale(served, "B")


def test_many_are_let_go_in_parts_and_with_0_nobody_is(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "TOGETHER", 1)
    calls_seen(served, ["A", "B"], [])
    never = replace(served, settings=replace(served.settings, idle_days=0))
    assert let_go(after(never, 1000)) == 0
    assert let_go(after(served, DAYS + 1)) == 2
