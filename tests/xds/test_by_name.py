from collections.abc import Mapping

import pytest

from bothways.xds import names
from bothways.xds.by_name import ByName, differing
from bothways.xds.parts import place
from bothways.xds.resource import Resource

CUSTOMERS = [str(10000000 + each) for each in range(50)]


def resources(count: int, *, first: int = 0) -> list[dict[str, Resource]]:
    """Return the resources of all customers, divided into so many parts by their places."""
    parts: list[dict[str, Resource]] = [{} for _ in range(count)]
    for tsp_id in CUSTOMERS[first:]:
        for name in (names.client_certificate(tsp_id), names.customer_cluster(tsp_id, "ab")):
            parts[place(tsp_id, count)][name] = Resource(name, "1", None)
    return parts


@pytest.mark.parametrize("count", [1, 7, 1024])
def test_all_are_there_by_name_and_no_other(count: int) -> None:
    parts = resources(count)
    whole = {name: each for part in parts for name, each in part.items()}
    found = ByName(parts)
    assert dict(found) == whole
    assert len(found) == 2 * len(CUSTOMERS)
    assert all(found[name] is each for name, each in whole.items())
    absent = (names.client_certificate("7"), names.customer_cluster(CUSTOMERS[0], "cd"), names.INBOUND, "*", "")
    assert not any(each in found for each in absent)
    with pytest.raises(KeyError, match="inbound"):
        found[names.INBOUND]


def test_what_is_not_there_costs_one_look() -> None:
    """Nodes go on asking for names that are gone, at every change."""
    looks: list[str] = []

    class Counted(dict[str, Resource]):
        def __getitem__(self, name: str) -> Resource:
            looks.append(name)
            return super().__getitem__(name)

        def __contains__(self, name: object) -> bool:
            looks.append(str(name))
            return super().__contains__(name)

    found = ByName(Counted(each) for each in resources(64))
    absent = names.customer_cluster(CUSTOMERS[0], "cd")
    assert found.get(absent) is None
    assert looks == [absent]
    assert absent not in ByName([])


@pytest.mark.parametrize("whole", [False, True])
def test_what_differs_is_found_by_the_parts_that_do(whole: bool) -> None:  # noqa: FBT001 - one law, two kinds
    before = resources(5)
    tsp_id = CUSTOMERS[0]
    number, name = place(tsp_id, 5), names.customer_cluster(tsp_id, "cd")
    after = [*before]
    after[number] = {**before[number], name: (new := Resource(name, "1", None))}
    old = after[number].pop(names.customer_cluster(tsp_id, "ab"))
    secret = names.client_certificate(tsp_id)
    after[number][secret] = Resource(secret, "2", None)
    one, two = (_joined(each) if whole else ByName(each) for each in (before, after))
    gone, came = differing(one, two)
    assert gone == {old.name: old, secret: before[number][secret]}
    assert came == {name: new, secret: after[number][secret]}
    assert differing(one, one) == ({}, {})


def test_what_is_divided_otherwise_is_gone_through_and_an_equal_object_that_is_another_one_differs() -> None:
    one, two = ByName(resources(5)), ByName(resources(6, first=1))
    gone, came = differing(one, two)
    assert (len(gone), len(came)) == (2 * len(CUSTOMERS), 2 * len(CUSTOMERS) - 2)
    parts = resources(5)
    assert differing(ByName([_joined(parts)]), ByName(parts)) == ({}, {})


def _joined(parts: list[dict[str, Resource]]) -> Mapping[str, Resource]:
    return {name: each for part in parts for name, each in part.items()}
