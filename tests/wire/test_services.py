"""What a service is told, how long it may take, and what becomes of calls that it does not answer."""

import base64
import json
import re
import socket
import threading
from collections.abc import Callable

import pytest
from cryptography import x509
from tests.conftest import free_ports
from tests.wire.conftest import ISSUER, MERCHANT, Line, World
from tests.wire.upstream import Upstream, answer, reset, serving

from bothways.demo.echo import echo_service
from bothways.pki.chain import certificate_der, fingerprint
from bothways.registry.service import Service
from bothways.spoke.directory import Spoke

pytestmark = pytest.mark.envoy


def leaf(spoke: Spoke) -> x509.Certificate:
    return x509.load_pem_x509_certificates(spoke.certificate_file.read_bytes())[0]


def headers_at(line: Line, path: str, *headers: tuple[str, str]) -> dict[str, str]:
    """Return the headers that the echo service was sent."""
    status, body = line.ask(path, headers)
    assert status == 200, body
    found: dict[str, str] = json.loads(body)["headers"]
    return found


def test_the_certificate_of_the_handshake_is_told_in_envoys_own_form(world: World, caller: Spoke) -> None:
    certificate = leaf(caller)
    [uri] = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(
        x509.UniformResourceIdentifier
    )
    with world.open(caller) as line:
        told = headers_at(line, "/tokens")
    subject = "CN=TLSMA-ECDSA/12345678/PPR,OU=Payments,O=Bank,L=Paris,ST=Ile-de-France,C=FR"
    print_ = fingerprint(certificate)
    assert told["x-forwarded-client-cert"] == f'Hash={print_};Subject="{subject}";URI={uri}'
    assert told["bothways-certificate"] == print_


def test_a_subject_cannot_say_more_than_a_subject_in_the_forwarded_form(world: World) -> None:
    spoke, _ = world.certified(organization='Bank";URI=urn:evil;Hash="')
    world.apply()
    with world.open(spoke) as line:
        assert line.ask("/connectivity")[0] == 200
        told = headers_at(line, "/tokens")["x-forwarded-client-cert"]
    # Everything between the quotes that are not escaped is one value.
    assert re.sub(r'"(?:[^"\\]|\\.)*"', "...", told).count("=") == 3
    assert "URI=urn:evil" in told
    assert re.sub(r'"(?:[^"\\]|\\.)*"', "...", told).endswith(f"URI={uri_of(spoke)}")


def uri_of(spoke: Spoke) -> str:
    names = leaf(spoke).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    [uri] = names.get_values_for_type(x509.UniformResourceIdentifier)
    return uri


def test_a_service_is_handed_the_certificate_by_rfc_9440(world: World, caller: Spoke) -> None:
    with echo_service() as port:
        world.serve(Service("cert", "/cert", f"http://127.0.0.1:{port}"), ISSUER)
        other, _ = world.connected()
        for spoke in (caller, other, caller):
            with world.open(spoke) as line:
                line.until("/cert", 200)
                told = headers_at(line, "/cert", ("Client-Cert", ":forged:"), ("Client-Cert-Chain", ":forged:"))
                again = headers_at(line, "/cert")
            # RFC 9440 section 2.1, RFC 8941 section 3.3.5: the DER, in base64, between colons; one line.
            assert told["client-cert"] == again["client-cert"]
            assert re.fullmatch(r":[A-Za-z0-9+/]+=*:", told["client-cert"])
            assert base64.b64decode(told["client-cert"][1:-1], validate=True) == certificate_der(leaf(spoke))
            assert "client-cert-chain" not in told


def test_a_service_that_does_without_it_is_handed_no_certificate(world: World, caller: Spoke) -> None:
    with echo_service() as port:
        world.serve(Service("bare", "/bare", f"http://127.0.0.1:{port}", client_cert=False), ISSUER)
        with world.open(caller) as line:
            line.until("/bare", 200)
            assert "client-cert" not in headers_at(line, "/bare", ("Client-Cert", ":forged:"))


UNTRUSTED = (
    ("Forwarded", "for=192.0.2.99"),
    ("X-Forwarded-For", "192.0.2.99"),
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Proto", "http"),
    ("X-Forwarded-Prefix", "/evil"),
    ("X-Real-IP", "192.0.2.99"),
    ("X-Original-URL", "/vault"),
    ("X-Rewrite-URL", "/vault"),
    ("X-Envoy-Retry-On", "5xx"),
    ("X-Envoy-Upstream-Rq-Timeout-Ms", "1"),
    ("X-Envoy-Original-Path", "/vault"),
    ("X-Envoy-Internal", "true"),
    ("X-Envoy-External-Address", "192.0.2.99"),
    ("X-Request-Id", "evil\tid"),
)


@pytest.mark.parametrize("header", UNTRUSTED, ids=[name for name, _ in UNTRUSTED])
def test_what_a_customer_says_of_its_way_does_not_reach_the_service(
    world: World, caller: Spoke, header: tuple[str, str]
) -> None:
    with world.open(caller) as line:
        clean, told = headers_at(line, "/tokens"), headers_at(line, "/tokens", header)
    assert told.keys() == clean.keys()
    assert told.get(header[0].lower()) != header[1]
    assert told["x-forwarded-proto"] == "https"
    assert re.fullmatch(r"[0-9a-f-]{36}", told["x-request-id"])


def test_a_customers_own_headers_reach_the_service(world: World, caller: Spoke) -> None:
    with world.open(caller) as line:
        told = headers_at(line, "/tokens", ("X-Correlation-Id", "bank-1"), ("Authorization", "Bearer x"))
    assert (told["x-correlation-id"], told["authorization"]) == ("bank-1", "Bearer x")


def test_every_answer_has_the_id_of_the_request_whoever_gives_it(world: World, caller: Spoke) -> None:
    with world.open(caller) as line:
        for path in ("/tokens", "/vault", "/nothing", "/connectivity"):
            found = line.answer("GET", path, (("X-Request-Id", "mine"),))
            found.read()
            assert re.fullmatch(r"[0-9a-f-]{36}", found.headers["x-request-id"]), path


def test_a_service_that_nobody_may_reach_denies_everybody_whom_the_endpoint_knows(world: World, caller: Spoke) -> None:
    with serving(answer) as upstream:
        world.serve(Service("nobody", "/nobody", f"http://127.0.0.1:{upstream.port}"))
        merchant, _ = world.connected(MERCHANT)
        for spoke in (caller, merchant):
            with world.open(spoke) as line:
                assert [line.ask(path)[0] for path in ("/nobody", "/nobody/x", "/connectivity")] == [403, 403, 200]
    assert upstream.heads == []


def test_a_prefix_is_stripped_for_a_service_that_asks_for_it(world: World, caller: Spoke) -> None:
    with serving(answer) as upstream:
        service = Service("plain", "/plain.v1", f"http://127.0.0.1:{upstream.port}", strip_prefix=True)
        world.serve(service, ISSUER)
        with world.open(caller) as line:
            line.until("/plain.v1", 200)
            paths = (
                "/plain.v1",
                "/plain.v1/",
                "/plain.v1/a/b",
                "/plain.v1?n=1",
                "/plain.v1/a?/plain.v1/b",
                "//plain.v1//a",
            )
            seen = [line.ask(path)[1].decode() for path in paths]
            assert seen == ["/", "/", "/a/b", "/?n=1", "/a?/plain.v1/b", "/a"]
            assert line.ask("/plainXv1")[0] == 404


# What the service did before it failed nobody knows: once is once, whatever the method.
@pytest.mark.parametrize("method", ["POST", "GET", "PUT"])
def test_a_request_that_a_service_has_read_is_never_sent_again(world: World, caller: Spoke, method: str) -> None:
    with serving(reset) as upstream:
        name = f"reset-{method.lower()}"
        world.serve(Service(name, f"/{name}", f"http://127.0.0.1:{upstream.port}"), ISSUER)
        with world.open(caller) as line:
            line.until(f"/{name}/ready", 503)
            body = b"" if method == "GET" else b"pay 100"
            more = (("X-Envoy-Retry-On", "5xx,reset"), ("X-Envoy-Max-Retries", "3"))
            found = line.answer(method, f"/{name}/pay", more, body)
            assert (found.status, found.headers["content-type"]) == (503, "application/problem+json")
            problem = json.loads(found.read())
            assert problem["type"] == "urn:bothways:problem:service-unanswered"
            assert "Whether it did what was asked is not known" in problem["detail"]
    assert [head.split("\r\n")[0] for head in upstream.heads if "/pay" in head] == [f"{method} /{name}/pay HTTP/1.1"]


def test_an_answer_of_the_service_is_never_asked_for_again(world: World, caller: Spoke) -> None:
    def unavailable(upstream: Upstream, connection: socket.socket) -> None:
        while upstream.read(connection):
            connection.sendall(b"HTTP/1.1 503 No\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n")

    with serving(unavailable) as upstream:
        world.serve(Service("busy", "/busy", f"http://127.0.0.1:{upstream.port}"), ISSUER)
        with world.open(caller) as line:
            while True:
                found = line.answer("GET", "/busy")
                found.read()
                if found.headers["retry-after"]:
                    break
            before = len(upstream.heads)
            assert line.ask("/busy")[0] == 503
    assert len(upstream.heads) == before + 1


def test_a_service_that_is_away_is_a_problem_that_says_nothing_of_the_inside(world: World, caller: Spoke) -> None:
    [port] = free_ports(1)
    world.serve(Service("away", "/away", f"http://127.0.0.1:{port}"), ISSUER)
    with world.open(caller) as line:
        found = line.answer("GET", "/away")
        body = found.read()
    problem = json.loads(body)
    assert (found.status, found.headers["content-type"]) == (503, "application/problem+json")
    assert problem == {
        "type": "urn:bothways:problem:service-unreachable",
        "status": 503,
        "detail": "The service cannot be reached now. It has not seen this request: send it again later.",
        "request_id": found.headers["x-request-id"],
    }


def held(release: threading.Event) -> Callable[[Upstream, socket.socket], None]:
    """Return a service that answers nothing before the test is over."""

    def hold(upstream: Upstream, connection: socket.socket) -> None:
        while request := upstream.read(connection):
            if b"/wait" in request.split(b"\r\n")[0]:
                release.wait()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    return hold


def test_a_service_that_takes_longer_than_its_time_out_is_a_504_and_not_asked_again(
    world: World, caller: Spoke
) -> None:
    release = threading.Event()
    with serving(held(release)) as upstream:
        world.serve(Service("slow", "/slow", f"http://127.0.0.1:{upstream.port}", timeout=1), ISSUER)
        with world.open(caller) as line:
            line.until("/slow", 200)
            status, body = line.ask("/slow/wait")
            release.set()
        problem = json.loads(body)
        assert (status, problem["status"], problem["type"]) == (504, 504, "urn:bothways:problem:service-unanswered")
    assert sum("/slow/wait" in each for each in upstream.heads) == 1


def test_a_sick_service_gets_no_calls_until_it_is_healthy(world: World, caller: Spoke) -> None:
    sick = threading.Event()

    def serve(upstream: Upstream, connection: socket.socket) -> None:
        while request := upstream.read(connection):
            bad = sick.is_set() and b"/health" in request.split(b"\r\n")[0]
            connection.sendall(b"HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n" % (b"500 Sick" if bad else b"200 OK"))

    with serving(serve) as upstream:
        sick.set()
        url = f"http://127.0.0.1:{upstream.port}"
        world.serve(Service("health", "/health-of", url, health_path="/health?of=it"), ISSUER)
        with world.open(caller) as line:
            assert line.ask("/health-of")[0] == 503
            sick.clear()
            line.until("/health-of", 200)
    checks = [head for head in upstream.heads if head.startswith("GET /health?of=it ")]
    assert len(checks) >= 2
    first_call = next(at for at, head in enumerate(upstream.heads) if head.startswith("GET /health-of"))
    assert first_call >= 2
