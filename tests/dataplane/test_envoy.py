"""Envoy is found, restarted when it dies, and ended with its task."""

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from tests.dataplane.conftest import is_alive
from tests.eventually import SECONDS, eventually, eventually_in_loop

from bothways.cli.opening import control
from bothways.dataplane.admin import Admin
from bothways.dataplane.envoy import EnvoyProcess, HotRestart, find_envoy
from bothways.errors import Unusable
from bothways.operations.hub import Hub, contract
from bothways.xds.bootstrap import bootstrap


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


def process_of(script: str, directory: Path, hot: HotRestart | None = None) -> EnvoyProcess:
    """Return a process that runs a script in place of Envoy, with what leaves a trace in the list of processes."""
    script_file = directory / "envoy"
    script_file.write_text(f"#!/bin/sh\n{script}\n")
    script_file.chmod(0o755)
    return EnvoyProcess(script_file, directory / "envoy.json", directory / "envoy.log", hot)


def children_naming(text: str) -> list[int]:
    """Return the child processes of this one that have a text in their command line, ended ones included."""
    found = []
    for each in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if each.name.isdecimal() and f"PPid:\t{os.getpid()}\n" in (each / "status").read_text():
                line = (each / "cmdline").read_text()
                # One that has ended, and that nobody has waited for, has lost its command line.
                found += [int(each.name)] if text in line or not line else []
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux")
@pytest.mark.parametrize("steps", range(12))
def test_cancelled_while_it_starts_it_leaves_no_process(tmp_path: Path, steps: int) -> None:
    envoy = process_of("exec sleep 600", tmp_path)

    async def run() -> None:
        task = asyncio.create_task(envoy.run())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    assert children_naming(str(tmp_path)) == []
    assert envoy.pid is None


def test_its_last_words_are_its_own_and_not_of_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "envoy.log").write_text("said by the one before\n")
    envoy = process_of("echo first; echo cannot be loaded >&2; exit 1", tmp_path)
    assert envoy.last_words() == "it said nothing"

    async def run() -> None:
        task = asyncio.create_task(envoy.run())
        await eventually_in_loop(lambda: envoy.restarts >= 1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    assert envoy.last_words() == "cannot be loaded"


def test_its_last_words_are_found_behind_a_long_log(tmp_path: Path) -> None:
    envoy = EnvoyProcess(tmp_path / "envoy", tmp_path / "envoy.json", tmp_path / "envoy.log")
    (tmp_path / "envoy.log").write_text("line\n" * 100_000 + "the last\n\n")
    assert envoy.last_words() == "the last"


def test_what_ends_at_once_is_started_again_and_again(tmp_path: Path) -> None:
    # Stands for an Envoy that cannot start: it leaves a line, and ends.
    envoy = process_of(f"echo started >> {tmp_path}/starts; exit 1", tmp_path)

    async def run() -> None:
        task = asyncio.create_task(envoy.run())
        await eventually_in_loop(lambda: envoy.restarts >= 2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    assert len((tmp_path / "starts").read_text().splitlines()) >= 2


def test_a_successor_that_does_not_start_takes_nothing_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    # Stands for an Envoy that is replaced by one that cannot start: the first one waits, the second one ends.
    script = 'case "$*" in *"--restart-epoch 0"*) exec sleep 600;; esac; echo another version; exit 1'
    hot = HotRestart(7, tmp_path / "hot", Admin(tmp_path / "admin.sock"), 330)
    envoy = process_of(script, tmp_path, hot)

    async def run() -> None:
        task = asyncio.create_task(envoy.run())
        await eventually_in_loop(lambda: envoy.pid is not None)
        before = envoy.pid
        envoy.hot_restart()
        await eventually_in_loop(lambda: "hot restart failed" in caplog.text)
        assert (envoy.pid, envoy.hot_restarts, envoy.restarts) == (before, 0, 0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    assert "the old Envoy goes on: another version" in caplog.text
    assert children_naming(str(tmp_path)) == []


@pytest.mark.envoy
def test_the_one_that_was_taken_over_from_ends_and_then_another_may_follow(running_hub: Hub, tmp_path: Path) -> None:
    config = tmp_path / "envoy.json"
    # The node of a hub that runs: its listeners are bound already, so only what is not bound counts here.
    config.write_text(bootstrap("node", str(running_hub.run_directory / "ads.sock"), str(tmp_path / "admin.sock")))
    admin = Admin(tmp_path / "admin.sock")
    hot = HotRestart(os.getpid(), tmp_path / "hot", admin, 1)
    envoy = EnvoyProcess(find_envoy(), config, tmp_path / "envoy.log", hot)

    async def live(epoch: int) -> None:
        async with asyncio.timeout(SECONDS):
            while await admin.live_epoch() != epoch:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.02)

    async def run() -> None:
        task = asyncio.create_task(envoy.run())
        await live(0)
        for number in (1, 2):
            before = envoy.pid
            assert before is not None
            envoy.hot_restart()
            await eventually_in_loop(partial(lambda wanted: envoy.hot_restarts == wanted, number))
            await eventually_in_loop(partial(lambda pid: not is_alive(pid), before))
        assert envoy.restarts == 0
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    Path(f"/dev/shm/envoy_shared_memory_{10 * os.getpid()}").unlink(missing_ok=True)  # noqa: S108 - Envoy's name for it
