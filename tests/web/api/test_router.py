"""What the document of the interface says, and whether the API does what it says, asked by a program (schemathesis)."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from tests.web.api.operations import OPERATIONS
from tests.web.conftest import Ask, applied

from bothways.operations.hub import Hub
from bothways.operations.tokens import create_token
from bothways.registry.access import Role
from bothways.web.portal import portal_app

ACCEPTED = ["2xx", "400", "401", "403", "404", "409", "412", "422", "428", "503"]


def test_every_operation_is_described_and_asks_for_a_token(hub: Hub, ask: Ask) -> None:
    document = ask(portal_app(hub, applied), "GET", "/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    found = {
        (method.upper(), path.removeprefix("/api/v1")): each
        for path, methods in document["paths"].items()
        if path.startswith("/api/v1/")
        for method, each in methods.items()
    }
    # Who adds an operation says in that table who may not do it.
    assert set(found) == set(OPERATIONS)
    for (method, path), each in found.items():
        assert each["description"], path
        assert each["security"] == [{"HTTPBearer": []}], path
        assert {"401", "403", "404", "409", "422", "429"} <= set(each["responses"]), path
        keyed = "Idempotency-Key" in {one["name"] for one in each.get("parameters", ())}
        assert keyed is (method != "GET"), path


# Requests of each kind to each operation: with one, the whole takes some seconds.
@pytest.mark.timeout(900)
@pytest.mark.parametrize("examples", [1, pytest.param(10, marks=pytest.mark.soak)])
def test_a_program_that_tries_everything_finds_nothing(hub: Hub, examples: int) -> None:
    # Each look at the clock is seven seconds later, so that what is limited by time is no limit here.
    begin, ticks = hub.now(), itertools.count()
    hub = replace(hub, now=lambda: begin + timedelta(seconds=7 * next(ticks)))
    _, secret = create_token(hub, "schemathesis", Role.OPERATOR)
    config = SchemathesisConfig.from_dict(
        {
            "seed": 7,
            "continue-on-failure": True,
            "headers": {"Authorization": f"Bearer {secret}"},
            "generation": {"max-examples": examples, "deterministic": True, "database": "none"},
            # What a path names was never made by what was answered before: numbers of rows are guessed all the same.
            "phases": {"stateful": {"enabled": False}},
            # The rules say more than a schema can: 422. And nothing runs behind it here: 503.
            "checks": {"positive_data_acceptance": {"expected-statuses": ACCEPTED}},
        }
    )
    schema = schemathesis.openapi.from_asgi("/openapi.json", portal_app(hub, applied), config=config)
    made, found = 0, set[str]()
    for event in from_schema(schema.include(path_regex="^/api/v1/")).execute():
        assert not isinstance(event, events.FatalError | events.NonFatalError), event
        if isinstance(event, events.ScenarioFinished):
            for check in (each for checks in event.recorder.checks.values() for each in checks):
                made += 1
                if check.failure_info is not None:
                    found.add(f"{event.recorder.label}: {check.name}: {check.failure_info.failure.message}")
    assert sorted(found) == []
    assert made > 5_000
