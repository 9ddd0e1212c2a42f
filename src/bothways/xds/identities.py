"""The certificates that may pass a route, in parts that are encoded once: one change costs no more than its part.

A hub has 100,000 of them, and each change of one is a new message with all: what did not change is not encoded again.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from typing import overload

from envoy.config.rbac.v3 import rbac_pb2
from xds.type.matcher.v3 import matcher_pb2

from bothways.xds.state import Identity
from bothways.xds.typed import matching_extension


@dataclass(frozen=True, eq=False)
class Part:
    """Some certificates, in their order. A part is equal to itself alone: what is remembered of it costs no look."""

    identities: tuple[Identity, ...] = ()

    @cached_property
    def allowing(self) -> bytes:
        """Their entries in an exact-match map: each allows its own request, named with its customer.

        A serialized `MatchMap`. Maps are repeated fields, so the maps of several parts one behind the other are one
        map with all entries (Protocol Buffers, "Encoding": maps; last one wins, and here no key stands twice).
        """
        return self._entries(rbac_pb2.RBAC.ALLOW)

    @cached_property
    def denying(self) -> bytes:
        """The same, but each denies."""
        return self._entries(rbac_pb2.RBAC.DENY)

    def _entries(self, action: int) -> bytes:
        entries = {
            each.uri_id: matcher_pb2.Matcher.OnMatch(
                action=matching_extension("decided", rbac_pb2.Action(name=each.tsp_id, action=action))
            )
            for each in self.identities
        }
        return bytes(matcher_pb2.Matcher.MatcherTree.MatchMap(map=entries).SerializeToString(deterministic=True))


class Identities(Sequence[Identity]):
    """All certificates that may pass somewhere, by parts. Equal to any sequence of the same certificates."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self.parts = tuple(parts)
        self._length = sum(len(each.identities) for each in self.parts)

    def without(self, others: "Identities") -> "Identities":
        """Return those that are not among others, which are divided into as many parts by the same measure."""
        return Identities(_difference(one, other) for one, other in zip(self.parts, others.parts, strict=True))

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Identity]:
        return chain.from_iterable(each.identities for each in self.parts)

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


def in_parts(identities: Sequence[Identity]) -> Identities:
    """Return these certificates as `Identities`: as they are if they are that already, or as one part."""
    return identities if isinstance(identities, Identities) else Identities((Part(tuple(identities)),))


@lru_cache(maxsize=1 << 14)
def _difference(one: Part, other: Part) -> Part:
    gone = frozenset(other.identities)
    return Part(tuple(each for each in one.identities if each not in gone))
