"""Where what an operation made is shown (RFC 9110 section 10.2.2): the header `Location` of 201, in one place."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

_SHOWN_AT: Mapping[str, str] = {
    "/customers": "/customers/{customer}",
    "/requests": "/requests/{id}",
    "/chains": "/chains/{id}",
    "/endpoints": "/endpoints/{id}",
    "/people": "/people/{id}",
    "/tokens": "/tokens/{id}",
}
LOCATED = frozenset(_SHOWN_AT)
"""The paths, under the prefix of the API, at which things are made that have an address of their own."""
_ENDPOINT = "/customers/{customer}/endpoint"


def location(path: str, made: Mapping[str, Any]) -> str | None:
    """Return the path of what was made at a path, both under the prefix of the API; None if it has none."""
    if path not in LOCATED:
        return None
    # Where only the path of an endpoint is new, it is set, and not submitted.
    shown = _ENDPOINT if path == "/endpoints" and "id" not in made else _SHOWN_AT[path]
    return shown.format_map({name: quote(str(value), safe="") for name, value in made.items()})
