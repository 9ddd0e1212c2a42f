"""Envoy is found, restarted when it dies, and ended with its task."""

import asyncio
import os
import signal
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bothways.cli.opening import control
from bothways.dataplane.envoy import EnvoyProcess, find_envoy
from bothways.errors import Unusable
from bothways.operations.hub import Hub, contract
from bothways.xds.bootstrap import bootstrap

SECONDS = 30.0


def eventually(condition: Callable[[], bool]) -> None:
    """Look until the condition holds, at most `SECONDS`."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


async def eventually_in_loop(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not condition():  # noqa: ASYNC110 - what is waited for is another process
            await asyncio.sleep(0.02)


def shakes_hands(hub: Hub) -> bool:
    """Tell whether the endpoint presents its certificate, verified by the contract's server CA."""
    context = ssl.create_default_context(cadata=contract(hub).trust.server_ca)
    host = hub.terms.endpoint.removeprefix("https://").split(":")[0]
    try:
        with (
            socket.create_connection((hub.settings.inbound_address, hub.settings.inbound_port), 5) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return True
    except ConnectionError:
        return False


def envoy_of(hub: Hub) -> dict[str, int]:
    status = control(hub, "GET", "/status")
    assert status is not None
    envoy: dict[str, int] = status["envoy"]
    return envoy


def test_the_binary_of_the_wheel_is_found() -> None:
    found = find_envoy()
    assert (found.name, os.access(found, os.X_OK)) == ("envoy", True)


def test_another_binary_can_be_configured(tmp_path: Path) -> None:
    other = tmp_path / "envoy"
    other.touch(0o755)
    assert find_envoy(str(other)) == other


@pytest.mark.parametrize("make", [lambda _: None, Path.mkdir, lambda path: path.touch(0o644)])
def test_what_cannot_be_run_is_unusable_and_named(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "envoy")
    with pytest.raises(Unusable, match=rf"{tmp_path}/envoy.*files\.envoy"):
        find_envoy(str(tmp_path / "envoy"))


@pytest.mark.envoy
def test_a_killed_envoy_is_started_again_and_the_endpoint_answers(running_hub: Hub) -> None:
    assert shakes_hands(running_hub)
    before = envoy_of(running_hub)
    os.kill(before["pid"], signal.SIGKILL)
    eventually(lambda: envoy_of(running_hub)["pid"] not in {None, before["pid"]})
    eventually(lambda: shakes_hands(running_hub))
    assert envoy_of(running_hub)["restarts"] == before["restarts"] + 1
    applied = control(running_hub, "POST", "/apply")
    assert applied is not None
    assert applied["in_force"] is True


@pytest.mark.envoy
def test_envoy_ends_with_its_task(tmp_path: Path) -> None:
    config = tmp_path / "envoy.json"
    config.write_text(bootstrap("node", str(tmp_path / "ads.sock"), str(tmp_path / "admin.sock")))
    envoy = EnvoyProcess(find_envoy(), config, tmp_path / "envoy.log")

    async def run() -> int:
        task = asyncio.create_task(envoy.run())
        await eventually_in_loop((tmp_path / "admin.sock").exists)
        pid = envoy.pid
        assert pid is not None
        os.kill(pid, 0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return pid

    pid = asyncio.run(run())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert (envoy.pid, envoy.restarts) == (None, 0)


def test_what_ends_at_once_is_started_again_and_again(tmp_path: Path) -> None:
    # Stands for an Envoy that cannot start: it leaves a line, and ends.
    failing = tmp_path / "envoy"
    failing.write_text(f"#!/bin/sh\necho started >> {tmp_path}/starts\nexit 1\n")
    failing.chmod(0o755)
    envoy = EnvoyProcess(failing, tmp_path / "envoy.json", tmp_path / "envoy.log")

    async def run() -> None:
        task = asyncio.create_task(envoy.run())
        await eventually_in_loop(lambda: envoy.restarts >= 2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    assert len((tmp_path / "starts").read_text().splitlines()) >= 2
