"""Resources of thousands of customers by name, in parts: where one is another one, the others are not touched."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from bothways.xds import names
from bothways.xds.parts import place
from bothways.xds.resource import Resource


class ByName(Mapping[str, Resource]):
    """Resources that serve one customer each, by name; each part has those of the customers whose place it is.

    Nodes ask for names that are gone as often as for others, so that no other part is looked through.
    """

    def __init__(self, parts: Iterable[Mapping[str, Resource]]) -> None:
        self.parts = tuple(parts)
        self._length = sum(len(each) for each in self.parts)

    def __getitem__(self, name: str) -> Resource:
        if not self.parts or not names.of_one_customer(name):
            raise KeyError(name)
        _, tsp_id, *_ = name.split("/")
        return self.parts[place(tsp_id, len(self.parts))][name]

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self.parts)

    def __len__(self) -> int:
        return self._length


def differing(
    before: Mapping[str, Resource], after: Mapping[str, Resource]
) -> tuple[dict[str, Resource], dict[str, Resource]]:
    """Return what is only before, and what is only after: the same object is on neither side."""
    pairs = [(before, after)]
    if isinstance(before, ByName) and isinstance(after, ByName) and len(before.parts) == len(after.parts):
        pairs = [(one, two) for one, two in zip(before.parts, after.parts, strict=True) if one is not two]
    return _only(pairs), _only((two, one) for one, two in pairs)


def _only(pairs: Iterable[tuple[Mapping[str, Resource], Mapping[str, Resource]]]) -> dict[str, Resource]:
    return {name: each for one, two in pairs for name, each in one.items() if two.get(name) is not each}
