"""The certificates that may pass a route, in parts that are encoded once: one change costs no more than its part."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from envoy.config.rbac.v3 import rbac_pb2
from xds.type.matcher.v3 import matcher_pb2

from bothways.xds import parts
from bothways.xds.parts import InParts
from bothways.xds.state import Identity
from bothways.xds.typed import matching_extension

_Found = TypeVar("_Found")

_COMPARED = 64
"""Other parts to which it is remembered how one compares: those of each service, and their successors."""


@dataclass(frozen=True, eq=False)
class Part(parts.Part[Identity]):
    """Some certificates, in their order."""

    _compared: dict[tuple[object, "Part"], Any] = field(default_factory=dict)

    def without(self, other: "Part") -> "Part":
        """Return those that are not in another part, as the same part each time."""
        return self._remembered(Part.without, other, lambda: Part(tuple(_less(self, other))))

    def lost_in(self, later: "Part") -> frozenset[Identity] | None:
        """Return those that are not in a later part any more, None if anything was added."""
        return self._remembered(
            Part.lost_in, later, lambda: None if _less(later, self) else frozenset(_less(self, later))
        )

    def _remembered(self, asked: object, other: "Part", find: Callable[[], _Found]) -> _Found:
        """Return what was found before, for as long as this part is there: a map stands while others are compared."""
        if (asked, other) not in self._compared:
            if len(self._compared) >= _COMPARED:
                self._compared.clear()
            self._compared[asked, other] = find()
        found: _Found = self._compared[asked, other]
        return found

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
            for each in self.items
        }
        return bytes(matcher_pb2.Matcher.MatcherTree.MatchMap(map=entries).SerializeToString(deterministic=True))


class Identities(InParts[Identity, Part]):
    """All certificates that may pass somewhere, by parts."""

    def without(self, others: "Identities") -> "Identities":
        """Return those that are not among others, which are divided into as many parts by the same measure."""
        return Identities(one.without(other) for one, other in zip(self.parts, others.parts, strict=True))

    def lost_in(self, later: "Identities") -> frozenset[Identity] | None:
        """Return those that are not there later any more, None if anything was added."""
        pairs = zip(self.parts, later.parts, strict=False)
        if len(self.parts) != len(later.parts):
            pairs = zip((Part(tuple(self)),), (Part(tuple(later)),), strict=True)
        lost: set[Identity] = set()
        for before, after in pairs:
            gone = before.lost_in(after) if before is not after else frozenset()
            if gone is None:
                return None
            lost |= gone
        return frozenset(lost)


def _less(part: Part, other: Part) -> list[Identity]:
    gone = frozenset(other.items)
    return [each for each in part.items if each not in gone]


def in_parts(identities: Sequence[Identity]) -> Identities:
    """Return these certificates as `Identities`: as they are if they are that already, or as one part."""
    return identities if isinstance(identities, Identities) else Identities((Part(tuple(identities)),))
