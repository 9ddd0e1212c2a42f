"""The first call proves the inbound flow, opens what waited for it once, and says what is still lacking."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from tests.postgresql import in_files
from tests.web.conftest import Ask

from bothways.connectivity.observation import FailedHandshake, RefusedRequest
from bothways.contract.render import render_contract
from bothways.dataplane.applied import Applied
from bothways.operations.authorities import add_server_authority
from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.customers import add_customer, show_customer
from bothways.operations.endpoints import set_endpoint
from bothways.operations.hub import OBSERVATIONS_FILE, Hub, contract
from bothways.operations.observations import Times, observe
from bothways.operations.requests import approve_request, submit_request
from bothways.pki.chain import certificate_pem
from bothways.pki.keys import sha256
from bothways.registry.customer import CustomerKind
from bothways.store import contracts
from bothways.store.certificates import StoredCertificate
from bothways.store.contracts import Way
from bothways.web.connectivity import connectivity_app


@pytest.fixture
def certificate(hub: Hub, issuer: str, make_csr: Callable[..., bytes]) -> StoredCertificate:
    return approve_request(hub, submit_request(hub, issuer, make_csr()).id)


@pytest.fixture
def opened(hub: Hub) -> list[str]:
    """The inbound state at each time when the services were opened."""
    del hub
    return []


@pytest.fixture
def app(hub: Hub, opened: list[str]) -> FastAPI:
    async def apply() -> Applied:
        opened.append(show_customer(hub, "12345678").assessment.inbound.state.value)
        return Applied("version", in_force=True, milliseconds=0.0)

    return connectivity_app(hub, apply)


def identity(certificate: StoredCertificate, tsp_id: str = "12345678") -> dict[str, str]:
    return {"Bothways-Customer": tsp_id, "Bothways-Certificate": certificate.fingerprint or ""}


def test_the_first_call_says_who_one_is_and_what_is_lacking(
    hub: Hub, ask: Ask, app: FastAPI, certificate: StoredCertificate
) -> None:
    answer = ask(app, "GET", "/connectivity", identity(certificate))
    view = show_customer(hub, "12345678")
    assert answer.status_code == 200
    assert answer.json() == {
        "customer": "12345678",
        "environment": "PPR",
        "certificate": {
            "serial": certificate.serial,
            "fingerprint": certificate.fingerprint,
            "not_after": certificate.not_after.isoformat(),
        },
        "inbound": view.assessment.inbound.document(),
        "outbound": view.assessment.outbound.document(),
        "failures": [],
        "contract": {"fingerprint": sha256(render_contract(contract(hub)).encode())},
    }
    given = ask(app, "GET", "/connectivity/contract", identity(certificate))
    assert (given.status_code, given.text) == (200, render_contract(contract(hub)))
    assert (view.assessment.inbound.state, view.assessment.outbound.state) == ("established", "not started")


def test_the_caller_reads_why_its_last_calls_failed_and_nobody_elses(
    hub: Hub, ask: Ask, app: FastAPI, certificate: StoredCertificate
) -> None:
    at = hub.now()
    digest = certificate.fingerprint or ""
    refused = RefusedRequest(at, "192.0.2.1", digest, "", 404, "direct_response", path="/x")
    observe(hub, {refused: Times(2, at), FailedHandshake(at, "192.0.2.2", "HTTP_REQUEST"): Times(1, at)})
    [failure] = ask(app, "GET", "/connectivity", identity(certificate)).json()["failures"]
    assert (failure["finding"]["id"], failure["count"]) == ("INBOUND-ACCESS-05", 2)


@in_files
def test_failures_that_cannot_be_read_take_nothing_else_away(
    hub: Hub, ask: Ask, app: FastAPI, certificate: StoredCertificate
) -> None:
    (hub.directory / OBSERVATIONS_FILE).mkdir()
    answer = ask(app, "GET", "/connectivity", identity(certificate))
    assert (answer.status_code, answer.json()["failures"]) == (200, [])


def test_waiting_services_are_opened_once_and_after_the_proof(
    ask: Ask, app: FastAPI, certificate: StoredCertificate, opened: list[str]
) -> None:
    for _ in range(2):
        assert ask(app, "GET", "/connectivity", identity(certificate)).status_code == 200
    assert opened == ["established"]


def test_an_envoy_that_is_away_does_not_keep_the_caller_waiting_for_ever(
    hub: Hub, ask: Ask, certificate: StoredCertificate
) -> None:
    async def never() -> Applied:
        await asyncio.Event().wait()
        raise AssertionError

    answer = ask(connectivity_app(hub, never), "GET", "/connectivity", identity(certificate))
    assert (answer.status_code, answer.json()["inbound"]["state"]) == (200, "established")


def test_an_unknown_certificate_proves_nothing(
    hub: Hub, ask: Ask, app: FastAPI, issuer: str, opened: list[str]
) -> None:
    answer = ask(app, "GET", "/connectivity", {"Bothways-Customer": issuer, "Bothways-Certificate": "0" * 64})
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:bothways:problem:notfound")
    assert show_customer(hub, issuer).assessment.inbound.state == "not started"
    assert opened == []


def test_a_certificate_of_another_customer_proves_nothing_for_this_one(
    hub: Hub, ask: Ask, app: FastAPI, certificate: StoredCertificate
) -> None:
    add_customer(hub, "87654321", CustomerKind.MERCHANT, "Corner Shop")
    ask(app, "GET", "/connectivity", identity(certificate, "87654321"))
    assert show_customer(hub, "87654321").assessment.inbound.state == "not started"


def test_without_identity_nobody_is_answered(ask: Ask, app: FastAPI, certificate: StoredCertificate) -> None:
    for missing in identity(certificate):
        headers = {name: value for name, value in identity(certificate).items() if name != missing}
        assert ask(app, "GET", "/connectivity", headers).status_code == 422


def test_a_customer_without_a_server_asks_for_a_probe_in_vain_and_reads_what_is_known(
    ask: Ask, app: FastAPI, certificate: StoredCertificate
) -> None:
    asked = ask(app, "POST", "/connectivity/probe", identity(certificate))
    assert (asked.status_code, asked.json()["type"]) == (404, "urn:bothways:problem:notfound")
    told = ask(app, "GET", "/connectivity/probe", identity(certificate))
    assert (told.status_code, told.json()["endpoint"], told.json()["probe"]) == (200, None, None)
    assert ask(app, "GET", "/connectivity/probe").status_code == 422


def test_a_customer_asks_for_a_probe_of_its_server_and_is_told_that_it_runs(
    hub: Hub, ask: Ask, app: FastAPI, certificate: StoredCertificate, make_ca: Callable[..., Any]
) -> None:
    set_endpoint(hub, "12345678", "https://bank.localhost:1")
    pem = certificate_pem(make_ca("Root")[1])
    endorse_chain(hub, submit_chain(hub, "12345678", pem.encode()).id)
    first = ask(app, "POST", "/connectivity/probe", identity(certificate))
    assert (first.status_code, first.json()["running"]) == (202, True)
    assert first.json()["chains"] == [pem]


def test_who_takes_the_contract_is_known_and_who_looks_at_it_with_another_in_force_has_not_taken_it(
    hub: Hub, ask: Ask, app: FastAPI, certificate: StoredCertificate
) -> None:
    def taken() -> Way | None:
        with hub.read() as connection:
            found = contracts.last_taken(connection, "12345678")
        return found.way if found else None

    add_server_authority(hub)
    latest = sha256(render_contract(contract(hub)).encode())
    for path in ("/connectivity", f"/connectivity?in-force={'0' * 64}", f"/connectivity/contract?in-force={'0' * 64}"):
        assert ask(app, "GET", path, identity(certificate)).status_code == 200
        assert taken() is None
    ask(app, "GET", f"/connectivity?in-force={latest}", identity(certificate))
    assert taken() is Way.IN_FORCE
    add_customer(hub, "87654321", CustomerKind.MERCHANT, "Corner Shop")
    ask(app, "GET", "/connectivity/contract", identity(certificate, "87654321"))
    with hub.read() as connection:
        fetched = contracts.last_taken(connection, "87654321")
    assert fetched is not None
    assert fetched.way is Way.FETCHED
