"""The customer's side: request, certificate, calls to the hub, and the receiver of the hub's calls. Installs light.

`Client` and `AsyncClient` call the hub; they are imported when they are asked for, for not every command calls.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bothways.spoke.client import AsyncClient, Client

__all__ = ["AsyncClient", "Client"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from bothways.spoke import client  # noqa: PLC0415 - as the first lines say

    return getattr(client, name)
