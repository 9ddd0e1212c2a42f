import socket
from collections.abc import Callable

import pytest
from tests.wire.upstream import Upstream, answer, serving

from bothways.spoke.caller import Caller
from bothways.spoke.forward import Answer, handed_on
from bothways.xds.state import Address

HUB = Caller("hub.example", "PPR", "CN=hub", "ab" * 32)


def ask(port: int, *headers: tuple[str, str], path: str = "/notify?id=7", body: bytes = b"") -> Answer:
    return handed_on(Address("127.0.0.1", port), "POST", path, headers, body, HUB)


def says(text: bytes) -> Callable[[Upstream, socket.socket], None]:
    def serve(upstream: Upstream, connection: socket.socket) -> None:
        upstream.read(connection)
        connection.sendall(text)

    return serve


def test_method_path_headers_and_raw_body_arrive_and_the_caller_with_them() -> None:
    received = bytearray()

    def serve(upstream: Upstream, connection: socket.socket) -> None:
        received.extend(upstream.read(connection))
        connection.sendall(b"HTTP/1.1 201 Created\r\nX-Own: yes\r\nContent-Length: 2\r\n\r\n\xff\x00")

    raw = bytes(range(256))
    with serving(serve) as application:
        said = ask(application.port, ("Host", "bank.example"), ("X-Id", "7"), ("Bothways-Hub", "evil"), body=raw)
    head, body = bytes(received).split(b"\r\n\r\n", 1)
    assert head.decode().split("\r\n") == [
        "POST /notify?id=7 HTTP/1.1",
        "Host: bank.example",
        "X-Id: 7",
        "bothways-hub: hub.example",
        "bothways-environment: PPR",
        f"bothways-certificate: {'ab' * 32}",
        "Content-Length: 256",
    ]
    assert body == raw
    assert said == Answer(201, [("X-Own", "yes")], b"\xff\x00")


def test_what_concerns_the_connection_alone_stays_with_it() -> None:
    end = [("Connection", "close, X-Hop"), ("X-Hop", "1"), ("Keep-Alive", "5"), ("Upgrade", "h2c"), ("Expect", "x")]
    with serving(answer) as application:
        ask(application.port, *end, ("X-Folded", "one\r\n two"))
    [head] = application.heads
    assert not [name for name, _ in end if f"{name.lower()}:" in head.lower()]
    assert "X-Folded: one two\r\n" in head


def test_a_chunked_answer_is_put_together() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    with serving(says(chunked)) as application:
        assert ask(application.port) == Answer(200, [], b"abcde")


def test_an_application_that_is_not_there_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    said = ask(port)
    assert (said.status, said.headers) == (502, [("Content-Type", "application/problem+json")])
    assert said.failure == f"nobody listens at http://127.0.0.1:{port}. Start the application there."
    assert said.failure.encode() in said.body


@pytest.mark.parametrize("text", [b"", b"what?\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"])
def test_an_application_that_breaks_off_or_speaks_something_else_is_a_502(text: bytes) -> None:
    with serving(says(text)) as application:
        said = ask(application.port)
    assert said.status == 502
    assert "gave no answer that could be read" in said.failure


def test_a_silent_application_is_a_504(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bothways.spoke.forward.ANSWER_SECONDS", 0.2)
    # It takes connections, by its backlog, and says nothing.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        said = ask(silent.getsockname()[1])
    assert said.status == 504
    assert "did not answer within" in said.failure


def test_a_path_that_cannot_be_written_is_a_400() -> None:
    with serving(answer) as application:
        assert ask(application.port, path="/\xe9").status == 400
    assert application.heads == []
