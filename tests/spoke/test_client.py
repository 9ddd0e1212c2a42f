import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bothways import files
from bothways.cli.opening import control
from bothways.contract.document import KeyType
from bothways.contract.render import render_contract
from bothways.contract.subject import Subject
from bothways.demo.customer_ca import make_server_files
from bothways.errors import NotAuthorized, Unreachable, Unusable
from bothways.operations.hub import Hub
from bothways.spoke.client import Client, call, open_client, tls_context
from bothways.spoke.csr import make_request
from bothways.spoke.directory import Spoke, open_spoke
from bothways.spoke.install import install_certificate

MakeCA = Callable[..., tuple[object, x509.Certificate]]


def other_server_ca(spoke: Spoke, make_ca: MakeCA) -> Spoke:
    """Return the spoke under a contract whose server CA is another one."""
    pem = make_ca("not the hub's server CA")[1].public_bytes(Encoding.PEM).decode()
    return replace(spoke, contract=replace(spoke.contract, trust=replace(spoke.contract.trust, server_ca=pem)))


@pytest.mark.envoy
def test_the_hub_answers_and_both_sides_know_each_other(running_hub: Hub, ready_spoke: Spoke) -> None:
    applied = control(running_hub, "POST", "/apply")
    assert applied
    assert applied["in_force"]
    with open_client(ready_spoke) as client:
        answer = call(client, "GET", "/connectivity")
    assert (answer.status, answer.tls_version) == (200, "TLSv1.3")
    assert json.loads(answer.body)["customer"] == ready_spoke.tsp_id
    assert "api.ppr.hub.localhost" in answer.server
    assert running_hub.terms.endpoint == ready_spoke.contract.terms.endpoint
    document = answer.document()
    assert document["body"] == answer.body.decode()
    assert document["milliseconds"] > 0


@pytest.mark.envoy
@pytest.mark.usefixtures("running_hub")
def test_a_certificate_of_a_foreign_ca_is_refused_by_tls(ready_spoke: Spoke, make_ca: MakeCA) -> None:
    key, certificate = make_ca("TLSMA-ECDSA/12345678/PPR", ca=False)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # type: ignore[attr-defined]
    files.replace(ready_spoke.certificate_file, certificate.public_bytes(Encoding.PEM))
    files.replace(ready_spoke.key_file, pem, files.PRIVATE)
    with open_client(ready_spoke) as client, pytest.raises(NotAuthorized, match="refused our certificate"):
        call(client, "GET", "/connectivity")


@pytest.mark.envoy
@pytest.mark.usefixtures("running_hub")
def test_a_server_that_is_not_the_hub_of_the_contract_is_refused(ready_spoke: Spoke, make_ca: MakeCA) -> None:
    other = other_server_ca(ready_spoke, make_ca)
    with open_client(other) as client, pytest.raises(NotAuthorized, match="is not the hub of the contract"):
        call(client, "GET", "/connectivity")


def test_a_hub_that_does_not_run_is_unreachable(ready_spoke: Spoke) -> None:
    with open_client(ready_spoke) as client, pytest.raises(Unreachable, match="does not answer"):
        call(client, "GET", "/connectivity")


@pytest.mark.parametrize("path", ["connectivity", "http://127.0.0.1:1/", "//elsewhere/", ""])
def test_our_certificate_is_taken_to_no_other_place_than_the_endpoint(ready_spoke: Spoke, path: str) -> None:
    with open_client(ready_spoke) as client, pytest.raises(Unusable, match="no path at the hub's endpoint"):
        call(client, "GET", path)


class _Who(BaseHTTPRequestHandler):
    """Answers with the serial number of the client certificate."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        assert isinstance(self.connection, ssl.SSLSocket)
        certificate = x509.load_der_x509_certificate(self.connection.getpeercert(binary_form=True) or b"")
        content = str(certificate.serial_number).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of http.server
        pass


@pytest.fixture
def answering(ready_spoke: Spoke, tmp_path: Path) -> Iterator[Spoke]:
    """The spoke of a hub that answers with the serial number of who calls."""
    made = make_server_files(tmp_path, "Hub", "api.localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=ready_spoke.contract.trust.issuing_ca)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Who) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        terms = replace(ready_spoke.contract.terms, endpoint=f"https://api.localhost:{server.server_address[1]}")
        trust = replace(ready_spoke.contract.trust, server_ca=made.chain.read_text())
        changed = replace(ready_spoke.contract, terms=terms, trust=trust)
        files.replace(ready_spoke.contract_file, render_contract(changed).encode())
        yield open_spoke(ready_spoke.directory)
        server.shutdown()
        thread.join()


def serial_number(spoke: Spoke) -> str:
    return str(x509.load_pem_x509_certificates(spoke.certificate_file.read_bytes())[0].serial_number)


def test_a_renewed_certificate_is_used_by_an_open_client_and_the_old_connections_end(
    answering: Spoke, subject: Subject, renewed: Callable[[Spoke], bytes]
) -> None:
    told: list[str] = []
    with Client(str(answering.directory), on_change=told.append) as client:
        before, first = serial_number(answering), client.get("/")
        assert (first.text, client.get("/").text) == (before, before)
        make_request(answering, KeyType.ECDSA, subject)
        install_certificate(answering, renewed(answering))
        answer = client.get("/")
        assert answer.text == serial_number(answering) != before
        assert told == ["files have changed and are in use"]
        assert first.extensions["network_stream"].get_extra_info("socket").fileno() == -1


def test_damaged_files_keep_no_open_client_from_calling(answering: Spoke) -> None:
    told: list[str] = []
    with Client(answering, on_change=told.append) as client:
        before = client.get("/").text
        files.replace(answering.certificate_file, b"damaged")
        assert client.get("/").text == before
        assert len(told) == 1
        assert "cannot be used, so it goes on as before" in told[0]


def test_requests_from_many_threads_while_the_certificate_changes_all_succeed(
    answering: Spoke, subject: Subject, renewed: Callable[[Spoke], bytes]
) -> None:
    make_request(answering, KeyType.ECDSA, subject)
    before, chain = serial_number(answering), renewed(answering)
    seen: list[str] = []
    with Client(answering) as client:

        def load() -> None:
            while not seen or before in seen[-4:]:
                seen.append(client.get("/").text)

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        install_certificate(answering, chain)
        for thread in threads:
            thread.join(60)
    assert set(seen) <= {before, serial_number(answering)}
    assert seen[-1] == serial_number(answering)


@pytest.mark.parametrize("path", ["/a\nb", "/a\0b", "/a\udcff", "/a b", "/a#b", "/\x7f"], ids=ascii)
def test_a_path_with_what_no_path_can_have_is_refused_before_anything_is_sent(ready_spoke: Spoke, path: str) -> None:
    with open_client(ready_spoke) as client, pytest.raises(Unusable, match="percent-encoded"):
        call(client, "GET", path)


@pytest.mark.parametrize("method", ["", "G ET", "GET\r\nHost: x", "G\u00c9T", "\udcff", "1"], ids=ascii)
def test_what_is_no_method_is_refused(ready_spoke: Spoke, method: str) -> None:
    with open_client(ready_spoke) as client, pytest.raises(Unusable, match="is no HTTP method"):
        call(client, method, "/connectivity")


@pytest.mark.parametrize("endpoint", ["https://a..b:1", f"https://{'a' * 64}.example:1"])
def test_an_endpoint_whose_name_cannot_be_looked_up_is_unreachable(ready_spoke: Spoke, endpoint: str) -> None:
    terms = replace(ready_spoke.contract.terms, endpoint=endpoint)
    changed = replace(ready_spoke, contract=replace(ready_spoke.contract, terms=terms))
    with open_client(changed) as client, pytest.raises(Unreachable, match="does not answer"):
        call(client, "GET", "/connectivity")


def test_a_server_that_speaks_no_tls_is_unreachable(ready_spoke: Spoke) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        terms = replace(ready_spoke.contract.terms, endpoint=f"https://localhost:{server.getsockname()[1]}")
        changed = replace(ready_spoke, contract=replace(ready_spoke.contract, terms=terms))

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"220 mail ready\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with open_client(changed) as client, pytest.raises(Unreachable, match="does not answer"):
            call(client, "GET", "/connectivity")
        thread.join()


def test_tls_is_1_2_or_higher_and_trusts_the_contract_alone(ready_spoke: Spoke) -> None:
    context = tls_context(ready_spoke)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    trusted = context.get_ca_certs(binary_form=True)
    wanted = x509.load_pem_x509_certificates(ready_spoke.contract.trust.server_ca.encode())
    assert trusted == [each.public_bytes(Encoding.DER) for each in wanted]


@pytest.mark.parametrize(("name", "command"), [("tls.crt", "install CERT"), ("tls.key", "csr")])
def test_without_certificate_or_key_it_says_what_to_do(ready_spoke: Spoke, name: str, command: str) -> None:
    (ready_spoke.directory / name).unlink()
    with pytest.raises(Unusable, match=f"{name} is missing. Get it: bothways spoke {command} --directory "):
        tls_context(ready_spoke)


def test_a_key_of_another_certificate_is_said(ready_spoke: Spoke) -> None:
    command = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
    other = subprocess.run(command, capture_output=True, check=True, timeout=30)
    files.replace(ready_spoke.key_file, other.stdout, files.PRIVATE)
    with pytest.raises(Unusable, match="do not belong together"):
        tls_context(ready_spoke)


def test_a_damaged_certificate_is_said(ready_spoke: Spoke) -> None:
    files.replace(ready_spoke.certificate_file, b"damaged")
    with pytest.raises(Unusable, match=r"tls\.crt holds no certificate in PEM"):
        tls_context(ready_spoke)
