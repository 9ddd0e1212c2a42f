"""What Envoy answers customers itself: problems of RFC 9457 with the request's id; to gRPC, a status and a sentence."""

from typing import Any

from envoy.config.accesslog.v3 import accesslog_pb2
from envoy.config.core.v3 import base_pb2, substitution_format_string_pb2
from envoy.config.route.v3 import route_components_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2
from envoy.type.matcher.v3 import string_pb2

from bothways.xds.access_log import expression
from bothways.xds.state import HubState
from bothways.xds.typed import json_format

_FORBIDDEN, _MISDIRECTED = 403, 421
_REQUEST_ID = "x-request-id"
NEW_ID = "%RESP(X-REQUEST-ID)%"
"""The id of an answer to which `with_new_id` gave it, as its body tells it."""
_PROBLEM = {
    "type": "urn:bothways:problem:data-plane",
    "status": "%RESPONSE_CODE%",
    "detail": "%LOCAL_REPLY_BODY%",
    "request_id": "%REQ(X-REQUEST-ID)%",
}
_OTHER_HOST = "No host of this name is served here. Call the endpoint of the contract."
_DENIED = (
    "The certificate does not open this path: it was revoked, or the service is not granted, "
    "or a flow that it needs is not established. GET /connectivity says what is missing."
)
_NO_UPGRADE = "No upgrade, such as to WebSocket, is served at this path."
# What a caller has to know before it tries again. Flags add up over tries: one of the first kind decides.
_BEGUN = ("UC", "UR", "LR", "UT", "UPE", "SI", "DT", "UMSDR")
_UNANSWERED = (
    "The service got this request and did not answer it as it should. "
    "Whether it did what was asked is not known: find that out before you send it again."
)
_NOT_BEGUN = ("UF", "UH", "UO", "NC", "OM", "DF")
_UNREACHABLE = "The service cannot be reached now. It has not seen this request: send it again later."


def replies_to_customers(state: HubState) -> Any:
    """Return the form of answers to customers: nothing of the hub's inside. The first mapper that fits is used.

    Another host is 421 (RFC 9110 section 15.5.20). Whoever asks for one is denied before a virtual host is missed, so
    the host itself is what is looked at. Whoever is denied is told how to find out why; and where a service failed,
    whether the request can be sent again.
    """
    other_host, denied, grpc, early = _other_host(state), _status(_FORBIDDEN), _grpc(), before_the_id()
    upgrade = expression("response.code_details == 'upgrade_failed'")
    sentences = [(other_host, _OTHER_HOST), (upgrade, _NO_UPGRADE), (denied, _DENIED)]
    sentences += [(_flags(_BEGUN), _UNANSWERED), (_flags(_NOT_BEGUN), _UNREACHABLE)]
    mappers = [
        with_new_id(_mapper(_all(grpc, early), "", _ALONE)),
        with_new_id(_mapper(early, "", _problem(_PROBLEM | {"request_id": NEW_ID}))),
        *(_mapper(_all(grpc, when), sentence, _ALONE) for when, sentence in sentences),
        _mapper(grpc, "", _ALONE),
        *(_mapper(when, sentence, _form(sentence)) for when, sentence in sentences),
    ]
    [misdirected] = [each for each in mappers if each.filter == other_host]
    misdirected.status_code.value = _MISDIRECTED
    return http_connection_manager_pb2.LocalReplyConfig(mappers=mappers, body_format=_problem(_PROBLEM))


# It goes into `grpc-message`, which people read as it stands.
_ALONE = substitution_format_string_pb2.SubstitutionFormatString(
    text_format_source=base_pb2.DataSource(inline_string="%LOCAL_REPLY_BODY%")
)


def before_the_id() -> Any:
    """Return the filter of what Envoy answers before it gives the request an id: what is no HTTP, and odd paths.

    Where a path was refused at once and the caller had sent an id, Envoy puts that one into the answer.
    """
    return _header(route_components_pb2.HeaderMatcher(name=_REQUEST_ID, present_match=True, invert_match=True))


def with_new_id(mapper: Any) -> Any:
    """Return the mapper with an id that is made for the answer alone."""
    mapper.headers_to_add.add(
        header=base_pb2.HeaderValue(key=_REQUEST_ID, value="%UNIQUE_ID%"),
        append_action=base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
    )
    return mapper


def _form(sentence: str) -> Any:
    """Return the form of a problem by which programs too can tell whether a request can be sent again."""
    kinds = {_UNANSWERED: "service-unanswered", _UNREACHABLE: "service-unreachable"}
    return _problem(_PROBLEM | {"type": f"urn:bothways:problem:{kinds[sentence]}"}) if sentence in kinds else None


def _problem(body: dict[str, str]) -> Any:
    return json_format(body, "application/problem+json")


def _mapper(when: Any, sentence: str, form: Any) -> Any:
    mapper = http_connection_manager_pb2.ResponseMapper(filter=when)
    if sentence:
        mapper.body.inline_string = sentence
    if form:
        mapper.body_format_override.CopyFrom(form)
    return mapper


def _flags(flags: tuple[str, ...]) -> Any:
    return accesslog_pb2.AccessLogFilter(response_flag_filter=accesslog_pb2.ResponseFlagFilter(flags=flags))


def _other_host(state: HubState) -> Any:
    others = [
        _header(
            route_components_pb2.HeaderMatcher(
                name=":authority",
                string_match=string_pb2.StringMatcher(exact=authority, ignore_case=True),
                invert_match=True,
            )
        )
        for authority in state.authorities
    ]
    return _all(*others)


def _grpc() -> Any:
    return _header(
        route_components_pb2.HeaderMatcher(
            name="content-type", string_match=string_pb2.StringMatcher(prefix="application/grpc")
        )
    )


def _status(code: int) -> Any:
    comparison = accesslog_pb2.ComparisonFilter(
        op=accesslog_pb2.ComparisonFilter.EQ, value=base_pb2.RuntimeUInt32(default_value=code, runtime_key="none")
    )
    return accesslog_pb2.AccessLogFilter(status_code_filter=accesslog_pb2.StatusCodeFilter(comparison=comparison))


def _header(matcher: Any) -> Any:
    return accesslog_pb2.AccessLogFilter(header_filter=accesslog_pb2.HeaderFilter(header=matcher))


def _all(*filters: Any) -> Any:
    return accesslog_pb2.AccessLogFilter(and_filter=accesslog_pb2.AndFilter(filters=filters))
