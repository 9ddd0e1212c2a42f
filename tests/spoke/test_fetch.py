import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bothways.demo.customer_ca import make_server_files
from bothways.errors import Unreachable, Unusable
from bothways.spoke.fetch import CONTRACT_LIMIT, fetched


class _Portal(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status = 404 if self.path == "/missing" else 302 if self.path == "/moved" else 200
        length = CONTRACT_LIMIT + (1 if self.path == "/large" else 0)
        self.send_response(status)
        self.send_header("Location", "/contract.toml")
        self.end_headers()
        self.wfile.write(b"x" * length)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of http.server
        pass


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[str]:
    """The address of an https server whose certificate is from no public CA."""
    made = make_server_files(tmp_path, "First Bank", "portal.localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Portal) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"https://portal.localhost:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_what_stands_there_is_returned_up_to_the_limit(portal: str) -> None:
    assert fetched(f"{portal}/contract.toml", verified=False) == b"x" * CONTRACT_LIMIT


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/missing", "answers with status 404"),
        ("/moved", "answers with status 302"),
        ("/large", "more than 262144 bytes"),
    ],
)
def test_what_is_no_contract_is_said(portal: str, path: str, said: str) -> None:
    with pytest.raises(Unreachable, match=said):
        fetched(portal + path, verified=False)


def test_a_certificate_from_no_public_ca_needs_the_fingerprint(portal: str) -> None:
    with pytest.raises(Unreachable, match="give --fingerprint"):
        fetched(f"{portal}/contract.toml", verified=True)


def test_only_https_is_fetched() -> None:
    with pytest.raises(Unusable, match="is not an https address"):
        fetched("http://portal.localhost/contract.toml", verified=False)


@pytest.mark.parametrize("host", ["a..b", "a" * 64, "localhost:99999", "[::1", "\udcff"], ids=ascii)
def test_an_address_that_is_none_is_said(host: str) -> None:
    with pytest.raises(Unreachable, match="cannot be fetched"):
        fetched(f"https://{host}/contract.toml", verified=False)
