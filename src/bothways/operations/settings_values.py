"""The kinds of value that only a hub's settings have: addresses to listen at, a database, a collector of traces."""

import re
from typing import Any
from urllib.parse import urlsplit

from bothways.contract.reader import Reader
from bothways.registry.node import can_be_bound
from bothways.store.address import require_address
from bothways.xds.state import Address


def ip_address(reader: Reader, key: str, value: str) -> str:
    """Return the address of an interface of this machine."""
    text = reader.text(key, value)
    if not can_be_bound(text):
        wanted = "wanted the IP address of an interface of this machine, like 127.0.0.1, 0.0.0.0 or ::1"
        reader.find("CONTRACT-ADDRESS", key, f"found {text!r}, {wanted}", "Name the address, and no host name.")
    return text


def listener(reader: Reader, key: str, value: Any) -> Address:
    """Return an address with a port."""
    host, _, number = str(value).rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not can_be_bound(host) or not re.fullmatch(r"[0-9]{1,5}", number) or not 0 < int(number) < 1 << 16:
        wanted = "wanted an IP address with a port, like 192.0.2.1:443 or [2001:db8::1]:443"
        reader.find("CONTRACT-ADDRESS", key, f"found {value!r}, {wanted}", "Name the address, and no host name.")
        return Address("", 0)
    return Address(host, int(number))


def database_url(reader: Reader, key: str, value: str) -> str:
    """Return the URL of a PostgreSQL database, or an empty text."""
    text = reader.text(key, value)
    try:
        if text:
            require_address(text)
    except ValueError as error:
        wanted = "wanted one like postgresql://bothways@db.example/bothways?sslmode=verify-full"
        hint = "Say where the password is instead, in the URL with passfile=/path/of/the/file, or in PGPASSFILE."
        reader.find("CONTRACT-DATABASE", key, f"found {error}, {wanted}", hint)
    return text


def collector(reader: Reader, key: str, value: str) -> str:
    """Return the address of a collector of traces, `http://HOST:PORT` or `https://HOST:PORT`, or an empty text."""
    text = reader.text(key, value)
    try:
        found = urlsplit(text)
        right = found.scheme in {"http", "https"} and found.hostname and found.port and not found.path.strip("/")
    except ValueError:
        right = False
    if text and not right:
        wrong = f"found {text!r}, wanted an address like http://127.0.0.1:4317"
        reader.find("CONTRACT-URL", key, wrong, "Give host and port at which the collector takes OTLP over gRPC.")
    return text
