"""What an authenticated customer can say of itself, of the host and of the path, and what the service sees of it."""

import json
import re

import pytest
from tests.wire.conftest import ISSUER, MERCHANT, World

from bothways.spoke.directory import Spoke

pytestmark = pytest.mark.envoy


def test_a_granted_service_is_told_who_calls(world: World, caller: Spoke) -> None:
    with world.open(caller) as line:
        status, body = line.ask("/tokens/new?n=1")
    echo = json.loads(body)
    assert (status, echo["path"]) == (200, "/tokens/new?n=1")
    assert echo["headers"]["bothways-customer"] == ISSUER
    assert echo["headers"]["bothways-environment"] == "PPR"


def test_what_is_not_granted_answers_403(world: World, caller: Spoke) -> None:
    with world.open(caller) as line:
        assert line.ask("/vault")[0] == 403
        assert line.ask("/nothing")[0] == 404


def test_before_its_flow_is_established_only_connectivity_answers(world: World) -> None:
    spoke, _ = world.certified(MERCHANT)
    world.apply()
    with world.open(spoke) as line:
        assert line.ask("/tokens")[0] == 403
        status, body = line.ask("/connectivity")
        assert (status, json.loads(body)["customer"]) == (200, MERCHANT)
        assert line.ask("/tokens")[0] == 403


@pytest.mark.parametrize(
    "host",
    [
        "",
        "api.ppr.hub.localhost.",
        "api.ppr.hub.localhost:1",
        "user@api.ppr.hub.localhost",
        "other.example",
        "portal.ppr.hub.localhost",
        "ppr.hub.localhost",
        "127.0.0.1",
        "api.ppr.hub.localhost.evil",
    ],
)
def test_another_host_answers_421(world: World, caller: Spoke, host: str) -> None:
    with world.open(caller) as line:
        assert line.ask("/tokens", host=host)[0] == 421


def test_a_whole_url_stands_above_the_host(world: World, caller: Spoke) -> None:
    # RFC 9112 section 3.2.2: of two hosts, the one in the request line is meant.
    with world.open(caller) as line:
        assert line.ask("https://other.example/tokens")[0] == 421
        assert line.ask(f"https://{world.host}/tokens", host="other.example")[0] == 200
        assert line.ask(f"https://{world.host}/vault")[0] == 403


def test_more_headers_than_anybody_needs_are_refused(world: World, caller: Spoke) -> None:
    few, many = ([(f"X-{number}", "x") for number in range(count)] for count in (80, 101))
    with world.open(caller) as line:
        assert line.ask("/tokens", tuple(few))[0] == 200
        assert line.ask("/tokens", tuple(many))[0] == 431


def test_the_host_is_taken_with_and_without_port(world: World, caller: Spoke) -> None:
    with world.open(caller) as line:
        for host in (world.host, world.host.split(":")[0], world.host.upper()):
            assert line.ask("/tokens", host=host)[0] == 200


FORGED = (
    ("Bothways-Customer", MERCHANT),
    ("BOTHWAYS-CUSTOMER", MERCHANT),
    ("Bothways-Environment", "PRD"),
    ("Bothways-Certificate", "f" * 64),
    ("Client-Cert", ":forged:"),
    ("Client-Cert-Chain", ":forged:"),
    ("X-Forwarded-Client-Cert", "Subject=forged"),
    ("X-SSL-Client-DN", "CN=forged"),
    ("X-SSL-Client-Verify", "forged"),
    ("X-Client-Cert", "forged"),
)


@pytest.mark.parametrize("header", FORGED, ids=[name for name, _ in FORGED])
def test_a_forged_identity_does_not_reach_the_service(world: World, caller: Spoke, header: tuple[str, str]) -> None:
    with world.open(caller) as line:
        clean = json.loads(line.ask("/tokens")[1])["headers"]
        status, body = line.ask("/tokens", headers=(header, header))
    forged = json.loads(body)["headers"]
    assert status == 200
    assert {name: forged[name] for name in forged if name != "x-request-id"} == {
        name: clean[name] for name in clean if name != "x-request-id"
    }
    assert header[1] not in body.decode()


@pytest.mark.parametrize("name", ["Bothways_Customer", "Client_Cert", "X_Forwarded_Client_Cert", "x_ssl-client_dn"])
def test_an_underscore_variant_is_refused(world: World, caller: Spoke, name: str) -> None:
    with world.open(caller) as line:
        assert line.ask("/tokens", headers=((name, MERCHANT),))[0] == 400


def test_connectivity_believes_no_forged_identity(world: World, caller: Spoke) -> None:
    with world.open(caller) as line:
        status, body = line.ask("/connectivity", headers=(("Bothways-Customer", MERCHANT),))
    assert (status, json.loads(body)["customer"]) == (200, ISSUER)


# `tokens` is granted, `vault` is not: whichever way a path is spelled, what the service stands behind decides.
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/tokensX", 404),
        ("/tokens%58", 404),
        ("/TOKENS", 404),
        ("/tokens/../vault", 403),
        ("/tokens/./../vault", 403),
        ("/tokens/%2e%2e/vault", 403),
        ("/tokens/..;/vault", 403),
        ("//vault", 403),
        ("/tokens/%2fvault", 400),
        ("/tokens/..%2fvault", 400),
        ("/tokens%5c..%5cvault", 400),
        ("/tokens/..\\vault", 403),
        ("/%76ault", 403),
        ("/tokens/../../vault", 403),
        ("/tokens?x=/../vault", 200),
        ("/connectivity/../vault", 403),
        ("/tokens;/../vault", 403),
        ("/tokens%00", 400),
        ("/tokens/%00/vault", 400),
        ("/tokens#/../vault", 400),
        ("/tokens/.well-known/est/../../../vault", 403),
        ("/.well-known/est/../../vault", 403),
    ],
)
def test_path_tricks_reach_no_service_that_is_not_granted(world: World, caller: Spoke, path: str, status: int) -> None:
    with world.open(caller) as line:
        found, body = line.ask(path)
    assert found == status
    if found == 200:
        assert json.loads(body)["path"].startswith("/tokens")


# Envoy answers these before it gives a request its id: a path that it does not read, and what is no HTTP for it.
@pytest.mark.parametrize(("path", "header"), [("/tokens/%2fvault", "X-Plain"), ("/tokens", "a_b")])
def test_what_is_refused_at_once_has_a_request_id_too(world: World, caller: Spoke, path: str, header: str) -> None:
    with world.open(caller) as line:
        answer = line.answer("GET", path, ((header, "1"),))
        problem = json.loads(answer.read())
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["x-request-id"])
    assert problem["request_id"] == answer.headers["x-request-id"]
