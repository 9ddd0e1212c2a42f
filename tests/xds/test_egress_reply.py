from collections.abc import Callable
from typing import Any

from bothways.xds.egress_failures import FAILURES
from bothways.xds.egress_reply import replies_to_services


def test_each_failure_is_answered_with_its_finding_the_first_that_fits(shown: Callable[[Any], Any]) -> None:
    early, *mappers = shown(replies_to_services())["mappers"]
    assert [each["headers_to_add"][0]["header"]["value"] for each in mappers] == [each.id for each in FAILURES]
    assert early["headers_to_add"][0]["header"]["value"] == FAILURES[-1].id == "EGRESS-REQUEST-01"
    for mapper, failure in zip(mappers, FAILURES, strict=True):
        body = mapper["body_format_override"]["json_format"]
        assert (body["finding"], body["fault"], body["sent"]) == (failure.id, failure.fault, failure.sent)
        assert body["request_id"] == "%REQ(X-REQUEST-ID)%"
        assert mapper.get("status_code", 0) == failure.status
