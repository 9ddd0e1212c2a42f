"""Why requests are refused after a good handshake, and what is seen of calls that go well: against the real Envoy."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from tests.wire.conftest import ISSUER, MERCHANT, World
from tests.wire.observing import Caller, next_caller, said, waited
from tests.wire.test_inbound import signed_by_the_issuing_ca

from bothways.connectivity.observation import MatchedBy
from bothways.operations.certificates import revoke_certificate, show_certificate
from bothways.operations.customers import add_customer, resume_customer, suspend_customer
from bothways.operations.services import add_service, grant_service
from bothways.pki.revocation import RevocationReason
from bothways.registry.customer import CustomerKind
from bothways.registry.service import Service
from bothways.spoke.directory import Spoke

pytestmark = pytest.mark.envoy


@pytest.fixture
def place(world: World) -> Caller:
    return next_caller(world)


def test_the_certificate_is_revoked_on_an_open_connection(world: World, place: Caller) -> None:
    spoke, serial = world.connected()
    with place.open(spoke) as line:
        assert line.ask("/tokens")[0] == 200
        revoke_certificate(world.hub, serial, RevocationReason.SUPERSEDED)
        world.apply()
        assert line.ask("/tokens")[0] == 403
    observed = place.observed(ISSUER)
    assert said(observed) == ("INBOUND-CERTIFICATE-05", MatchedBy.HANDSHAKE)
    assert "replaced by a newer one" in observed.finding.message


def test_the_service_is_not_granted(place: Caller, caller: Spoke) -> None:
    with place.open(caller) as line:
        assert line.ask("/vault/x?card=4111")[0] == 403
    observed = place.observed(ISSUER)
    assert said(observed) == ("INBOUND-ACCESS-02", MatchedBy.HANDSHAKE)
    assert observed.finding.message == "the service vault is not granted to this customer"


def test_the_flow_is_not_established(world: World, place: Caller) -> None:
    add_customer(world.hub, "55555555", CustomerKind.ISSUER, "Late Bank")
    grant_service(world.hub, "tokens", "55555555")
    spoke, _ = world.certified("55555555")
    world.apply()
    with place.open(spoke) as line:
        assert line.ask("/tokens")[0] == 403
    observed = place.observed("55555555")
    assert said(observed) == ("INBOUND-ACCESS-03", MatchedBy.HANDSHAKE)
    assert "inbound: connected: call GET /connectivity with the certificate" in observed.finding.message


def test_the_customer_is_suspended(world: World, place: Caller) -> None:
    spoke, _ = world.connected(MERCHANT)
    suspend_customer(world.hub, MERCHANT, "tested")
    world.apply()
    with place.open(spoke) as line:
        assert line.ask("/connectivity")[0] == 403
    assert said(place.observed(MERCHANT)) == ("INBOUND-ACCESS-01", MatchedBy.HANDSHAKE)
    resume_customer(world.hub, MERCHANT)
    world.apply()


def test_a_certificate_of_ours_that_is_on_no_record(world: World, place: Caller, caller: Spoke, tmp_path: Path) -> None:
    name = x509.UniformResourceIdentifier(f"urn:bothways:PPR:{ISSUER}:7")
    other = signed_by_the_issuing_ca(world, caller, tmp_path, lambda usual: replace(usual, names=(name,)))
    with place.open(other) as line:
        assert line.ask("/tokens")[0] == 403
    assert said(place.observed(ISSUER)) == ("INBOUND-CERTIFICATE-08", MatchedBy.HANDSHAKE)


@pytest.mark.parametrize(
    ("path", "headers", "host", "status", "wanted"),
    [
        ("/tokens", (), "other.example", 421, "INBOUND-NAME-03"),
        ("/nothing/here", (), None, 404, "INBOUND-ACCESS-05"),
        ("/tokens", (("a_b", "c"),), None, 400, "INBOUND-REQUEST-01"),
        ("/tokens%2fx", (), None, 400, "INBOUND-REQUEST-01"),
        ("/tokens", (("a", "b" * 40_000),), None, 431, "INBOUND-REQUEST-01"),
    ],
)
def test_the_request_itself_is_wrong(
    place: Caller, caller: Spoke, path: str, headers: Any, host: str | None, status: int, wanted: str
) -> None:
    with place.open(caller) as line:
        assert line.ask(path, headers, host)[0] == status
    assert said(place.observed(ISSUER)) == (wanted, MatchedBy.HANDSHAKE)


@pytest.mark.parametrize(
    ("version", "more", "said_to_caller", "wanted"),
    [
        ("1.0", "", b"Upgrade Required", "INBOUND-REQUEST-02"),
        ("1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n", b"No upgrade, such as to", "INBOUND-REQUEST-03"),
        ("1.1", "Transfer-Encoding: odd\r\n", b"Not Implemented", "INBOUND-REQUEST-01"),
    ],
)
def test_another_version_an_upgrade_and_what_cannot_be_read_are_told_from_a_service_that_fails(
    world: World, place: Caller, caller: Spoke, version: str, more: str, said_to_caller: bytes, wanted: str
) -> None:
    context = world.context(caller)
    with context.wrap_socket(place.plain(), server_hostname=world.host.split(":")[0]) as line:
        line.sendall(f"GET /tokens HTTP/{version}\r\nHost: {world.host}\r\n{more}\r\n".encode())
        answer = b""
        while b"}" not in answer:
            answer += line.recv(65536)
    assert said_to_caller in answer
    assert said(place.observed(ISSUER)) == (wanted, MatchedBy.HANDSHAKE)


def test_the_service_behind_the_endpoint_is_away(world: World, place: Caller, caller: Spoke) -> None:
    add_service(world.hub, Service("away", "/away", "http://127.0.0.1:9"))
    grant_service(world.hub, "away", ISSUER)
    world.apply()
    with place.open(caller) as line:
        assert line.ask("/away")[0] == 503
    assert said(place.observed(ISSUER)) == ("INBOUND-SERVICE-01", MatchedBy.HANDSHAKE)


def test_what_a_service_answers_itself_is_no_observation(place: Caller, caller: Spoke) -> None:
    with place.open(caller) as line:
        assert line.ask("/connectivity/nothing")[0] == 404
        assert line.ask("/vault")[0] == 403
    assert said(place.observed(ISSUER))[0] == "INBOUND-ACCESS-02"


@pytest.mark.usefixtures("caller")
def test_a_certificate_that_calls_services_alone_is_seen_in_use(world: World, place: Caller) -> None:
    spoke, serial = world.certified()
    world.apply()
    assert show_certificate(world.hub, serial).first_seen_at is None
    with place.open(spoke) as line:
        assert line.ask("/tokens")[0] == 200
    waited(lambda: show_certificate(world.hub, serial).first_seen_at is not None)


def test_the_customer_reads_why_its_last_calls_failed(world: World, place: Caller) -> None:
    add_customer(world.hub, "66666666", CustomerKind.ISSUER, "Curious Bank")
    spoke, _ = world.connected("66666666")
    with place.open(spoke) as line:
        assert line.ask("/tokens")[0] == 403
        place.observed("66666666")
        [failure] = json.loads(line.ask("/connectivity")[1])["failures"]
    assert (failure["finding"]["id"], failure["matched_by"]) == ("INBOUND-ACCESS-02", "handshake")
