"""The certificates that may pass a route, in parts that are encoded once: one change costs no more than its part.

A hub has 100,000 of them, and each change of one is a new message with all: what did not change is not encoded again.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, overload

from envoy.config.rbac.v3 import rbac_pb2
from xds.type.matcher.v3 import matcher_pb2

from bothways.xds.state import Identity
from bothways.xds.typed import matching_extension


@dataclass(frozen=True)
class Part:
    """Some certificates, in their order."""

    identities: tuple[Identity, ...] = ()

    @cached_property
    def entries(self) -> bytes:
        """Their entries in an exact-match map: each allows its own request, named with its customer.

        A serialized `MatchMap`. Maps are repeated fields, so the maps of several parts one behind the other are one
        map with all entries (Protocol Buffers, "Encoding": maps; last one wins, and here no key stands twice).
        """
        entries = {each.uri_id: _allow(each.tsp_id) for each in self.identities}
        return bytes(matcher_pb2.Matcher.MatcherTree.MatchMap(map=entries).SerializeToString(deterministic=True))


class Identities(Sequence[Identity]):
    """All certificates that may pass somewhere, by parts. Equal to any sequence of the same certificates."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self._parts = tuple(each for each in parts if each.identities)
        self._length = sum(len(each.identities) for each in self._parts)

    @cached_property
    def entries(self) -> bytes:
        """The map of all of them, as `Part.entries`."""
        return b"".join(each.entries for each in self._parts)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Identity]:
        return chain.from_iterable(each.identities for each in self._parts)

    @overload
    def __getitem__(self, place: int) -> Identity: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Identity]: ...
    def __getitem__(self, place: int | slice) -> Identity | Sequence[Identity]:
        return tuple(self)[place]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(one == two for one, two in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Identities({len(self)})"


def entries_of(identities: Iterable[Identity]) -> bytes:
    """Return the map of these certificates, as `Part.entries`; empty if there are none."""
    return identities.entries if isinstance(identities, Identities) else Part(tuple(identities)).entries


def _allow(tsp_id: str) -> Any:
    action = rbac_pb2.Action(name=tsp_id, action=rbac_pb2.RBAC.ALLOW)
    return matcher_pb2.Matcher.OnMatch(action=matching_extension("allow", action))
