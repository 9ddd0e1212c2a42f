from bothways.operations.standing import unknown


def test_a_node_that_nobody_has_seen_stands_nowhere() -> None:
    found = unknown("eu-1")
    assert (found["node"], found["connected"], found["settled"]) == ("eu-1", False, False)
    assert {found[each] for each in ("since", "answered_at", "behind_since", "canary")} == {None}
