from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bothways.connectivity.assess import assess
from bothways.connectivity.facts import CertificateFact, Facts
from bothways.connectivity.observation import CertificateOnRecord, RefusedRequest
from bothways.connectivity.refusal import Known, refusal_finding
from bothways.findings import Level
from bothways.registry.flow import Flow
from bothways.registry.service import Service

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LATER, EARLIER = NOW + timedelta(days=90), NOW - timedelta(days=1)
TOKENS = Service("tokens", "/tokens", "http://127.0.0.1:1")
BOTH = Service("both", "/both", "http://127.0.0.1:1", frozenset(Flow))
SEEN = Facts(certificates=(CertificateFact(7, EARLIER, LATER, seen_at=EARLIER),))
NEW = Facts(certificates=(CertificateFact(7, EARLIER, LATER),))
DENIED = RefusedRequest(
    NOW, "192.0.2.1", "ab", "", 403, "rbac_access_denied_matched_policy[none]", method="GET", path="/tokens/x"
)
KNOWN = Known(
    "api.hub.example",
    CertificateOnRecord(LATER),
    False,
    assess(SEEN, NOW),
    (TOKENS, BOTH),
    frozenset({"tokens", "both"}),
)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"shut": True}, "INBOUND-ACCESS-06"),
        ({"certificate": None}, "INBOUND-CERTIFICATE-08"),
        ({"assessment": None}, "INBOUND-CERTIFICATE-08"),
        ({"certificate": CertificateOnRecord(LATER, EARLIER, "keyCompromise")}, "INBOUND-CERTIFICATE-05"),
        ({"certificate": CertificateOnRecord(NOW)}, "INBOUND-CERTIFICATE-03"),
        ({"suspended": True}, "INBOUND-ACCESS-01"),
        ({"granted": frozenset({"both"})}, "INBOUND-ACCESS-02"),
        ({"assessment": assess(NEW, NOW)}, "INBOUND-ACCESS-03"),
        ({}, "INBOUND-ACCESS-04"),
    ],
)
def test_each_cause_of_a_denial_is_told_from_the_others(change: dict[str, Any], wanted: str) -> None:
    assert refusal_finding(DENIED, replace(KNOWN, **change)).id == wanted


def test_each_flow_that_is_missing_is_said_with_what_it_lacks() -> None:
    found = refusal_finding(replace(DENIED, path="/both"), replace(KNOWN, assessment=assess(NEW, NOW)))
    assert found.message == (
        "the service both is granted, and a flow that it needs is not established "
        "(inbound: connected: call GET /connectivity with the certificate; "
        "outbound: endpoint: name the server with its base URL)"
    )
    assert "outbound" in refusal_finding(replace(DENIED, path="/both"), KNOWN).message
    assert "inbound:" not in refusal_finding(replace(DENIED, path="/both"), KNOWN).message


@pytest.mark.parametrize("path", ["/tokens", "/tokens/", "/tokens/a/b"])
def test_a_service_stands_at_its_prefix_and_below(path: str) -> None:
    known = replace(KNOWN, granted=frozenset())
    assert refusal_finding(replace(DENIED, path=path), known).id == "INBOUND-ACCESS-02"
    assert refusal_finding(replace(DENIED, path="/tokensx"), known).id == "INBOUND-ACCESS-04"


def test_what_nothing_stands_in_the_way_of_any_more_is_no_error() -> None:
    assert refusal_finding(DENIED, KNOWN).level is Level.INFO


@pytest.mark.parametrize(
    ("status", "details", "wanted"),
    [
        (421, "rbac_access_denied_matched_policy[none]", "INBOUND-NAME-03"),
        (404, "direct_response", "INBOUND-ACCESS-05"),
        (400, "http1.unexpected_underscore", "INBOUND-REQUEST-01"),
        (404, "route_not_found", "INBOUND-REQUEST-01"),
        (501, "http1.invalid_transfer_encoding", "INBOUND-REQUEST-01"),
        (426, "low_version", "INBOUND-REQUEST-02"),
        (403, "upgrade_failed", "INBOUND-REQUEST-03"),
        (503, "upstream_reset_before_response_started{connection_failure}", "INBOUND-SERVICE-01"),
        (504, "response_timeout", "INBOUND-SERVICE-01"),
    ],
)
def test_each_other_answer_has_its_finding(status: int, details: str, wanted: str) -> None:
    assert refusal_finding(replace(DENIED, status=status, details=details), KNOWN).id == wanted


def test_what_the_caller_sent_is_shown_short_and_harmless() -> None:
    found = refusal_finding(replace(DENIED, status=421, host="\x1b[31m" + "x" * 300), KNOWN)
    assert "\x1b" not in found.message
    assert len(found.message) < 200


def test_the_inside_of_the_hub_is_not_told() -> None:
    details = "upstream_reset_before_response_started{connection_failure|10.1.2.3:8080}"
    found = refusal_finding(replace(DENIED, status=503, details=details), KNOWN)
    assert found.message == (
        "the hub's own service at '/tokens/x' did not answer as it should (503): "
        "'upstream reset before response started'"
    )
