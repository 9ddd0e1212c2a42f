"""Single connections, against sockets of ours: what is heard, and what is not sent. Real servers are in tests/wire."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.wire.servers import accepting

from bothways.connectivity.evidence import Caller, Outcome, TcpSeen, VersionSeen
from bothways.pki.alerts import alert
from bothways.pki.chain import certificate_pem
from bothways.pki.hello import TLS_1_2
from bothways.spoke import knock
from bothways.spoke.knock import Target

Served = Callable[[ssl.SSLSocket], None]


@pytest.fixture
def server(make_ca: Callable[..., Any], tmp_path: Path) -> ssl.SSLContext:
    key, certificate = make_ca("bank.localhost")
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode() + certificate_pem(certificate)
    (tmp_path / "server.pem").write_text(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    return context


@pytest.fixture
def nobody() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def target(port: int) -> Target:
    return Target("127.0.0.1", port, "bank.localhost", "/hub")


def over_tls(context: ssl.SSLContext, answer: Served) -> Callable[[socket.socket], None]:
    def accept(plain: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(plain, server_side=True) as secured:
            answer(secured)

    return accept


def test_a_port_takes_a_connection_or_says_why_not() -> None:
    with accepting(lambda _: None) as port:
        assert asyncio.run(knock.tcp("127.0.0.1", port)) == TcpSeen("127.0.0.1", port)
    assert asyncio.run(knock.tcp("127.0.0.1", port)) == TcpSeen("127.0.0.1", port, "connection refused")


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        (b"HTTP/1.0 400 Bad\r\n", VersionSeen("TLS 1.2", offered=False, began=b"HTTP/1.0 400 Bad\r\n")),
        (b"\x15\x03\x03\x00\x02\x02\x46", VersionSeen("TLS 1.2", offered=False, alert=alert(70))),
        (b"", VersionSeen("TLS 1.2", offered=False, failure="the connection was closed")),
    ],
)
def test_what_is_said_to_a_hello_is_told_as_it_is(sent: bytes, seen: VersionSeen) -> None:
    def answer(plain: socket.socket) -> None:
        plain.recv(4096)
        plain.sendall(sent)

    with accepting(answer) as port:
        assert asyncio.run(knock.version(target(port), TLS_1_2)) == seen


def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch, nobody: ssl.SSLContext) -> None:
    monkeypatch.setattr(knock, "PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert asyncio.run(knock.version(target(port), TLS_1_2)).failure == "nothing was heard in 0 s"
        seen = asyncio.run(knock.knock(target(port), Caller.NOBODY, nobody, lambda _: True))
        assert seen.outcome is Outcome.SILENT
        assert asyncio.run(knock.presented(target(port), nobody)) == ((), "nothing was heard in 0 s")


def test_the_question_goes_to_the_path_under_the_host_name(server: ssl.SSLContext, nobody: ssl.SSLContext) -> None:
    heard: list[bytes] = []

    def answer(secured: ssl.SSLSocket) -> None:
        heard.append(secured.recv(4096))
        secured.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        secured.sendall(b"No required SSL certificate was sent")

    with accepting(over_tls(server, answer)) as port:
        seen = asyncio.run(knock.knock(target(port), Caller.NOBODY, nobody, lambda _: True))
    assert heard[0].startswith(b"GET /hub HTTP/1.1\r\nHost: bank.localhost\r\n")
    assert (seen.outcome, seen.status, seen.certificate_error) == (Outcome.ANSWERED, 400, True)


def test_a_server_that_is_not_believed_is_asked_for_nothing(server: ssl.SSLContext, nobody: ssl.SSLContext) -> None:
    heard: list[bytes] = []
    with accepting(over_tls(server, lambda secured: heard.append(secured.recv(4096)))) as port:
        seen = asyncio.run(knock.knock(target(port), Caller.CURRENT, nobody, lambda _: False))
    assert seen.outcome is Outcome.UNREACHABLE
    assert b"".join(heard) == b""


def test_the_chain_is_read_though_the_handshake_failed(server: ssl.SSLContext, nobody: ssl.SSLContext) -> None:
    server.verify_mode, server.maximum_version = ssl.CERT_REQUIRED, ssl.TLSVersion.TLSv1_2
    with accepting(over_tls(server, lambda _: None)) as port:
        [own], failure = asyncio.run(knock.presented(target(port), nobody))
        seen = asyncio.run(knock.knock(target(port), Caller.NOBODY, nobody, lambda _: True))
    assert failure == ""
    assert own.subject.rfc4514_string() == "CN=bank.localhost"
    assert (seen.outcome, seen.alert) == (Outcome.REFUSED, alert(40))


def test_a_server_that_closes_without_a_word_lets_nobody_in(server: ssl.SSLContext, nobody: ssl.SSLContext) -> None:
    heard: list[bytes] = []
    with accepting(over_tls(server, lambda secured: heard.append(secured.recv(4096)))) as port:
        seen = asyncio.run(knock.knock(target(port), Caller.NOBODY, nobody, lambda _: True))
    assert seen.outcome is Outcome.CLOSED


def test_where_nobody_listens_nothing_comes_of_a_knock(nobody: ssl.SSLContext) -> None:
    seen = asyncio.run(knock.knock(target(1), Caller.NOBODY, nobody, lambda _: True))
    assert (seen.outcome, seen.said) == (Outcome.UNREACHABLE, "connection refused")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_a_look_at_the_chain_is_no_call_without_a_certificate(
    server: ssl.SSLContext, nobody: ssl.SSLContext, version: ssl.TLSVersion
) -> None:
    server.verify_mode = ssl.CERT_REQUIRED
    server.maximum_version = version
    seen: list[str] = []

    def accept(plain: socket.socket) -> None:
        try:
            server.wrap_socket(plain, server_side=True).close()
        except OSError as error:
            seen.append(str(error))

    with accepting(accept) as port:
        chain, failure = asyncio.run(knock.presented(target(port), nobody))
    assert (len(chain), failure) == (1, "")
    assert len(seen) == 1
    assert "PEER_DID_NOT_RETURN_A_CERTIFICATE" not in seen[0]
