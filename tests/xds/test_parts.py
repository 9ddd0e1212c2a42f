from bothways.xds.parts import InParts, Part

Numbers = InParts[int, Part[int]]


def test_all_are_a_sequence_equal_to_any_of_the_same_things() -> None:
    parts: Numbers = InParts([Part((1, 2)), Part(), Part((3,))])
    assert parts == (1, 2, 3)
    assert parts == [1, 2, 3]
    assert (len(parts), parts[2], parts[1:], 2 in parts) == (3, 3, (2, 3), True)
    assert parts != (1, 2)
    assert parts != 3
    assert hash(parts) == hash(InParts([Part((1, 2, 3))]))
    assert repr(parts) == "InParts(3)"


def test_a_part_is_equal_to_itself_alone() -> None:
    assert Part((1,)) != Part((1,))
    same = Part((1,))
    assert len({same, Part((1,)), same}) == 2


def test_of_the_same_parts_nothing_is_looked_at() -> None:
    class Never:
        def __eq__(self, other: object) -> bool:
            raise AssertionError

        __hash__ = None  # type: ignore[assignment]

    part = Part((Never(),))
    assert InParts([part]) == InParts([part])
