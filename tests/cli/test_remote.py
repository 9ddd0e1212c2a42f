"""The API elsewhere, as a real server over TLS answers: what is no hub, and one that is asked too often."""

import base64
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bothways.cli.remote import PATIENCE, read_token, remote, require_token, text_of
from bothways.demo.customer_ca import make_server_files
from bothways.errors import BothwaysError, NotAuthorized, NotFound, Refused, Unreachable, Unusable

Answer = tuple[int, dict[str, str], bytes]
PROBLEM = {"Content-Type": "application/problem+json"}
Serving = Callable[[list[Answer]], tuple[str, Path, list[tuple[str, str | None]]]]


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    """Return a starter of an HTTPS server that gives these answers, one after the other; it keeps what was asked."""
    servers = []

    def start(answers: list[Answer]) -> tuple[str, Path, list[tuple[str, str | None]]]:
        left, asked = iter(answers), list[tuple[str, str | None]]()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append((self.path, self.headers["Authorization"]))
                status, headers, body = next(left)
                self.send_response(status)
                for name, value in (headers | {"Content-Length": str(len(body))}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        made = make_server_files(tmp_path, "Portal", "localhost")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(made.certificate, made.key)
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"https://localhost:{server.server_port}", made.chain, asked

    yield start
    for each in servers:
        each.shutdown()
        each.server_close()


def test_pages_are_asked_for_until_there_is_no_next(serving: Serving) -> None:
    url, authority, asked = serving(
        [(200, {}, b'{"items": [1, 2], "next": "b/"}'), (200, {}, b'{"items": [3], "next": null}')]
    )
    with remote(url + "/", "secret", authority) as api:
        assert list(api.every(("a/b", 7), customer="x&y", state=None)) == [1, 2, 3]
    assert asked == [
        ("/api/v1/a%2Fb/7?customer=x%26y&limit=200", "Bearer secret"),
        ("/api/v1/a%2Fb/7?customer=x%26y&after=b%2F&limit=200", "Bearer secret"),
    ]


def test_a_hub_that_is_asked_too_often_is_asked_again_when_it_says(serving: Serving) -> None:
    busy = (429, PROBLEM | {"Retry-After": "0"}, b'{"detail": "too often"}')
    too_long = (429, PROBLEM | {"Retry-After": str(int(PATIENCE) + 1)}, b'{"detail": "too often"}')
    url, authority, asked = serving([busy, busy, (200, {}, b"{}"), too_long])
    with remote(url, "secret", authority) as api:
        assert api.ask("GET", ("customers",)) == {}
        assert len(asked) == 3
        with pytest.raises(Unusable, match="too often"):
            api.ask("GET", ("customers",))


FINDING = b'{"id": "X-1", "level": "error", "message": "m", "hint": "h", "citation": "c", "subject": "s", "type": "t"}'


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        ((403, PROBLEM, b'{"detail": "not yours"}'), NotAuthorized, "not yours"),
        ((502, PROBLEM, b'{"detail": "nobody there"}'), Unreachable, "nobody there"),
        ((503, PROBLEM, b'{"detail": "not set up"}'), Unusable, "not set up"),
        ((500, PROBLEM, b'{"title": "Something"}'), Unusable, "Something"),
        ((422, PROBLEM, b'{"detail": "m", "errors": [' + FINDING + b"]}"), Refused, r"X-1: m \(s\). h"),
        ((200, {"Content-Type": "text/html"}, b"<html>"), Unusable, "not as a hub does"),
        ((302, {"Location": "https://elsewhere.example"}, b""), Unusable, "status 302 and not as a hub does"),
        ((404, {"Content-Type": "text/html"}, b"<html>"), Unusable, "status 404 and not as a hub does"),
    ],
)
def test_what_is_answered_becomes_the_error_that_the_hub_raised(
    serving: Serving, answer: Answer, error: type[BothwaysError], said: str
) -> None:
    url, authority, asked = serving([answer])
    with remote(url, "secret", authority) as api, pytest.raises(error, match=said):
        api.ask("GET", ("customers",))
    # No redirect was followed: the token went to the one who was named.
    assert len(asked) == 1


@pytest.mark.parametrize(
    "url", ["http://portal.hub.example", "portal.hub.example", "https://a@b.example", "https://a?b"]
)
def test_a_token_goes_to_an_https_address_alone(url: str) -> None:
    with pytest.raises(Unusable, match="no https address of a hub"), remote(url, "secret", None):
        pass


def test_a_server_under_another_ca_or_name_gets_no_token(serving: Serving, tmp_path: Path) -> None:
    url, authority, asked = serving([])
    with remote(url.replace("localhost", "127.0.0.1"), "secret", authority) as api, pytest.raises(Unreachable):
        api.ask("GET", ("customers",))
    with remote(url, "secret", None) as api, pytest.raises(Unreachable, match="--ca FILE"):
        api.ask("GET", ("customers",))
    assert asked == []
    (tmp_path / "no-ca").write_text("nothing")
    with pytest.raises(Unusable, match="holds no CA in PEM"), remote(url, "secret", tmp_path / "no-ca"):
        pass


def test_a_token_is_read_from_a_file_that_nobody_else_can_read(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("bothways_ppr_x\n")
    (tmp_path / "token").chmod(0o600)
    assert read_token(tmp_path / "token") == "bothways_ppr_x"
    (tmp_path / "token").chmod(0o640)
    with pytest.raises(Unusable, match="chmod 600"):
        read_token(tmp_path / "token")
    with pytest.raises(Unusable, match="holds no token"):
        require_token("a\r\nX-Header: b", "FILE")


def test_files_go_as_text_and_bytes_as_base64() -> None:
    assert text_of(b"-----BEGIN\r\nX") == "-----BEGIN\nX"
    assert text_of("\ufeffa".encode("utf-16")) == "a"
    assert base64.b64decode(text_of(b"0\x82\x01\xff")) == b"0\x82\x01\xff"


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_is_none_leads_to_nothing_else(serving: Serving, name: str) -> None:
    url, authority, asked = serving([])
    with remote(url, "secret", authority) as api, pytest.raises(NotFound, match="nothing by the name"):
        api.ask("GET", ("customers", name))
    assert asked == []
