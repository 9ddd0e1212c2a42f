"""A hub of production as it runs: a user of its machine approves nothing alone, and a person of the API confirms."""

import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.conftest import local_settings, running
from tests.forked import run_forked

from bothways.cli.opening import actor
from bothways.contract.document import Environment
from bothways.demo.customer_ca import make_server_files
from bothways.operations.hub import Hub, contract, initialise, new_terms, open_hub
from bothways.operations.people import add_person
from bothways.operations.tokens import create_token
from bothways.operations.two_people import AtHost
from bothways.registry.access import Role

ISSUER, BOB = "12345678", "bob@hub.example"
Command = Callable[..., Any]
Ask = Callable[..., httpx2.Response]


@pytest.fixture
def prd(tmp_path: Path) -> Iterator[Hub]:
    """A hub of production, running."""
    settings = local_settings()
    initialise(tmp_path / "hub", new_terms(Environment.PRD, "prd.hub.localhost", settings), settings, actor())
    with open_hub(tmp_path / "hub", actor()) as hub, running(hub):
        yield hub


def run(*words: object, code: int = 0) -> Any:
    """Run a command in a process of its own, as the user who runs the tests; return its JSON."""
    done = run_forked(*words, "--json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def command(prd: Hub) -> Command:
    """Return a runner of commands on the hub's machine."""
    return lambda *words, code=0: run(*words, "--directory", prd.directory, code=code)


@pytest.fixture
def token(prd: Hub) -> str:
    """A token of Bob, a reviewer of the hub."""
    add_person(prd, BOB, "Bob", Role.REVIEWER, at_host=AtHost())
    return create_token(prd, "bobs", Role.REVIEWER, person=BOB)[1]


@pytest.fixture
def elsewhere(prd: Hub, token: str, tmp_path: Path) -> Command:
    """Return a runner of Bob's commands, from elsewhere."""
    (tmp_path / "token").touch(0o600)
    (tmp_path / "token").write_text(token)
    (tmp_path / "ca.pem").write_text(contract(prd).trust.server_ca)
    where = ("--hub", prd.terms.portal, "--token-file", tmp_path / "token", "--ca", tmp_path / "ca.pem")
    return lambda *words, code=0: run(*words, *where, code=code)


@pytest.fixture
def bob(prd: Hub, token: str) -> Iterator[Ask]:
    """Return a function that asks the API as Bob does."""
    context = ssl.create_default_context(cadata=contract(prd).trust.server_ca)
    with httpx2.Client(verify=context, trust_env=False, timeout=60) as client:

        def ask(method: str, path: str, as_token: str = token, **more: Any) -> httpx2.Response:
            # The address, for not every resolver knows names under localhost.
            url = f"https://127.0.0.1:{prd.settings.portal_port}/api/v1{path}"
            headers = {"Authorization": f"Bearer {as_token}"}
            name = {"sni_hostname": "portal.prd.hub.localhost"}
            return client.request(method, url, headers=headers, extensions=name, **more)

        yield ask


def test_one_person_alone_approves_nothing_and_the_second_confirms(
    prd: Hub, command: Command, bob: Ask, elsewhere: Command, tmp_path: Path, make_csr: Callable[..., bytes]
) -> None:
    (tmp_path / "tls.csr").write_bytes(make_csr(CN="TLSMA-ECDSA/12345678/PRD"))
    chain = make_server_files(tmp_path, "First Bank", "callbacks.bank.example").chain
    command("customer", "add", ISSUER, "--kind", "issuer", "--organization", "First Bank")
    request = command("request", "submit", ISSUER, tmp_path / "tls.csr")["id"]
    anchor = command("chain", "submit", ISSUER, chain)["id"]
    endpoint = command("endpoint", "set", ISSUER, "https://callbacks.bank.example")["number"]
    # A token of the same user of the machine is the same person.
    own = command("token", "add", "own", "--role", "operator")["token"]
    for path in (f"/requests/{request}/approve", f"/endpoints/{endpoint}/approve"):
        answer = bob("POST", path, own)
        assert (answer.status_code, "takes two different ones" in answer.json()["detail"]) == (403, True)
    # Who handed a chain in says how it is to be endorsed, and no more than that.
    assert bob("POST", f"/chains/{anchor}/endorse", own, json={}).json()["state"] == "proposed"
    assert command("request", "approve", request, code=4)["error"] == "notauthorized"
    assert command("chain", "endorse", anchor, code=4)["error"] == "notauthorized"
    assert command("endpoint", "approve", endpoint, code=4)["error"] == "notauthorized"
    assert (command("certificate", "list"), command("chain", "show", anchor)["state"]) == ([], "submitted")

    issued = bob("POST", f"/requests/{request}/approve")
    assert (issued.status_code, issued.json()["in_force"]) == (200, True)
    assert bob("POST", f"/chains/{anchor}/endorse", json={}).json()["state"] == "endorsed"
    assert bob("POST", f"/endpoints/{endpoint}/approve").json()["state"] == "approved"
    assert [each["serial"] for each in command("certificate", "list")] == [issued.json()["serial"]]
    assert command("endpoint", "show", ISSUER)["host"] == "callbacks.bank.example"

    # The other way round: Bob proposes with the same commands from elsewhere, the machine's user confirms.
    (tmp_path / "next.csr").write_bytes(make_csr(CN="TLSMA-ECDSA/12345678/PRD"))
    _, customers = create_token(prd, "banks", Role.CUSTOMER_ADMINISTRATOR, ISSUER)
    body = {"customer": ISSUER, "csr": (tmp_path / "next.csr").read_text()}
    number = bob("POST", "/requests", customers, json=body).json()["id"]
    first = elsewhere("request", "approve", number)
    assert (first["state"], first["by"]) == ("proposed", BOB)
    assert command("request", "approve", number)["state"] == "issued"
    lines = bob("GET", "/audit", params={"limit": 200}).json()["items"]
    [approved] = [each for each in lines if each["action"] == "request.approve" and each["subject"] == str(number)]
    assert (approved["actor"], approved["detail"]["proposed_by"]) == (actor(), BOB)
    command("audit", "verify")
