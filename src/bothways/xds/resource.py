"""One resource of xDS, packed, with a version that is the hash of its content, or of all that this is made of."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from bothways.xds.typed import any_of


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """One resource, packed and versioned. Some pack themselves when they are asked to (`Deferred`, `servers.py`)."""

    name: str
    version: str
    packed: Any

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Resource):
            return NotImplemented
        # One that packs itself is not asked to where the versions say enough.
        return (self.name, self.version) == (other.name, other.version) and self.packed == other.packed

    def __hash__(self) -> int:
        return hash((self.name, self.version))


class Deferred(Resource):
    """A resource that is packed when it is first asked for: what is large, and sent after what is small.

    Its version is that of what it is made of. There is no other one with a field replaced.
    """

    __slots__ = ("_found", "_lock", "_make")
    _make: Callable[[], Any]
    _found: Any
    _lock: threading.Lock

    def __init__(self, name: str, version: str, make: Callable[[], Any]) -> None:
        made_with(self, name=name, version=version, _make=make, _found=None, _lock=threading.Lock())

    @property
    def packed(self) -> Any:
        """The resource, made once, whoever asks: one thread sends it, and another one saves it."""
        with self._lock:
            if self._found is None:
                made_with(self, _found=self._make())
            return self._found


def made_with(resource: Resource, **values: object) -> None:
    """Set the fields of a resource that is being made."""
    for name, value in values.items():
        object.__setattr__(resource, name, value)


def resource_of(message: Any) -> Resource:
    """Return a message as the resource of its name, under the hash of its content."""
    return packed_resource(message.name, any_of(message))


def packed_resource(name: str, packed: Any) -> Resource:
    """Return what is packed already as the resource of this name, under the hash of its content."""
    return Resource(name, sha256(packed.value).hexdigest()[:16], packed)
