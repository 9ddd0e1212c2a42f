import contextlib
import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.wire.upstream import answer, serving

from bothways import files
from bothways.demo.customer_ca import ServerFiles, make_server_files
from bothways.errors import Unreachable, Unusable
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub
from bothways.operations.rotation import rotate_client_certificate
from bothways.spoke.directory import Spoke
from bothways.spoke.listen import Callback, Receiver
from bothways.xds.state import Address

HOST = "callbacks.localhost"
POST = f"POST /notify?id=7 HTTP/1.1\r\nHost: {HOST}\r\n"


@dataclass
class Listening:
    """A receiver that runs, and what it told."""

    port: int
    server: ServerFiles
    callbacks: "queue.Queue[Callback]" = field(default_factory=queue.Queue)
    refusals: "queue.Queue[str]" = field(default_factory=queue.Queue)

    def send(self, request: str, pair: Path | None) -> bytes:
        """Send bytes over TLS with this certificate and key, and return everything that comes back."""
        context = ssl.create_default_context(cafile=str(self.server.chain))
        if pair:
            context.load_cert_chain(pair)
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=HOST) as secured,
        ):
            # A receiver that refuses may have closed already; its alert is still there to be read.
            with contextlib.suppress(OSError):
                secured.sendall(request.encode())
            received = b""
            while part := secured.recv(65536):
                received += part
            return received


@pytest.fixture
def server_files(tmp_path: Path) -> ServerFiles:
    return make_server_files(tmp_path, "First Bank", HOST)


@pytest.fixture
def listening(spoke: Spoke, server_files: ServerFiles) -> Iterator[Listening]:
    told = Listening(0, server_files)
    certificate, key = server_files.certificate, server_files.key
    with Receiver(spoke, ("127.0.0.1", 0), certificate, key, told.callbacks.put, told.refusals.put) as receiver:
        told.port = receiver.server_address[1]
        thread = threading.Thread(target=receiver.serve_forever, daemon=True)
        thread.start()
        yield told
        receiver.shutdown()
        thread.join()


@pytest.fixture
def hub_pair(hub: Hub, tmp_path: Path) -> Callable[[], Path]:
    """Return a maker of the file with the client certificate and key that the hub uses now."""

    def make() -> Path:
        pair = hub_state(hub).client
        path = tmp_path / "hub-client.pem"
        files.replace(path, (pair.key_pem + pair.certificate_pem).encode(), files.PRIVATE)
        return path

    return make


def foreign_pair(tmp_path: Path, make_ca: Callable[..., tuple[object, x509.Certificate]]) -> Path:
    key, certificate = make_ca("ppr.hub.localhost", make_ca("foreign CA"), ca=False)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # type: ignore[attr-defined]
    path = tmp_path / "foreign.pem"
    files.write_new(path, pem + certificate.public_bytes(Encoding.PEM), files.PRIVATE)
    return path


def test_a_call_of_the_hub_is_told_and_answered(listening: Listening, hub_pair: Callable[[], Path]) -> None:
    answer = listening.send(f"{POST}Content-Length: 5\r\nConnection: close\r\n\r\nhello", hub_pair())
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"received": true' in answer
    callback = listening.callbacks.get(timeout=10)
    assert (callback.method, callback.path, callback.body) == ("POST", "/notify?id=7", "hello")
    assert "CN=ppr.hub.localhost PPR client" in callback.caller
    assert callback.document()["headers"] == (("Host", HOST), ("Content-Length", "5"), ("Connection", "close"))
    assert callback.document()["tls_version"] == callback.tls_version == "TLSv1.3"


def test_a_call_is_told_and_handed_on_and_the_applications_answer_is_the_hubs(
    spoke: Spoke, server_files: ServerFiles, hub_pair: Callable[[], Path]
) -> None:
    told = Listening(0, server_files)
    pair = server_files.certificate, server_files.key
    with serving(answer) as application:
        to = Address("127.0.0.1", application.port)
        with Receiver(spoke, ("127.0.0.1", 0), *pair, told.callbacks.put, told.refusals.put, to) as receiver:
            told.port = receiver.server_address[1]
            threading.Thread(target=receiver.serve_forever, daemon=True).start()
            request = f"{POST}Bothways-Hub: evil\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"
            good = told.send(request, hub_pair())
            assert good.startswith(b"HTTP/1.1 200 ")
            assert good.endswith(b"\r\n\r\n/notify?id=7")
            assert told.callbacks.get(timeout=10).raw == b"hi"
            [head] = application.heads
            assert f"bothways-hub: {spoke.contract.terms.hub}\r\n" in head
            assert "evil" not in head
            receiver.application = Address("127.0.0.1", 1)
            assert told.send(request, hub_pair()).startswith(b"HTTP/1.1 502 ")
            assert "POST /notify?id=7 is answered with 502: nobody listens" in told.refusals.get(timeout=10)
            receiver.shutdown()


def test_the_hub_may_rotate_its_certificate_unannounced(
    hub: Hub, listening: Listening, hub_pair: Callable[[], Path]
) -> None:
    request = f"{POST}Connection: close\r\n\r\n"
    before = listening.send(request, hub_pair())
    rotate_client_certificate(hub)
    after = listening.send(request, hub_pair())
    assert before.startswith(b"HTTP/1.1 200 ")
    assert after.startswith(b"HTTP/1.1 200 ")
    assert len({listening.callbacks.get(timeout=10).fingerprint for _ in range(2)}) == 2


def test_without_a_client_certificate_the_handshake_is_refused(listening: Listening) -> None:
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"):
        listening.send(f"{POST}\r\n", None)
    assert listening.refusals.get(timeout=10) == (
        "refused 127.0.0.1: it showed no client certificate (PEER_DID_NOT_RETURN_A_CERTIFICATE)"
    )
    assert listening.callbacks.empty()


def test_a_certificate_of_a_foreign_ca_is_refused_even_with_the_hubs_name(
    listening: Listening, tmp_path: Path, make_ca: Callable[..., tuple[object, x509.Certificate]]
) -> None:
    with pytest.raises(ssl.SSLError, match="UNKNOWN_CA"):
        listening.send(f"{POST}\r\n", foreign_pair(tmp_path, make_ca))
    refusal = listening.refusals.get(timeout=10)
    assert "is not one of the Client CA in the contract (CERTIFICATE_VERIFY_FAILED: " in refusal
    assert listening.callbacks.empty()


@pytest.fixture
def other_name(spoke: Spoke) -> Spoke:
    """The spoke under a contract with another hub, whose Client CA is the same."""
    terms = replace(spoke.contract.terms, hub="another.hub.localhost")
    return replace(spoke, contract=replace(spoke.contract, terms=terms))


def test_the_right_ca_with_another_name_is_answered_403(
    other_name: Spoke, server_files: ServerFiles, hub_pair: Callable[[], Path]
) -> None:
    told = Listening(0, server_files)
    certificate, key = server_files.certificate, server_files.key
    with Receiver(other_name, ("127.0.0.1", 0), certificate, key, told.callbacks.put, told.refusals.put) as receiver:
        told.port = receiver.server_address[1]
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        answer = told.send(f"{POST}\r\n", hub_pair())
        receiver.shutdown()
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert told.refusals.get(timeout=10).startswith("refused 127.0.0.1: RECEIVE-01: ")
    assert told.callbacks.empty()


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Content-Length: 1048577", 413),
        ("Content-Length: -1", 411),
        ("Content-Length: five", 411),
        ("Transfer-Encoding: chunked", 411),
    ],
)
def test_a_body_that_is_too_large_or_cannot_be_measured_ends_the_connection(
    listening: Listening, hub_pair: Callable[[], Path], header: str, status: int
) -> None:
    answer = listening.send(f"{POST}{header}\r\n\r\n", hub_pair())
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert listening.callbacks.empty()


def test_a_peer_that_says_nothing_holds_up_nobody(listening: Listening, hub_pair: Callable[[], Path]) -> None:
    with socket.create_connection(("127.0.0.1", listening.port), timeout=10):
        answer = listening.send(f"{POST}Connection: close\r\n\r\n", hub_pair())
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_body_that_ends_too_early_is_no_call(listening: Listening, hub_pair: Callable[[], Path]) -> None:
    context = ssl.create_default_context(cafile=str(listening.server.chain))
    context.load_cert_chain(hub_pair())
    with (
        socket.create_connection(("127.0.0.1", listening.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as secured,
    ):
        secured.sendall(f"{POST}Content-Length: 10\r\n\r\nhalf".encode())
        secured.shutdown(socket.SHUT_WR)
    answer = listening.send(f"{POST}Content-Length: 4\r\nConnection: close\r\n\r\nfull", hub_pair())
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert listening.callbacks.get(timeout=10).body == "full"
    assert listening.callbacks.empty()


@pytest.mark.parametrize("phase", ["handshake", "request"])
def test_a_peer_that_takes_too_long_is_cut(
    listening: Listening, hub_pair: Callable[[], Path], monkeypatch: pytest.MonkeyPatch, phase: str
) -> None:
    if phase == "handshake":
        monkeypatch.setattr("bothways.spoke.connections.HANDSHAKE_SECONDS", 0.2)
        with socket.create_connection(("127.0.0.1", listening.port), timeout=30) as plain:
            assert plain.recv(1) == b""
        assert "the handshake failed" in listening.refusals.get(timeout=10)
        return
    monkeypatch.setattr("bothways.spoke.listen.REQUEST_SECONDS", 0.2)
    context = ssl.create_default_context(cafile=str(listening.server.chain))
    context.load_cert_chain(hub_pair())
    with (
        socket.create_connection(("127.0.0.1", listening.port), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname=HOST, suppress_ragged_eofs=True) as secured,
    ):
        secured.sendall(POST.encode())
        assert secured.recv(1) == b""
    assert listening.callbacks.empty()


def test_a_new_certificate_is_used_for_new_connections_and_open_ones_end_after_their_request(
    listening: Listening, hub_pair: Callable[[], Path], tmp_path: Path
) -> None:
    context = ssl.create_default_context(cafile=str(listening.server.chain))
    context.load_cert_chain(hub_pair())
    with (
        socket.create_connection(("127.0.0.1", listening.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as secured,
    ):
        secured.sendall(f"{POST}\r\n".encode())
        first = b""
        while not first.endswith(b"}\n"):
            first += secured.recv(65536)
        assert b"Connection: close" not in first
        (tmp_path / "new").mkdir()
        made = make_server_files(tmp_path / "new", "Second Bank", HOST)
        for new, old in ((made.certificate, listening.server.certificate), (made.key, listening.server.key)):
            files.replace(old, new.read_bytes(), files.PRIVATE)
        secured.sendall(f"{POST}\r\n".encode())
        received = b""
        while part := secured.recv(65536):
            received += part
        assert received.startswith(b"HTTP/1.1 200 ")
        assert b"Connection: close" in received
    assert "files have changed and are in use" in listening.refusals.get(timeout=10)
    renewed = replace(listening, server=made)
    assert renewed.send(f"{POST}Connection: close\r\n\r\n", hub_pair()).startswith(b"HTTP/1.1 200 ")


def test_calls_that_can_be_told_to_nobody_are_refused_and_end_the_receiver(
    spoke: Spoke, server_files: ServerFiles, hub_pair: Callable[[], Path]
) -> None:
    def broken(_: Callback) -> None:
        raise BrokenPipeError("nobody reads")

    told = Listening(0, server_files)
    pair = server_files.certificate, server_files.key
    with Receiver(spoke, ("127.0.0.1", 0), *pair, broken, told.refusals.put) as receiver:
        told.port = receiver.server_address[1]
        thread = threading.Thread(target=receiver.serve_forever)
        thread.start()
        assert told.send(f"{POST}Connection: close\r\n\r\n", hub_pair()).startswith(b"HTTP/1.1 503 ")
        thread.join(30)
        assert not thread.is_alive()
        assert isinstance(receiver.failure, BrokenPipeError)


def test_it_listens_at_ipv6_addresses_too(spoke: Spoke, server_files: ServerFiles) -> None:
    with Receiver(spoke, ("::1", 0), server_files.certificate, server_files.key, print, print) as receiver:
        assert receiver.server_address[0] == "::1"


@pytest.mark.parametrize(
    ("address", "error", "said"),
    [
        (("127.0.0.1", 65536), Unusable, "65536 is no port"),
        (("127.0.0.1", -1), Unusable, "-1 is no port"),
        (("192.0.2.1", 0), Unreachable, "cannot be listened on: cannot assign requested address"),
        (("a" * 64 + ".invalid", 0), Unreachable, "cannot be listened on"),
    ],
)
def test_an_address_that_cannot_be_listened_on_is_said(
    spoke: Spoke, server_files: ServerFiles, address: tuple[str, int], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        Receiver(spoke, address, server_files.certificate, server_files.key, print, print)


def test_a_port_in_use_is_unreachable(spoke: Spoke, listening: Listening) -> None:
    server = listening.server
    with pytest.raises(Unreachable, match=f"port {listening.port} at 127.0.0.1 .* address already in use"):
        Receiver(spoke, ("127.0.0.1", listening.port), server.certificate, server.key, print, print)


@pytest.mark.parametrize("missing", ["certificate", "key", "swapped"])
def test_certificates_that_cannot_be_used_are_said(spoke: Spoke, server_files: ServerFiles, missing: str) -> None:
    certificate, key, said = {
        "certificate": (Path("/nonexistent"), server_files.key, "the certificate cannot be read"),
        "key": (server_files.certificate, Path("/nonexistent"), "the private key cannot be read"),
        "swapped": (server_files.key, server_files.certificate, "holds no certificate in PEM"),
    }[missing]
    with pytest.raises(Unusable, match=said):
        Receiver(spoke, ("127.0.0.1", 0), certificate, key, print, print)
