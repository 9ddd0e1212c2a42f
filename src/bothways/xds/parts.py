"""A sequence in parts: where one thing changes, its part alone is another one, and what is remembered of others holds.

A hub has 100,000 customers, and each change of one is a new message with all.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Generic, TypeVar, overload

Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class Part(Generic[Item]):
    """Some of all, in their order. A part is equal to itself alone: what is remembered of it costs no look."""

    items: tuple[Item, ...] = ()


AnyPart = TypeVar("AnyPart", bound=Part[Any])


class InParts(Sequence[Item], Generic[Item, AnyPart]):
    """All, by parts. Equal to any sequence of the same things."""

    def __init__(self, parts: Iterable[AnyPart]) -> None:
        self.parts = tuple(parts)
        self._length = sum(len(each.items) for each in self.parts)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Item]:
        return chain.from_iterable(each.items for each in self.parts)

    @overload
    def __getitem__(self, place: int) -> Item: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Item]: ...
    def __getitem__(self, place: int | slice) -> Item | Sequence[Item]:
        return tuple(self)[place]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        if isinstance(other, InParts) and self.parts == other.parts:
            return True
        return len(self) == len(other) and all(one == two for one, two in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)})"


def place(tsp_id: str, count: int) -> int:
    """Return in which of so many parts a customer is: the same one always and everywhere."""
    return zlib.crc32(tsp_id.encode()) % count
