import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.postgresql import in_files

from bothways.connectivity.observation import FailedHandshake, RefusedRequest
from bothways.dataplane.access_log import Connection
from bothways.dataplane.intake import CONNECTIONS, OF_ONE, PROVED, STRANGERS, Intake
from bothways.operations.hub import OBSERVATIONS_FILE, Hub
from bothways.operations.observations import list_observations
from bothways.operations.requests import approve_request, submit_request
from bothways.store.observations import customer_at

NOW = datetime.now(UTC)
NO_CERTIFICATE = FailedHandshake(NOW, "192.0.2.1", "PEER_DID_NOT_RETURN_A_CERTIFICATE")
REFUSED = RefusedRequest(NOW, "192.0.2.1", "ab", "", 404, "direct_response", path="/x")


def test_the_same_failure_is_counted_and_costs_one_row(hub: Hub) -> None:
    intake = Intake(hub)
    intake.take(replace(NO_CERTIFICATE, at=NOW + timedelta(seconds=each)) for each in range(1000))
    asyncio.run(intake.store())
    [found] = list_observations(hub)
    assert (found.count, found.first_at, found.last_at) == (1000, NOW, NOW + timedelta(seconds=999))
    assert intake.document() == {"taken": 1000, "dropped": 0}


def test_what_is_gathered_between_two_rounds_is_bounded_and_the_next_round_begins_anew(hub: Hub) -> None:
    intake = Intake(hub)
    strangers = [replace(NO_CERTIFICATE, source=f"192.0.2.{each}") for each in range(2 * STRANGERS)]
    intake.take(strangers)
    assert intake.document() == {"taken": 2 * STRANGERS, "dropped": STRANGERS}
    asyncio.run(intake.store())
    assert len(list_observations(hub)) == STRANGERS
    intake.take([strangers[-1]])
    assert intake.dropped == STRANGERS


def test_one_address_or_one_certificate_does_not_hide_the_others(hub: Hub) -> None:
    intake = Intake(hub)
    intake.take(replace(NO_CERTIFICATE, fingerprint=f"{each:x}") for each in range(100))
    intake.take(replace(REFUSED, path=f"/{each}") for each in range(100))
    intake.take([replace(NO_CERTIFICATE, source="192.0.2.2"), replace(REFUSED, fingerprint="cd")])
    asyncio.run(intake.store())
    certificates = [each.fingerprint for each in list_observations(hub) if each.finding.id == "INBOUND-ACCESS-05"]
    assert (certificates.count("ab"), certificates.count("cd")) == (OF_ONE, 1)
    sources = [each.source for each in list_observations(hub) if each.finding.id == "INBOUND-TLS-01"]
    assert (sources.count("192.0.2.1"), sources.count("192.0.2.2")) == (OF_ONE, 1)


def test_strangers_do_not_hide_what_customers_prove_with_their_keys(hub: Hub) -> None:
    intake = Intake(hub)
    intake.take(replace(NO_CERTIFICATE, source=f"192.0.2.{each}") for each in range(2 * STRANGERS))
    intake.take(replace(REFUSED, fingerprint=f"{each:x}") for each in range(2 * PROVED))
    asyncio.run(intake.store())
    ids = [each.finding.id for each in list_observations(hub)]
    assert (ids.count("INBOUND-TLS-01"), ids.count("INBOUND-ACCESS-05")) == (STRANGERS, PROVED)


def test_what_comes_of_our_own_connections_is_left_out_for_a_while(hub: Hub) -> None:
    clock = [0.0]
    intake = Intake(hub, lambda: clock[0])
    asyncio.run(intake.disregard("192.0.2.1", 50000))
    own = replace(NO_CERTIFICATE, port="50000")
    intake.take([own, replace(own, port="50001"), replace(own, source="192.0.2.2")])
    assert intake.taken == 2
    clock[0] = 61.0
    asyncio.run(intake.disregard("192.0.2.1", 50002))
    intake.take([own])
    assert intake.taken == 3


def test_so_is_what_comes_of_those_of_other_control_planes(shared_hub: Hub) -> None:
    here, there = Intake(shared_hub), Intake(shared_hub)

    async def knock() -> None:
        await asyncio.gather(*(there.disregard("192.0.2.1", port) for port in (50000, 50001)))

    asyncio.run(knock())
    own = replace(NO_CERTIFICATE, port="50000")
    here.take([own, replace(own, port="50001"), replace(own, port="50002"), replace(own, source="192.0.2.2")])
    asyncio.run(here.store())
    assert {(each.source, each.count) for each in list_observations(shared_hub)} == {("192.0.2.1", 1), ("192.0.2.2", 1)}


def test_connections_are_told_once_an_hour_and_are_bounded(
    hub: Hub, issuer: str, make_csr: Callable[..., bytes]
) -> None:
    certificate = approve_request(hub, submit_request(hub, issuer, make_csr()).id)
    clock = [0.0]
    intake = Intake(hub, lambda: clock[0])
    known = Connection(certificate.fingerprint or "", "192.0.2.1")
    intake.take([known] * 5)
    asyncio.run(intake.store_connections())
    with hub.observations.read() as connection:
        assert customer_at(connection, "192.0.2.1") == issuer
    intake.take([known])
    assert not intake._connections
    clock[0] = 3601.0
    intake.take([known, *(Connection(f"{each:x}", "192.0.2.1") for each in range(2 * CONNECTIONS))])
    assert len(intake._connections) == CONNECTIONS


@in_files
def test_what_fails_is_told_once_and_ends_nothing(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    place = hub.directory / OBSERVATIONS_FILE
    place.mkdir()

    async def rounds() -> None:
        intake = Intake(hub)
        running = asyncio.create_task(intake.run())
        async with asyncio.timeout(20):
            for _ in range(2):
                intake.take([NO_CERTIFICATE])
                while intake._failures or not caplog.records:  # noqa: ASYNC110 - the loop under test gives no event
                    await asyncio.sleep(0.01)
            place.rmdir()
            while not list_observations(hub):
                intake.take([NO_CERTIFICATE])
                await asyncio.sleep(0.1)
        running.cancel()

    with caplog.at_level(logging.ERROR):
        asyncio.run(rounds())
    assert ["why calls fail cannot be stored" in each.message for each in caplog.records] == [True]
