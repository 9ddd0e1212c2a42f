from collections.abc import Callable
from typing import Any

from bothways.xds.access_log import expression
from bothways.xds.reply import replies_to_customers
from bothways.xds.state import HubState

PROBLEM = {
    "type": "urn:bothways:problem:data-plane",
    "status": "%RESPONSE_CODE%",
    "detail": "%LOCAL_REPLY_BODY%",
    "request_id": "%REQ(X-REQUEST-ID)%",
}
GRPC = {"header_filter": {"header": {"name": "content-type", "string_match": {"prefix": "application/grpc"}}}}
DENIED = {
    "status_code_filter": {"comparison": {"value": {"default_value": 403, "runtime_key": "none"}}},
}
ALONE = {"text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%"}}


def problem(kind: str) -> dict[str, Any]:
    return {
        "content_type": "application/problem+json",
        "json_format": PROBLEM | {"type": f"urn:bothways:problem:{kind}"},
    }


def other_host(authority: str) -> dict[str, Any]:
    matcher = {
        "name": ":authority",
        "string_match": {"exact": authority, "ignore_case": True},
        "invert_match": True,
    }
    return {"header_filter": {"header": matcher}}


def test_customers_get_problems_421_for_another_host_and_grpc_a_sentence_alone(
    shown: Callable[[Any], Any], state: HubState
) -> None:
    message = shown(replies_to_customers(state))
    others = {"and_filter": {"filters": [other_host(state.host), other_host(f"{state.host}:{state.port}")]}}
    assert {key: message[key] for key in message if key != "mappers"} == {"body_format": problem("data-plane")}
    early, mappers = message["mappers"][:2], message["mappers"][2:]
    new_id = {
        "filter": {"header_filter": {"header": {"name": "x-request-id", "present_match": True, "invert_match": True}}},
        "headers_to_add": [
            {
                "header": {"key": "x-request-id", "value": "%UNIQUE_ID%"},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        ],
    }
    body = {"json_format": PROBLEM | {"request_id": "%RESP(X-REQUEST-ID)%"}}
    assert early == [
        new_id | {"filter": {"and_filter": {"filters": [GRPC, new_id["filter"]]}}, "body_format_override": ALONE},
        new_id | {"body_format_override": body | {"content_type": "application/problem+json"}},
    ]
    sentences = [each["body"]["inline_string"] for each in mappers[6:]]
    begun = {"response_flag_filter": {"flags": ["UC", "UR", "LR", "UT", "UPE", "SI", "DT", "UMSDR"]}}
    not_begun = {"response_flag_filter": {"flags": ["UF", "UH", "UO", "NC", "OM", "DF"]}}
    upgrade = shown(expression("response.code_details == 'upgrade_failed'"))
    filters = [others, upgrade, DENIED, begun, not_begun]
    assert [(each["filter"], each["body"]["inline_string"]) for each in mappers[:5]] == [
        ({"and_filter": {"filters": [GRPC, when]}}, sentence) for when, sentence in zip(filters, sentences, strict=True)
    ]
    assert [each["body_format_override"] for each in mappers[:6]] == [ALONE] * 6
    assert mappers[5] == {"filter": GRPC, "body_format_override": ALONE}
    said = [{"body": {"inline_string": sentence}} for sentence in sentences]
    assert mappers[6:] == [
        {"filter": others, "status_code": 421} | said[0],
        {"filter": upgrade} | said[1],
        {"filter": DENIED} | said[2],
        {"filter": begun, "body_format_override": problem("service-unanswered")} | said[3],
        {"filter": not_begun, "body_format_override": problem("service-unreachable")} | said[4],
    ]
    assert ["contract" in sentences[0], "WebSocket" in sentences[1], "GET /connectivity" in sentences[2]] == [True] * 3
    assert ["not known" in sentences[3], "has not seen" in sentences[4]] == [True, True]
