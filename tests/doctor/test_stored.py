"""What is seen of what the hub keeps, each thing broken for real."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.conftest import unguarded
from tests.postgresql import in_files
from tests.stored_keys import without_key

from bothways.contract.document import Environment
from bothways.doctor.stored import stored_steps
from bothways.findings import Level, Step
from bothways.operations.hub import Hub
from bothways.operations.settings import TwoPeople
from bothways.operations.upkeep import upkeep


def seen(hub: Hub) -> dict[str, Step]:
    return {each.name: each for each in stored_steps(hub)}


def ids(step: Step) -> list[str]:
    return [each.id for each in step.findings]


def test_a_hub_as_it_was_made_lacks_nothing(hub: Hub) -> None:
    settings = replace(hub.settings, danger_outbound_loopback=False, danger_outbound_any_port=False)
    assert {name: ids(step) for name, step in seen(replace(hub, settings=settings)).items() if step.findings} == {}


def test_what_is_dangerous_is_an_error_in_production_and_a_warning_before(hub: Hub) -> None:
    settings = replace(
        hub.settings,
        danger_outbound_loopback=True,
        danger_outbound_any_port=False,
        two_people=TwoPeople.DANGER_NEVER,
        passphrase_file="passphrase",  # noqa: S106 - the name of a file
    )
    before = seen(replace(hub, settings=settings))["settings"].findings
    assert [(each.id, each.level) for each in before] == [("DOCTOR-DANGER-01", Level.WARNING)]
    production = replace(hub, settings=settings, terms=replace(hub.terms, environment=Environment.PRD))
    found = seen(production)["settings"].findings
    assert [(each.id, each.level) for each in found] == [
        ("DOCTOR-DANGER-01", Level.ERROR),
        ("DOCTOR-DANGER-01", Level.ERROR),
        ("DOCTOR-SECRET-01", Level.WARNING),
    ]
    assert "two_people = danger-never" in found[1].message


@in_files
def test_a_damaged_database_is_found(hub: Hub) -> None:
    with closing(sqlite3.connect(hub.database.place)) as connection, connection:
        # References are looked at by who asks for it, and this one does not.
        connection.execute("UPDATE credential SET authority_id = 4711")
    assert ids(seen(hub)["database"]) == ["DOCTOR-DATABASE-01"]


def test_a_line_of_the_audit_that_was_changed_is_found(hub: Hub, issuer: str) -> None:
    with hub.database.write(hub.now(), "tester") as transaction:
        unguarded(transaction.connection)
        transaction.connection.exec_driver_sql(f"UPDATE audit SET actor = 'else' WHERE subject = '{issuer}'")  # noqa: S608 - a number
    step = seen(hub)["audit"]
    assert "AUDIT-01" in ids(step)
    assert step.said.endswith("broken")


@pytest.fixture
def keyless(hub: Hub) -> Iterator[Hub]:
    """The hub, opened anew after the key of its issuing CA was lost."""
    with without_key(hub) as opened:
        yield opened


def test_a_ca_whose_key_is_lost_is_found(keyless: Hub) -> None:
    step = seen(keyless)["keys of the CAs"]
    assert ids(step) == ["DOCTOR-KEY-01"]
    assert "issuing-ca-1" in step.findings[0].message


def test_what_ends_is_told_in_time_and_a_list_that_ended_is_an_error(hub: Hub) -> None:
    upkeep(hub)
    then = hub.now() + timedelta(days=385)
    steps = seen(replace(hub, now=lambda: then))
    assert "DOCTOR-END-01" in ids(steps["what ends"])
    assert {each.level for each in steps["what ends"].findings} == {Level.WARNING}
    assert ids(steps["revocation lists"]) == ["DOCTOR-CRL-01"]
