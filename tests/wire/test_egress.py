"""How calls to customers fail, with real servers in their role: each with its finding, and whose matter it is."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from tests.conftest import free_ports
from tests.programs import needs
from tests.wire.conftest import World
from tests.wire.servers import ServerPki, accepting, make_pki, nginx, python
from tests.wire.test_outbound import egress

from bothways.connectivity.facts import ProbeFact
from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.customers import add_customer
from bothways.operations.endpoints import record_probe, set_endpoint, show_endpoint
from bothways.operations.hub import contract
from bothways.registry.customer import CustomerKind

pytestmark = pytest.mark.envoy

Serve = Callable[[ServerPki], AbstractContextManager[int]]
_NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Case:
    """A server in a customer's role, and what a call to it comes to: finding, status, whose fault, and if it was sent.

    `endorsed` is False if another chain than the server's is endorsed; `pki` are options of `make_pki`.
    """

    serve: Serve
    wanted: tuple[str, int, str, str]
    pki: tuple[tuple[str, Any], ...] = ()
    endorsed: bool = True
    host: str = ""


def in_version(version: ssl.TLSVersion) -> Callable[[ssl.SSLContext], None]:
    def prepare(context: ssl.SSLContext) -> None:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, version

    return prepare


def refusing(version: ssl.TLSVersion) -> Serve:
    """Return a server that trusts no CA of the hub's client certificate."""

    def serve(pki: ServerPki) -> AbstractContextManager[int]:
        pki.client_ca.write_text(pki.root)
        return python(pki, in_version(version))

    return serve


@contextmanager
def nobody(_pki: ServerPki) -> Iterator[int]:
    [port] = free_ports(1)
    yield port


def silent(_pki: ServerPki) -> AbstractContextManager[int]:
    """Return a server that takes connections, and says no word on them."""

    def wait(plain: socket.socket) -> None:
        while plain.recv(4096):
            pass

    return accepting(wait)


def after_the_request(answer: bytes) -> Serve:
    """Return a server that answers with these bytes, and closes."""

    def serve(pki: ServerPki) -> AbstractContextManager[int]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pki.certificate, pki.key)
        context.maximum_version = ssl.TLSVersion.TLSv1_2

        def one(plain: socket.socket) -> None:
            with context.wrap_socket(plain, server_side=True) as secured:
                secured.recv(4096)
                secured.sendall(answer)

        return accepting(one)

    return serve


CASES = {
    "an endorsed chain that is another": Case(python, ("EGRESS-TLS-03", 502, "customer", "no"), endorsed=False),
    "a certificate for another host": Case(
        python, ("EGRESS-TLS-02", 502, "customer", "no"), (("names", [x509.DNSName("elsewhere.example")]),)
    ),
    "an expired certificate": Case(python, ("EGRESS-TLS-01", 502, "customer", "no"), (("days", -1),)),
    "TLS 1.1 alone": Case(
        lambda pki: python(pki, in_version(ssl.TLSVersion.TLSv1_1)), ("EGRESS-TLS-04", 502, "customer", "no")
    ),
    "no TLS": Case(
        lambda _: accepting(lambda plain: plain.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
        ("EGRESS-TLS-05", 502, "customer", "no"),
    ),
    "the hub's certificate refused in TLS 1.2": Case(
        refusing(ssl.TLSVersion.TLSv1_2), ("EGRESS-CLIENT-01", 502, "customer", "no")
    ),
    "the hub's certificate refused in TLS 1.3": Case(
        refusing(ssl.TLSVersion.TLSv1_3), ("EGRESS-CLIENT-02", 502, "customer", "perhaps")
    ),
    "nobody at the port": Case(nobody, ("EGRESS-TCP-01", 502, "customer", "no")),
    "silence": Case(silent, ("EGRESS-TCP-02", 504, "network", "no")),
    "a name that is not there": Case(nobody, ("EGRESS-DNS-01", 503, "dns", "no"), host="nowhere.invalid"),
    "an answer that is no HTTP": Case(
        after_the_request(b"nonsense\r\n\r\n"), ("EGRESS-HTTP-01", 502, "customer", "perhaps")
    ),
    "no answer": Case(after_the_request(b""), ("EGRESS-HTTP-01", 502, "customer", "perhaps")),
}


def called(world: World, place: Path, case: Case) -> httpx2.Response:
    """Make a customer whose server is on record as proved, and call it."""
    number = next(_NUMBERS)
    tsp_id, host = f"F{number}", case.host or f"f{number}.localhost"
    trust = contract(world.hub).trust.client_ca
    pki = make_pki(place, trust, host, **dict(case.pki))
    (place / "other").mkdir()
    endorsed = pki if case.endorsed else make_pki(place / "other", trust, host)
    with case.serve(pki) as port:
        add_customer(world.hub, tsp_id, CustomerKind.ISSUER, "Bank")
        set_endpoint(world.hub, tsp_id, f"https://{host}:{port}")
        endorse_chain(world.hub, submit_chain(world.hub, tsp_id, endorsed.chain).id)
        address = show_endpoint(world.hub, tsp_id).address
        record_probe(world.hub, tsp_id, ProbeFact(address, world.hub.now(), ok=True, seen="TLSv1.3"))
        world.apply()
        return egress(world, tsp_id)


def require(answer: httpx2.Response, wanted: tuple[str, int, str, str]) -> dict[str, Any]:
    problem: dict[str, Any] = answer.json()
    assert (problem["finding"], answer.status_code, problem["fault"], problem["sent"]) == wanted, problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["bothways-finding"] == problem["finding"]
    assert problem["status"] == answer.status_code
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["type"] == f"urn:bothways:problem:egress:{problem['fault']}"
    assert problem["detail"]
    assert problem["hint"]
    return problem


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_call_that_fails_says_whose_matter_it_is_and_what_envoy_saw(world: World, tmp_path: Path, case: Case) -> None:
    problem = require(called(world, tmp_path, case), case.wanted)
    assert problem["reason"]


def test_a_request_without_a_customer_or_with_a_strange_one_goes_nowhere(world: World) -> None:
    require(egress(world, None), ("EGRESS-CUSTOMER-01", 404, "caller", "no"))
    require(egress(world, "nobody"), ("EGRESS-CUSTOMER-02", 404, "hub", "no"))


def test_a_request_that_cannot_be_passed_on_is_the_callers_matter(world: World) -> None:
    require(egress(world, "nobody", "/a%2fb"), ("EGRESS-REQUEST-01", 400, "caller", "no"))


@needs("nginx")
@pytest.mark.parametrize("location", ["return 503 own;", "return 404 own;", "return 302 https://elsewhere.example/;"])
def test_what_the_customers_server_answers_itself_passes_as_it_is(world: World, tmp_path: Path, location: str) -> None:
    tls = "ssl_verify_client off; add_header bothways-finding forged always;"
    case = Case(lambda pki: nginx(pki, tls, location), ("", 0, "", ""))
    answer = called(world, tmp_path, case)
    assert answer.status_code == int(location.split()[1])
    assert "bothways-finding" not in answer.headers
    assert answer.headers["content-type"] != "application/problem+json"
