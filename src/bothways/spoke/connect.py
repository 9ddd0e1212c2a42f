"""Connecting to the first of several addresses that answers (happy eyeballs, RFC 8305)."""

import errno
import os
import selectors
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain, zip_longest

DELAY_SECONDS = 0.25
"""After which the next address is tried beside the one that does not answer (RFC 8305 section 8)."""

_PORTS = 1 << 16


def connect(
    addresses: Sequence[str], port: int, timeout: float | None, source: str | None = None
) -> tuple[socket.socket, str]:
    """Return a blocking socket to the first address that answers, and that address.

    Families take turns, in the order of the addresses. Raises `TimeoutError` after so many seconds, or the last
    `OSError` if all refuse.
    """
    if not 0 < port < _PORTS:
        raise OSError(errno.EINVAL, f"{port} is no port")
    end = None if timeout is None else time.monotonic() + timeout
    waiting = list(_interlaced(addresses))
    failure: OSError = OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or selector.get_map():
                if waiting:
                    address = waiting.pop(0)
                    try:
                        selector.register(_started(address, port, source), selectors.EVENT_WRITE, address)
                    except OSError as error:
                        failure = error
                        continue
                pauses = [DELAY_SECONDS] if waiting else []
                pauses += [] if end is None else [max(0.0, end - time.monotonic())]
                for key, _ in selector.select(min(pauses, default=None)):
                    connecting = key.fileobj
                    assert isinstance(connecting, socket.socket)  # noqa: S101 - as registered
                    selector.unregister(connecting)
                    code = connecting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if not code:
                        connecting.setblocking(True)
                        return connecting, key.data
                    connecting.close()
                    failure = OSError(code, os.strerror(code))
                if end is not None and time.monotonic() >= end and selector.get_map():
                    raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
            raise failure
        finally:
            for key in list(selector.get_map().values()):
                with suppress(OSError):
                    socket.socket.close(key.fileobj)  # type: ignore[arg-type]


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


def _interlaced(addresses: Sequence[str]) -> list[str]:
    first = [each for each in addresses if (":" in each) == (":" in addresses[0])]
    other = [each for each in addresses if each not in first]
    return [each for each in chain(*zip_longest(first, other)) if each is not None]
