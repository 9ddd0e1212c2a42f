from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.operations.conftest import Audit

from bothways.operations import idle
from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.customers import add_customer
from bothways.operations.data_plane import DataPlane, hub_state
from bothways.operations.endpoints import set_endpoint
from bothways.operations.hub import Hub
from bothways.operations.idle import calls_seen, let_go
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


def test_many_are_let_go_in_parts_and_with_0_nobody_is(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "TOGETHER", 1)
    calls_seen(served, ["A", "B"], [])
    never = replace(served, settings=replace(served.settings, idle_days=0))
    assert let_go(after(never, 1000)) == 0
    assert let_go(after(served, DAYS + 1)) == 2
