import json
from collections import Counter
from typing import Any

import pytest

from bothways.contract.document import Environment
from bothways.demo.steps import all_steps


def test_every_step_has_an_id_of_its_own() -> None:
    assert set(Counter((step.environment, step.id) for step in all_steps()).values()) == {1}


@pytest.mark.parametrize("environment", Environment)
def test_both_environments_and_both_customers_go_through_both_flows(environment: Environment) -> None:
    steps = [step for step in all_steps() if step.environment is environment]
    assert steps[0].id == "hub.start"
    for kind in ("issuer", "merchant"):
        assert {step.flow for step in steps if step.id.startswith(f"{kind}.")} == {"inbound", "outbound"}
    ids = [step.id for step in steps]
    assert ids.index("issuer.gate") < ids.index("issuer.connectivity") < ids.index("issuer.call")
    assert {"hub.rotate", "issuer.revoke"} <= {*ids}


def test_isolation_is_tried_for_both_customers_at_the_end() -> None:
    assert [step.id for step in all_steps()[-2:]] == ["issuer.isolation", "merchant.isolation"]


@pytest.mark.envoy
@pytest.mark.timeout(300)
def test_the_whole_run_tells_every_step_in_this_order(demo_outcome: Any) -> None:
    told = json.loads(demo_outcome["stdout"])
    assert [(each["environment"], each["id"], each["flow"], each["what"]) for each in told] == [
        (step.environment.value, step.id, step.flow, step.what) for step in all_steps()
    ]


@pytest.mark.envoy
@pytest.mark.timeout(300)
def test_each_hub_is_a_process_with_an_envoy_of_its_own(seen: dict[str, str]) -> None:
    starts = [seen[f"{environment} hub.start"] for environment in Environment]
    numbers = [word.strip(",") for start in starts for word in start.split() if word.strip(",").isdecimal()]
    assert len(numbers) == len({*numbers}) == 4
    assert "https://api.ppr.hub.localhost:" in starts[0]
    assert "https://api.prd.hub.localhost:" in starts[1]
