from collections.abc import Callable
from typing import Any

from bothways.xds.access_log import connection_logs, request_logs

LOGGERS = "envoy.extensions.access_loggers"
CALLER = ["log", "source", "fingerprint"]


def expression(text: str) -> dict[str, Any]:
    return {
        "extension_filter": {
            "name": "envoy.access_loggers.extension_filters.cel",
            "typed_config": {
                "@type": f"type.googleapis.com/{LOGGERS}.filters.cel.v3.ExpressionFilter",
                "expression": text,
            },
        }
    }


def fields(log: dict[str, Any]) -> dict[str, str]:
    values = log["typed_config"]["attributes"]["values"]
    return {each["key"]: each["value"]["string_value"] for each in values}


def test_a_record_goes_to_the_control_plane_in_bounded_buffers_with_what_we_named_and_nothing_else(
    shown: Callable[[Any], Any],
) -> None:
    log = shown(connection_logs()[1])
    values = log["typed_config"].pop("attributes")["values"]
    assert log == {
        "name": "envoy.access_loggers.open_telemetry",
        "filter": expression("connection.mtls && !has(connection.transport_failure_reason)"),
        "typed_config": {
            "@type": f"type.googleapis.com/{LOGGERS}.open_telemetry.v3.OpenTelemetryAccessLogConfig",
            "common_config": {
                "log_name": "connection",
                "transport_api_version": "V3",
                "grpc_service": {"envoy_grpc": {"cluster_name": "access-log"}, "timeout": "5s"},
                "buffer_flush_interval": "0.500s",
                "buffer_size_bytes": 65536,
            },
            "disable_builtin_labels": True,
            "stat_prefix": "connection",
        },
    }
    assert [each["key"] for each in values] == [*CALLER, "received"]


def test_a_failed_handshake_is_logged_and_so_is_a_name_that_nobody_serves(shown: Callable[[Any], Any]) -> None:
    failed = shown(connection_logs()[0])
    assert failed["filter"] == {
        "or_filter": {
            "filters": [
                expression("has(connection.transport_failure_reason)"),
                {"response_flag_filter": {"flags": ["NR"]}},
            ]
        }
    }
    named = fields(failed)
    assert list(named) == [*CALLER, "reason", "flags", "server_name", "ja4", "certificate", "port"]
    assert (named["log"], named["certificate"]) == ("failed-handshake", "%DOWNSTREAM_PEER_CERT%")


def test_a_refused_request_is_logged_without_query_and_headers_and_what_services_answer_is_not(
    shown: Callable[[Any], Any],
) -> None:
    [refused] = [shown(each) for each in request_logs()]
    status, said = refused["filter"]["and_filter"]["filters"]
    assert status["status_code_filter"]["comparison"]["op"] == "GE"
    assert status["status_code_filter"]["comparison"]["value"]["default_value"] == 400
    assert said == expression("response.code_details != 'via_upstream'")
    named = fields(refused)
    assert list(named) == [*CALLER, "uri_id", "status", "details", "flags", "method", "path", "host"]
    assert named["path"] == "%PATH(NQ:PATH):256%"
    assert [each for each in named.values() if "REQ(" in each] == ["%REQ(:METHOD):16%", "%REQ(:AUTHORITY):256%"]
