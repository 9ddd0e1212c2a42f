"""What Envoy answers the hub's own services when a call to a customer fails: why, whose matter it is, what to do.

A problem (RFC 9457) with a finding, chosen by what Envoy saw; the first that fits counts. What the customer's server
answers itself, 5xx included, passes as it is: it never has the header that stands here alone.
"""

from functools import cache
from typing import Any

from envoy.config.core.v3 import base_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2

from bothways.xds import names
from bothways.xds.access_log import expression
from bothways.xds.egress_failures import FAILURES, Failure
from bothways.xds.reply import NEW_ID, before_the_id, with_new_id
from bothways.xds.typed import json_format

_PROBLEM = "urn:bothways:problem:egress"


@cache
def replies_to_services() -> Any:
    """Return the form of answers to the hub's own services and probes, one for each failure."""
    *_, refused = FAILURES
    early = with_new_id(_mapper(refused, before_the_id(), NEW_ID))
    return http_connection_manager_pb2.LocalReplyConfig(
        mappers=[early, *(_mapper(each, expression(each.when), "%REQ(X-REQUEST-ID)%") for each in FAILURES)]
    )


def _mapper(failure: Failure, when: Any, request_id: str) -> Any:
    mapper = http_connection_manager_pb2.ResponseMapper(
        filter=when,
        headers_to_add=[
            base_pb2.HeaderValueOption(
                header=base_pb2.HeaderValue(key=names.FINDING_HEADER, value=failure.id),
                append_action=base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
            )
        ],
        body_format_override=json_format(
            {
                "type": f"{_PROBLEM}:{failure.fault}",
                "title": "The call to the customer failed",
                "status": "%RESPONSE_CODE%",
                "detail": failure.detail,
                "hint": failure.hint,
                "finding": failure.id,
                "fault": failure.fault.value,
                "sent": failure.sent.value,
                "reason": "%RESPONSE_CODE_DETAILS%",
                "flags": "%RESPONSE_FLAGS%",
                "upstream": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
                "request_id": request_id,
            },
            "application/problem+json",
        ),
    )
    if failure.status:
        mapper.status_code.value = failure.status
    return mapper
