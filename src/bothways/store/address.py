"""The address of a database, as text: judged here, where nothing is connected and no library is needed for it."""

import re
from urllib.parse import parse_qs

SCHEME = "postgresql"
_ADDRESS = re.compile(
    r"(?P<scheme>[\w+]+)://"
    r"(?:[^:/@?#\[\]]*(?::(?P<password>[^/@?#]*))?@)?"
    r"(?:\[[0-9A-Fa-f:.]+\]|[^:/@?#\[\]]*)(?::[0-9]{1,5})?"
    r"(?:/[^?#]*)?(?:\?(?P<query>[^#]*))?",
    re.ASCII,
)
"""Scheme, user and password, host (a name, or an IPv6 address in brackets) and port, name, parameters (RFC 3986)."""


def require_address(text: str) -> None:
    """Look at the address of a database, `postgresql://USER@HOST/NAME?sslmode=verify-full&...`.

    Raises `ValueError` if it is none, or holds a password: settings are read by more people than may know it.
    """
    found = _ADDRESS.fullmatch(text)
    if not found:
        raise ValueError("no URL")
    if found["scheme"] != SCHEME:
        raise ValueError(f"a URL of {found['scheme']}")
    if found["password"] is not None or "password" in parse_qs(found["query"] or "", keep_blank_values=True):
        raise ValueError("a URL with a password inside")
