"""`getaddrinfo` of this process, for clients that know no other way to look up a name; each time anew, as in glibc."""

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch


@contextmanager
def looked_up(ask: Callable[[str], Sequence[str]]) -> Iterator[None]:
    """Let every name that is no address be looked up by `ask`, which returns IPv4 addresses or raises `OSError`."""
    real = socket.getaddrinfo

    def found(host: Any, port: Any, *arguments: Any, **options: Any) -> list[Any]:
        text = host.decode() if isinstance(host, bytes) else str(host)
        if text.replace(".", "").isdigit() or ":" in text:
            return list(real(host, port, *arguments, **options))
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (each, int(port))) for each in ask(text)]

    with patch("socket.getaddrinfo", found):
        yield
