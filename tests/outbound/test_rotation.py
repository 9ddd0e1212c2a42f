"""Each customer is asked with real handshakes; who takes the next certificate gets it, and who does not is held."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.outbound.conftest import Serve

from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub
from bothways.operations.rotation import held_customers, make_next, own_certificates, waiting_next
from bothways.outbound import rotation
from bothways.outbound.handshake import accepts
from bothways.outbound.rotation import ask_held_customers, finish_rotation, keep_rotating, rotate_when_asked


def shown(hub: Hub) -> dict[str, str]:
    state = hub_state(hub)
    return {each.tsp_id: state.client_of(each).fingerprint for each in state.customers}


def test_who_takes_it_gets_it_and_who_pins_keeps_the_one_before(
    hub: Hub, issuer: str, merchant: str, serve: Serve
) -> None:
    pinning, free = serve(issuer), serve(merchant)
    before = shown(hub)
    pinning.pinned = before[issuer]
    counted: list[int] = []

    def progress(total: int) -> Callable[[], None]:
        return lambda: counted.append(total)

    done = rotate_when_asked(hub, progress)
    assert (done.switched, set(done.held), counted) == (True, {issuer}, [2, 2])
    assert done.document() == {
        "serial": own_certificates(hub)["client"]["serial"],
        "asked": 2,
        "held": [{"customer": issuer, "reason": done.held[issuer]}],
    }
    after = shown(hub)
    assert after[issuer] == before[issuer]
    assert after[merchant] != before[merchant]
    # Asked with the next one, before it was in use.
    assert after[merchant] in free.seen
    assert after[merchant] in pinning.seen


def test_a_server_that_is_away_is_held_until_it_can_be_asked(hub: Hub, issuer: str, serve: Serve) -> None:
    server = serve(issuer)
    before = shown(hub)
    way_out = replace(hub, settings=replace(hub.settings, danger_outbound_loopback=False))
    assert "no public address" in rotate_when_asked(way_out).held[issuer]
    assert shown(hub) == before
    server.pinned = before[issuer]
    assert ask_held_customers(hub) == ()
    assert held_customers(hub) == {issuer}
    server.pinned = None
    assert ask_held_customers(hub) == (issuer,)
    assert held_customers(hub) == set()
    assert shown(hub) != before
    assert ask_held_customers(hub) == ()


def test_what_the_clock_or_a_command_that_was_killed_began_is_finished(hub: Hub, issuer: str, serve: Serve) -> None:
    serve(issuer)
    assert finish_rotation(hub) is None
    before, following = shown(hub), make_next(hub)
    done = finish_rotation(hub)
    assert done is not None
    assert (done.serial, done.held) == (f"{following.certificate.serial_number:x}", {})
    assert shown(hub) != before
    assert waiting_next(hub) is None


def test_a_mistake_with_one_customer_stops_no_other(
    hub: Hub, issuer: str, merchant: str, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(issuer)
    serve(merchant)

    def fussy(server: object, *rest: object) -> object:
        if getattr(server, "tsp_id", "") == issuer:
            raise ZeroDivisionError
        return accepts(server, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(rotation, "accepts", fussy)
    assert rotate_when_asked(hub).held == {issuer: "it cannot be asked: ZeroDivisionError"}


async def _until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


def test_the_running_hub_finishes_rotations_and_asks_again_and_no_failure_ends_it(
    hub: Hub, issuer: str, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "LOOK", 0.01)
    monkeypatch.setattr(rotation, "HELD_AGAIN", 0.0)
    server = serve(issuer)
    server.pinned = shown(hub)[issuer]
    make_next(hub)
    failures = [ZeroDivisionError()]

    def sometimes(hub: Hub) -> object:
        if failures:
            raise failures.pop()
        return finish_rotation(hub)

    monkeypatch.setattr(rotation, "finish_rotation", sometimes)

    async def run() -> None:
        task = asyncio.create_task(keep_rotating(hub))
        await _until(lambda: held_customers(hub) == {issuer})
        server.pinned = None
        await _until(lambda: not held_customers(hub))
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


def test_whoever_has_not_the_turn_asks_nobody_until_it_has(
    hub: Hub, issuer: str, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "LOOK", 0.01)
    serve(issuer)
    before = shown(hub)[issuer]
    make_next(hub)
    held, looks = [False], [0]

    def is_held() -> bool:
        looks[0] += 1
        return held[0]

    async def run() -> None:
        task = asyncio.create_task(keep_rotating(hub, is_held))
        await _until(lambda: looks[0] > 3)
        assert shown(hub)[issuer] == before
        held[0] = True
        await _until(lambda: shown(hub)[issuer] != before)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
