from typing import Any

from bothways.xds.manager import Manager
from bothways.xds.state import Address, Tracing
from bothways.xds.tracing import trace, untrusted_trace_headers

TRACING = Tracing(Address("otel.hub.example", 4317), "bothways-ppr", 5)


def test_without_a_collector_nothing_is_told_and_what_customers_say_passes() -> None:
    manager = Manager()
    trace(manager, None)
    assert manager == Manager()
    assert untrusted_trace_headers(None) == ()


def test_the_share_is_that_of_requests_that_belong_to_no_trace_and_no_caller_can_order_one(shown: Any) -> None:
    manager = Manager()
    trace(manager, TRACING)
    document = shown(manager)["tracing"]
    assert (document["random_sampling"], document["client_sampling"]) == ({"value": 5.0}, {})
    assert document["custom_tags"] == [{"tag": "bothways.customer", "request_header": {"name": "bothways-customer"}}]
    config = document["provider"]["typed_config"]
    assert config["service_name"] == "bothways-ppr"
    assert config["grpc_service"]["envoy_grpc"] == {"cluster_name": "collector"}


def test_customers_are_believed_only_where_the_operator_says_so() -> None:
    joined = Tracing(TRACING.collector, "bothways-ppr", 5, join_customers=True)
    assert untrusted_trace_headers(TRACING) == ("traceparent", "tracestate", "baggage")
    assert untrusted_trace_headers(joined) == ()
