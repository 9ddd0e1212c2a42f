"""A flood of failing calls costs no healthy customer its service, and the hub no space."""

import contextlib
import itertools
import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.wire.conftest import World

from bothways.cli.opening import control
from bothways.operations.observations import list_observations
from bothways.spoke.directory import Spoke
from bothways.store.observations import UNMATCHED

pytestmark = pytest.mark.envoy

_DEADLINE = 60.0
_FAILING, _HEALTHY, _ADDRESSES = 3000, 100, 200


def flood(world: World, numbers: Iterator[int], stop: threading.Event) -> None:
    """Fail in one way after the other, each time with another server name or from another address."""
    address = (world.hub.settings.inbound_address, world.hub.settings.inbound_port)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for number in numbers:
        if stop.is_set():
            return
        place = (f"127.0.2.{number % _ADDRESSES + 1}", 0)
        name = world.host.split(":")[0] if number % 3 == 0 else f"{number}.localhost"
        with contextlib.suppress(OSError), socket.create_connection(address, 10, source_address=place) as plain:
            if number % 3 == 1:
                plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
                plain.recv(1)
            else:
                with context.wrap_socket(plain, server_hostname=name) as secured:
                    secured.recv(1)


@pytest.mark.soak
def test_thousands_of_failing_calls_harm_nobody_and_are_kept_within_bounds(world: World, caller: Spoke) -> None:
    stop = threading.Event()
    threads = [
        threading.Thread(target=flood, args=(world, iter(range(first, _FAILING, 3)), stop), daemon=True)
        for first in range(3)
    ]
    for each in threads:
        each.start()
    try:
        with world.open(caller) as kept:
            for _ in range(_HEALTHY):
                assert kept.ask("/tokens")[0] == 200
                with world.open(caller) as line:
                    assert line.ask("/tokens")[0] == 200
                    assert line.ask("/connectivity")[0] == 200
        for each in threads:
            each.join(60)
            assert not each.is_alive()
    finally:
        stop.set()
    status = control(world.hub, "GET", "/status")
    assert status is not None
    assert status["observations"]["taken"] > 0
    assert status["observations"]["dropped"] > 0
    assert 0 < len(list_observations(world.hub, unmatched=True)) <= UNMATCHED


def test_while_the_control_plane_hangs_the_endpoint_serves_and_envoy_drops_what_it_cannot_tell(
    world: World, caller: Spoke
) -> None:
    hub = hub_process(world)
    os.kill(hub, signal.SIGSTOP)
    try:
        with world.open(caller) as kept:
            end = time.monotonic() + _DEADLINE
            number = iter(range(1_000_000))
            while not dropped(world):
                assert time.monotonic() < end
                flood(world, itertools.islice(number, 100), threading.Event())
                assert kept.ask("/tokens")[0] == 200
    finally:
        os.kill(hub, signal.SIGCONT)
    with world.open(caller) as line:
        assert line.ask("/connectivity")[0] == 200


def dropped(world: World) -> int:
    """Return how many records Envoy says that it dropped."""
    transport = httpx2.HTTPTransport(uds=str(world.hub.run_directory / "admin.sock"))
    with httpx2.Client(transport=transport) as client:
        text = client.get("http://envoy/stats?filter=failed-handshake.*logs_dropped").text
    return sum(int(line.rpartition(": ")[2]) for line in text.splitlines())


def hub_process(world: World) -> int:
    """Return the process of the hub: the one above that which keeps its Envoy."""
    pid = int((control(world.hub, "GET", "/status") or {})["envoy"]["pid"])
    while b"\0hub\0envoy\0" not in Path(f"/proc/{pid}/cmdline").read_bytes():
        pid = _above(pid)
    return _above(pid)


def _above(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
