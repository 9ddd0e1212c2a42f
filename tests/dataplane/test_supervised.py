"""The hub starts what keeps its Envoy running, or finds it, and ends it or leaves it as the setting says."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.dataplane.conftest import is_alive
from tests.dataplane.test_supervisor import site_of

from bothways.dataplane.admin import Admin
from bothways.dataplane.envoy_state import NOTHING
from bothways.dataplane.publisher import current_snapshot
from bothways.dataplane.supervised import SUPERVISOR_LOG, SupervisedEnvoy, supervisor_command
from bothways.dataplane.supervisor import ADMIN_SOCKET, BOOTSTRAP
from bothways.operations.hub import Hub
from bothways.operations.settings import EnvoyLifetime

pytestmark = pytest.mark.envoy


def held(hub: Hub, lifetime: EnvoyLifetime, command: list[str] | None = None) -> SupervisedEnvoy:
    return SupervisedEnvoy(site_of(hub), lifetime, command or supervisor_command(hub.directory))


async def becomes(envoy: SupervisedEnvoy, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while not condition(state := envoy.state()):  # noqa: ASYNC110 - what is waited for is another process
            await asyncio.sleep(0.02)
    return state


def during(envoy: SupervisedEnvoy, test: Callable[[], Awaitable[None]], *, gone: bool = False) -> None:
    """Run a test while the hub holds Envoy, and end Envoy whatever comes of it; `gone` if the hub is killed soon."""

    async def run() -> None:
        task = asyncio.create_task(envoy.run())
        try:
            if gone:
                await becomes(envoy, lambda state: state["pid"] is not None)
                task.cancel()
            await test()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await envoy.end()

    asyncio.run(run())


@pytest.mark.parametrize("lifetime", [EnvoyLifetime.HUB, EnvoyLifetime.DETACHED])
def test_it_is_started_and_ended(hub: Hub, lifetime: EnvoyLifetime) -> None:
    envoy = held(hub, lifetime)
    assert not envoy.adopted

    async def test() -> None:
        state = await becomes(envoy, lambda state: state["pid"] is not None)
        await envoy.end()
        assert (is_alive(state["pid"]), is_alive(state["supervisor"])) == (False, False)
        assert envoy.state() == NOTHING

    during(envoy, test)


def test_one_that_was_left_is_found_and_goes_on(hub: Hub) -> None:
    first = held(hub, EnvoyLifetime.DETACHED)

    async def test() -> None:
        before = await becomes(first, lambda state: state["pid"] is not None)
        first.proved()
        await first.leave()
        second = held(hub, EnvoyLifetime.DETACHED)
        assert second.adopted
        task = asyncio.create_task(second.run())
        await asyncio.sleep(0)
        # A hub that adopted Envoy and fails before it is ready leaves it too.
        await second.leave()
        assert second.state() == before
        await second.end()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert not is_alive(before["pid"])

    during(first, test, gone=True)


def test_a_start_that_was_never_proved_leaves_nothing(hub: Hub) -> None:
    envoy = held(hub, EnvoyLifetime.DETACHED)

    async def test() -> None:
        state = await becomes(envoy, lambda state: state["pid"] is not None)
        await envoy.leave()
        assert not is_alive(state["pid"])

    during(envoy, test)


def test_a_service_of_its_own_is_neither_started_nor_ended(hub: Hub) -> None:
    other, service = held(hub, EnvoyLifetime.DETACHED), held(hub, EnvoyLifetime.SERVICE)

    async def test() -> None:
        watching = asyncio.create_task(service.run())
        state = await becomes(other, lambda state: state["pid"] is not None)
        await service.end()
        service.hurry()
        await service.leave()
        assert service.state() == state
        watching.cancel()
        await other.end()

    during(other, test)


def test_one_that_is_killed_is_started_again(hub: Hub) -> None:
    envoy = held(hub, EnvoyLifetime.DETACHED)

    async def test() -> None:
        before = await becomes(envoy, lambda state: state["pid"] is not None)
        os.kill(before["supervisor"], signal.SIGKILL)
        after = await becomes(envoy, lambda state: state["pid"] not in {None, before["pid"]})
        assert after["supervisor"] != before["supervisor"]
        await envoy.end()

    during(envoy, test)


def test_what_it_says_before_it_ends_at_once_is_told(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    envoy = held(hub, EnvoyLifetime.DETACHED, ["/bin/sh", "-c", "echo no luck >&2; exit 3"])

    async def test() -> None:
        async with asyncio.timeout(30):
            while "ended with 3 (no luck); it is started again" not in caplog.text:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.02)
        await envoy.end()

    during(envoy, test)
    assert "no luck" in (hub.run_directory / SUPERVISOR_LOG).read_text()


def test_another_bootstrap_than_the_one_that_runs_is_put_to_use(hub: Hub) -> None:
    first = held(hub, EnvoyLifetime.DETACHED)

    async def test() -> None:
        site_of(hub).saved.save(current_snapshot(hub), hub.now())
        before = await becomes(first, lambda state: state["source"] == "snapshot" and state["pid"] is not None)
        async with asyncio.timeout(30):
            while await Admin(hub.run_directory / ADMIN_SOCKET).live_epoch() is None:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.05)
        (hub.run_directory / BOOTSTRAP).write_bytes(b"{}")
        second = held(hub, EnvoyLifetime.DETACHED)
        task = asyncio.create_task(second.run())
        after = await becomes(second, lambda state: state["hot_restarts"] == 1)
        assert after["pid"] != before["pid"]
        assert (hub.run_directory / BOOTSTRAP).read_bytes() == site_of(hub).bootstrap()
        task.cancel()
        await first.end()

    during(first, test)
