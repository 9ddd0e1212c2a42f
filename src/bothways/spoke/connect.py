"""Connecting to the first of several addresses that answers, as `race` decides: with sockets, and asynchronously."""

import errno
import os
import selectors
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeVar

import anyio

from bothways.spoke.race import Race

_Made = TypeVar("_Made")
_PORTS = 1 << 16


def connect(
    addresses: Sequence[str], port: int, timeout: float | None, source: str | None = None
) -> tuple[socket.socket, str]:
    """Return a blocking socket to the first address that answers, and that address.

    Raises `TimeoutError` after so many seconds, or the last `OSError` if all refuse.
    """
    if not 0 < port < _PORTS:
        raise OSError(errno.EINVAL, f"{port} is no port")
    end = None if timeout is None else time.monotonic() + timeout
    race = Race(addresses)
    failure: OSError = _nowhere()
    with selectors.DefaultSelector() as selector:
        try:
            while not race.lost():
                while address := race.start(time.monotonic()):
                    try:
                        selector.register(_started(address, port, source), selectors.EVENT_WRITE, address)
                    except OSError as error:
                        failure = error
                        race.failed()
                if race.lost():
                    break
                now = time.monotonic()
                pauses = [each for each in (race.pause(now), None if end is None else end - now) if each is not None]
                for key, _ in selector.select(max(0.0, min(pauses)) if pauses else None):
                    connecting = key.fileobj
                    assert isinstance(connecting, socket.socket)  # noqa: S101 - as registered
                    selector.unregister(connecting)
                    code = connecting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if not code:
                        connecting.setblocking(True)
                        return connecting, key.data
                    connecting.close()
                    failure = OSError(code, os.strerror(code))
                    race.failed()
                if end is not None and time.monotonic() >= end and not race.lost():
                    raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
            raise failure
        finally:
            for key in list(selector.get_map().values()):
                with suppress(OSError):
                    socket.socket.close(key.fileobj)  # type: ignore[arg-type]


async def connect_async(
    addresses: Sequence[str],
    attempt: Callable[[str], Awaitable[_Made]],
    drop: Callable[[_Made], Awaitable[None]],
    failures: tuple[type[Exception], ...] = (OSError,),
) -> tuple[_Made, str]:
    """Return what `attempt` makes of the first address that answers, and that address. The caller sets the time-out.

    `attempt` raises one of the `failures` if an address refuses; the last one is raised if all do. What lost the race
    is given to `drop`.
    """
    race, won = Race(addresses), list[tuple[_Made, str]]()
    failure: Exception = _nowhere()
    changed = anyio.Event()

    async def run(address: str) -> None:
        nonlocal failure
        try:
            made = await attempt(address)
        except failures as error:
            failure = error
            race.failed()
        else:
            won.append((made, address))
        changed.set()

    try:
        async with anyio.create_task_group() as group:
            while not won and not race.lost():
                while address := race.start(anyio.current_time()):
                    group.start_soon(run, address)
                changed = anyio.Event()
                with anyio.move_on_after(race.pause(anyio.current_time())):
                    await changed.wait()
            group.cancel_scope.cancel()
    except BaseException:
        await _dropped([made for made, _ in won], drop)
        raise
    await _dropped([made for made, _ in won[1:]], drop)
    if not won:
        raise failure
    return won[0]


async def _dropped(losers: Sequence[_Made], drop: Callable[[_Made], Awaitable[None]]) -> None:
    with anyio.CancelScope(shield=True):
        for each in losers:
            await drop(each)


def _nowhere() -> OSError:
    return OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))


def _started(address: str, port: int, source: str | None) -> socket.socket:
    connecting = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        connecting.setblocking(False)
        connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source is not None:
            connecting.bind((source, 0))
        # A socket that does not block raises this, and goes on connecting.
        with suppress(BlockingIOError):
            connecting.connect((address, port))
    except BaseException:
        connecting.close()
        raise
    return connecting
