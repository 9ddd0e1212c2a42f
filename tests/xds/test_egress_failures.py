from collections import Counter

import pytest

from bothways.xds.egress_failures import FAILURES, NO_ADDRESS, NOT_LOADED, Failure, Fault, Sent


def test_no_finding_stands_twice_and_each_fault_is_somebodys() -> None:
    assert max(Counter(each.id for each in FAILURES).values()) == 1
    assert {each.fault for each in FAILURES} == set(Fault)
    assert {NOT_LOADED, NO_ADDRESS} < {each.id for each in FAILURES}


@pytest.mark.parametrize("failure", FAILURES, ids=[each.id for each in FAILURES])
def test_a_failure_says_what_was_seen_and_what_to_do_and_never_promises_too_much(failure: Failure) -> None:
    assert failure.hint.endswith(".")
    assert not failure.detail.endswith(".")
    # Whoever connected, and sent the request, cannot know that nothing came of it.
    if failure.sent is Sent.NO:
        assert "find out what came of it" not in failure.hint
    else:
        assert "find out what came of it" in failure.hint
