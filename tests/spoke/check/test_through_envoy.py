"""What Envoy is asked, and what its words come to. With a real Envoy and real peers: tests/wire/test_spoke_check.py."""

import asyncio
import json
from pathlib import Path

import pytest

from bothways.errors import Unusable
from bothways.findings import Level
from bothways.spoke import sidecar_http as http
from bothways.spoke.check.report import Area, Judge
from bothways.spoke.check.through_envoy import (
    BOOTSTRAP,
    MISSING,
    EnvoySeen,
    Heard,
    Look,
    Verdict,
    hub_findings,
    look_through,
    seen,
    server_findings,
    step,
)
from bothways.spoke.directory import Spoke
from bothways.spoke.knock import Target

TARGET = Target("192.0.2.1", 8443, "bank.example", "/")
USAGE = "TLS_error:|268435600:SSL_routines:OPENSSL_internal:KEY_USAGE_BIT_INCORRECT:TLS_error_end"


def problem(upstream: str, reason: str = "upstream_reset_before_response_started{remote_connection_failure}") -> Heard:
    return Heard(503, json.dumps({"type": http.PROBLEM, "upstream": upstream, "reason": reason}).encode())


@pytest.mark.parametrize(
    ("heard", "verdict", "said"),
    [
        (Heard(200, b"{}"), Verdict.ANSWERED, "200"),
        (Heard(403, b'{"type": "urn:bothways:problem:forbidden"}'), Verdict.ANSWERED, "403"),
        (Heard(400, b"<html>"), Verdict.ANSWERED, "400"),
        (problem(USAGE), Verdict.DISBELIEVED, "KEY_USAGE_BIT_INCORRECT"),
        (problem("TLS_error:|1:SSLV3_ALERT_HANDSHAKE_FAILURE:TLS_error_end"), Verdict.DISBELIEVED, "alert 40"),
        (problem("TLS_error:|1:TLSV1_ALERT_UNKNOWN_CA:TLS_error_end"), Verdict.REFUSED, "alert 48"),
        (problem("", "upstream_reset_before_response_started{connection_termination}"), Verdict.REFUSED, "closed"),
        (problem("delayed_connect_error:_Connection_refused"), Verdict.UNASKED, "Connection_refused"),
    ],
)
def test_each_answer_comes_to_a_verdict(heard: Heard, verdict: Verdict, said: str) -> None:
    assert seen(heard).verdict is verdict
    assert said in seen(heard).said


def test_only_a_disagreement_is_a_finding() -> None:
    answered, refused = EnvoySeen(Verdict.ANSWERED, "200"), EnvoySeen(Verdict.REFUSED, "alert")
    broken, unasked = EnvoySeen(Verdict.DISBELIEVED, USAGE), EnvoySeen(Verdict.UNASKED, MISSING)

    def of_hub(envoys: EnvoySeen, *, let_in: bool) -> list[Level]:
        return [each.level for each in hub_findings(envoys, "hub:443", let_in=let_in)]

    def of_server(envoys: EnvoySeen, *, believed: bool) -> list[Level]:
        return [each.level for each in server_findings(envoys, "bank:443", believed=believed)]

    assert [of_hub(each, let_in=True) for each in (answered, refused, broken, unasked)] == [
        [],
        [Level.WARNING],
        [Level.WARNING],
        [],
    ]
    assert [of_hub(each, let_in=False) for each in (answered, refused, broken)] == [[Level.WARNING], [], []]
    # Whom a server lets in is told elsewhere: here, whether Envoy takes it for the one that is meant.
    assert [of_server(each, believed=True) for each in (answered, refused, broken)] == [[], [], [Level.ERROR]]
    assert [of_server(each, believed=False) for each in (answered, refused, broken, unasked)] == [
        [Level.WARNING],
        [Level.WARNING],
        [],
        [],
    ]


def test_without_an_envoy_python_alone_judges_and_says_so() -> None:
    async def away(_: Look) -> Heard:
        raise Unusable("Envoy does not start: no")

    look = Look(TARGET, "", b"")
    missing, broken = (asyncio.run(look_through(each, look)) for each in (None, away))
    assert (missing.verdict, missing.said) == (Verdict.UNASKED, MISSING)
    assert broken.said == "Envoy does not start: no; so Python's TLS alone judges"
    assert step(Area.INBOUND, broken, ()).judge is Judge.PYTHON
    assert step(Area.INBOUND, EnvoySeen(Verdict.ANSWERED, "200"), ()).judge is Judge.ENVOY


def test_envoy_goes_to_the_address_that_was_judged_and_believes_one_name_under_these_cas(spoke: Spoke) -> None:
    made = Look(TARGET, spoke.contract.trust.client_ca, b"a key").files(Path("/run/it"))
    [cluster] = json.loads(made[BOOTSTRAP])["static_resources"]["clusters"]
    [endpoint] = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
    assert endpoint["endpoint"]["address"]["socket_address"] == {"address": "192.0.2.1", "port_value": 8443}
    assert cluster["transport_socket"]["typed_config"]["sni"] == "bank.example"
    trust = json.loads(made["hub-trust.json"])["resources"][0]["validation_context"]
    assert trust["match_typed_subject_alt_names"] == [{"san_type": "DNS", "matcher": {"exact": "bank.example"}}]
    assert trust["trusted_ca"]["inline_string"] == spoke.contract.trust.client_ca
    pair = json.loads(made["client-pair.json"])["resources"][0]["tls_certificate"]
    assert pair["private_key"] == pair["certificate_chain"] == {"filename": "/run/it/stranger.pem"}
    assert made["stranger.pem"] == b"a key"


def test_our_own_pair_stays_where_it_is(spoke: Spoke) -> None:
    look = Look(TARGET, spoke.contract.trust.client_ca, (spoke.certificate_file, spoke.key_file))
    made = look.files(Path("/run/it"))
    assert "stranger.pem" not in made
    pair = json.loads(made["client-pair.json"])["resources"][0]["tls_certificate"]
    assert pair["private_key"] == {"filename": str(spoke.key_file.absolute())}
