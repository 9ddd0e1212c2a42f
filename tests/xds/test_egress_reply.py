from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from bothways.xds.egress_reply import FAILURES, Failure, Fault, Sent, replies_to_services


def test_each_failure_is_answered_with_its_finding_the_first_that_fits(shown: Callable[[Any], Any]) -> None:
    early, *mappers = shown(replies_to_services())["mappers"]
    assert [each["headers_to_add"][0]["header"]["value"] for each in mappers] == [each.id for each in FAILURES]
    assert early["headers_to_add"][0]["header"]["value"] == FAILURES[-1].id == "EGRESS-REQUEST-01"
    for mapper, failure in zip(mappers, FAILURES, strict=True):
        body = mapper["body_format_override"]["json_format"]
        assert (body["finding"], body["fault"], body["sent"]) == (failure.id, failure.fault, failure.sent)
        assert body["request_id"] == "%REQ(X-REQUEST-ID)%"
        assert mapper.get("status_code", 0) == failure.status


def test_no_finding_stands_twice_and_each_fault_is_somebodys() -> None:
    assert max(Counter(each.id for each in FAILURES).values()) == 1
    assert {each.fault for each in FAILURES} == set(Fault)


@pytest.mark.parametrize("failure", FAILURES, ids=[each.id for each in FAILURES])
def test_a_failure_says_what_was_seen_and_what_to_do_and_never_promises_too_much(failure: Failure) -> None:
    assert failure.hint.endswith(".")
    assert not failure.detail.endswith(".")
    # Whoever connected, and sent the request, cannot know that nothing came of it.
    if failure.sent is Sent.NO:
        assert "find out what came of it" not in failure.hint
    else:
        assert "find out what came of it" in failure.hint
