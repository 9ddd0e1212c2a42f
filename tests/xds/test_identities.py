from collections.abc import Iterable

from envoy.config.rbac.v3 import rbac_pb2
from xds.type.matcher.v3 import matcher_pb2

from bothways.xds.identities import Identities, Part, in_parts
from bothways.xds.state import Identity

MANY = [Identity(f"urn:bothways:PPR:{number}:{number:x}", str(number)) for number in range(300)]


def decoded(maps: Iterable[bytes]) -> dict[str, tuple[str, int]]:
    found = {}
    for uri_id, on_match in matcher_pb2.Matcher.MatcherTree.MatchMap.FromString(b"".join(maps)).map.items():
        action = rbac_pb2.Action()
        assert on_match.action.typed_config.Unpack(action)
        found[uri_id] = (action.name, action.action)
    return found


def test_parts_one_behind_the_other_are_one_map() -> None:
    parts = Identities([Part(tuple(MANY[:100])), Part(), Part(tuple(MANY[100:]))]).parts
    assert decoded(each.allowing for each in parts) == {
        each.uri_id: (each.tsp_id, rbac_pb2.RBAC.ALLOW) for each in MANY
    }
    assert decoded(each.denying for each in parts) == {each.uri_id: (each.tsp_id, rbac_pb2.RBAC.DENY) for each in MANY}


def test_nobody_is_no_entry() -> None:
    assert Part().allowing == Part().denying == b""


def test_a_part_that_did_not_change_is_not_encoded_again() -> None:
    kept = Part(tuple(MANY))
    assert kept.allowing is kept.allowing
    assert in_parts(Identities([kept])).parts[0] is kept
    assert [each.items for each in in_parts(MANY).parts] == [tuple(MANY)]


def test_those_without_others_are_the_rest_part_by_part_and_looked_for_once() -> None:
    every = Identities([Part(tuple(MANY[:2])), Part((MANY[2],))])
    some = Identities([Part((MANY[1],)), Part()])
    assert every.without(some) == (MANY[0], MANY[2])
    assert every.without(some).parts[0] is every.without(some).parts[0]


def test_what_was_lost_is_found_part_by_part_and_nothing_where_something_was_added() -> None:
    same = Part((MANY[3],))
    before = Identities([Part(tuple(MANY[:3])), same])
    assert before.lost_in(before) == frozenset()
    assert before.lost_in(Identities([Part((MANY[1],)), same])) == frozenset((MANY[0], MANY[2]))
    assert before.lost_in(Identities([Part((MANY[1], MANY[4])), same])) is None
    # Divided by another measure, they are compared as they are.
    assert before.lost_in(in_parts(tuple(MANY[1:4]))) == frozenset(MANY[:1])


def test_identities_are_a_sequence_equal_to_any_of_the_same_certificates() -> None:
    parts = Identities([Part(tuple(MANY[:2])), Part((MANY[2],))])
    assert parts == tuple(MANY[:3])
    assert tuple(MANY[:3]) == parts
    assert (len(parts), parts[2], parts[1:], MANY[1] in parts) == (3, MANY[2], tuple(MANY[1:3]), True)
    assert parts != tuple(MANY[:2])
    assert parts != 3
    assert hash(parts) == hash(Identities([Part(tuple(MANY[:3]))]))
