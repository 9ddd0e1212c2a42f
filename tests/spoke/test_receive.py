"""An application behind `receive`, over real TLS: who gets in, what the application is told, and what changes."""

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.conftest import free_ports

from bothways import files
from bothways.contract.render import render_contract
from bothways.demo.customer_ca import ServerFiles, make_server_files
from bothways.errors import Unusable
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub, contract
from bothways.operations.rotation import rotate_client_certificate
from bothways.pki.chain import certificate_pem
from bothways.spoke.directory import Spoke
from bothways.spoke.receive import serve, uvicorn_options
from bothways.spoke.reception import CALLER, Reception

HOST = "callbacks.localhost"
SECONDS = 30.0


async def told(scope: Any, receive: Any, send: Any) -> None:
    """An application that answers who called, and what it was told besides."""
    if scope["type"] != "http":
        return
    del receive
    names = {name.decode(): value.decode() for name, value in scope["headers"]}
    content = json.dumps({"hub": scope[CALLER].hub, "subject": scope[CALLER].subject, "headers": names}).encode()
    length = (b"content-length", str(len(content)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": content})


@dataclass
class Serving:
    """A receiver that runs."""

    port: int
    server: ServerFiles
    said: list[str] = field(default_factory=list)

    def connect(self, pair: Path | None, name: str | None = HOST) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=str(self.server.chain))
        context.check_hostname = name is not None
        if pair:
            context.load_cert_chain(pair)
        plain = socket.create_connection(("127.0.0.1", self.port), SECONDS)
        return context.wrap_socket(plain, server_hostname=name)

    def call(self, pair: Path | None, name: str | None = HOST, **headers: str) -> tuple[int, Any]:
        with closing(self.connect(pair, name)) as secured:
            status, content, _ = ask(secured, **headers)
            return status, content

    def lets_in(self, pair: Path | None) -> bool:
        try:
            return self.call(pair)[0] == 200
        except OSError:
            return False


def ask(secured: ssl.SSLSocket, **headers: str) -> tuple[int, Any, bool]:
    """Call once, and return the status, the document, and whether the connection ends."""
    connection = HTTPConnection(HOST)
    connection.sock = secured
    connection.request("GET", "/notify", headers=headers)
    response = connection.getresponse()
    content = response.read()
    return response.status, json.loads(content) if content else None, response.will_close


@pytest.fixture
def serving(spoke: Spoke) -> Iterator[Serving]:
    running = Serving(free_ports(1)[0], make_server_files(spoke.directory, "First Bank", HOST))
    reception = Reception(spoke.directory, tell=running.said.append)
    config = uvicorn.Config(told, port=running.port, log_level="warning", **uvicorn_options(reception))
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield running
    server.should_exit = True
    thread.join(SECONDS)


@pytest.fixture
def hub_pair(hub: Hub, tmp_path: Path) -> Callable[[], Path]:
    """Return a maker of the file with the client certificate and key that the hub uses now."""

    def make() -> Path:
        pair = hub_state(hub).client
        path = tmp_path / f"hub-{pair.fingerprint[:8]}.pem"
        files.replace(path, (pair.key_pem + pair.certificate_pem).encode(), files.PRIVATE)
        return path

    return make


MakePair = Callable[..., Path]


@pytest.fixture
def make_pair(hub: Hub, tmp_path: Path, make_ca: Callable[..., Any]) -> MakePair:
    """Return a maker of a client certificate with its key, of any CA, for the hub's name and for clients or others."""

    def make(
        issuer: Any, san: str = hub.terms.hub, use: x509.ObjectIdentifier = ExtendedKeyUsageOID.CLIENT_AUTH
    ) -> Path:
        extensions = [x509.SubjectAlternativeName([x509.DNSName(san)]), x509.ExtendedKeyUsage([use])]
        key, certificate = make_ca(san, issuer, ca=False, extensions=extensions)
        path = tmp_path / f"{certificate.serial_number}.pem"
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        files.write_new(path, pem + certificate.public_bytes(Encoding.PEM), files.PRIVATE)
        return path

    return make


def trusting(spoke: Spoke, hub: Hub, *more: str) -> None:
    """Put a contract in the spoke's directory whose Client CAs are the hub's and more."""
    now = contract(hub)
    trust = replace(now.trust, client_ca=now.trust.client_ca + "".join(more))
    files.replace(spoke.contract_file, render_contract(replace(now, trust=trust)).encode())


def test_the_hub_is_let_in_and_the_application_is_told_who_called(
    serving: Serving, hub: Hub, hub_pair: Callable[[], Path]
) -> None:
    status, said = serving.call(hub_pair(), **{"Bothways-Hub": "evil", "X-Forwarded-For": "evil"})
    assert status == 200
    assert said["hub"] == said["headers"]["bothways-hub"] == hub.terms.hub
    assert "CN=ppr.hub.localhost PPR client" in said["subject"]
    assert said["headers"]["bothways-certificate"] == hub_state(hub).client.fingerprint
    assert "evil" not in json.dumps(said)


def test_the_hub_may_rotate_its_certificate_unannounced(
    serving: Serving, hub: Hub, hub_pair: Callable[[], Path]
) -> None:
    before = hub_pair()
    rotate_client_certificate(hub)
    after = hub_pair()
    assert before != after
    assert serving.lets_in(before)
    assert serving.lets_in(after)


@pytest.mark.parametrize("name", [HOST, None], ids=["with server name", "without"])
def test_no_certificate_and_one_of_a_foreign_ca_are_refused_at_the_handshake(
    serving: Serving, make_pair: MakePair, make_ca: Callable[..., Any], name: str | None
) -> None:
    # Where TLS 1.3 ends without an alert, the client's own handshake is over already: nothing comes back.
    for stranger in (None, make_pair(make_ca("foreign"))):
        received = b""
        with contextlib.suppress(OSError), closing(serving.connect(stranger, name)) as secured:
            secured.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            received = secured.recv(1)
        assert received == b""
    assert serving.said == []


def test_a_hub_that_sends_no_server_name_is_let_in(serving: Serving, hub_pair: Callable[[], Path]) -> None:
    assert serving.call(hub_pair(), None)[0] == 200


def test_another_name_or_use_under_the_right_ca_gets_nowhere(
    serving: Serving, spoke: Spoke, hub: Hub, make_pair: MakePair, make_ca: Callable[..., Any]
) -> None:
    following = make_ca("Next Client CA")
    trusting(spoke, hub, certificate_pem(following[1]))
    assert serving.lets_in(make_pair(following))
    assert serving.call(make_pair(following, "other.example"))[0] == 403
    assert "RECEIVE-01" in serving.said[-1]
    assert not serving.lets_in(make_pair(following, use=ExtendedKeyUsageOID.SERVER_AUTH))


def test_both_client_cas_are_trusted_while_one_follows_the_other_and_the_old_one_ends(
    serving: Serving,
    spoke: Spoke,
    hub: Hub,
    hub_pair: Callable[[], Path],
    make_pair: MakePair,
    make_ca: Callable[..., Any],
) -> None:
    following = make_ca("Next Client CA")
    next_pair = make_pair(following)
    assert not serving.lets_in(next_pair)
    trusting(spoke, hub, certificate_pem(following[1]))
    assert serving.lets_in(next_pair)
    assert serving.lets_in(hub_pair())
    with closing(serving.connect(next_pair)) as opened:
        assert ask(opened)[::2] == (200, False)
        trusting(spoke, hub)
        # What was opened under trust that is gone ends with the call that it is at.
        assert ask(opened)[::2] == (200, True)
    assert not serving.lets_in(next_pair)
    assert serving.lets_in(hub_pair())


def test_a_certificate_in_the_place_of_the_ca_is_never_trusted(
    serving: Serving, spoke: Spoke, hub: Hub, hub_pair: Callable[[], Path]
) -> None:
    leaf = x509.load_pem_x509_certificates(hub_state(hub).client.certificate_pem.encode())[0]
    now = contract(hub)
    pinned = replace(now, trust=replace(now.trust, client_ca=certificate_pem(leaf)))
    files.replace(spoke.contract_file, render_contract(pinned).encode())
    assert serving.lets_in(hub_pair())
    assert "SPOKE-PIN" in serving.said[-1]
    rotate_client_certificate(hub)
    assert serving.lets_in(hub_pair())


def test_a_new_server_certificate_is_shown_to_new_connections_while_an_open_one_is_served(
    serving: Serving, hub_pair: Callable[[], Path], tmp_path: Path
) -> None:
    def serial(secured: ssl.SSLSocket) -> int:
        return x509.load_der_x509_certificate(secured.getpeercert(binary_form=True) or b"").serial_number

    with closing(serving.connect(hub_pair())) as opened:
        first = serial(opened)
        # Half of a change is not used.
        serving.server.key.write_bytes(b"broken")
        with closing(serving.connect(hub_pair())) as second:
            assert serial(second) == first
        (tmp_path / "new").mkdir()
        made = make_server_files(tmp_path / "new", "First Bank", HOST)
        for old, new in ((serving.server.certificate, made.certificate), (serving.server.key, made.key)):
            files.replace(old, new.read_bytes(), files.PRIVATE)
        with closing(replace(serving, server=made).connect(hub_pair())) as third:
            assert serial(third) != first
        assert ask(opened)[::2] == (200, True)


@pytest.mark.parametrize("option", ["http", "ssl_certfile", "workers", "proxy_headers"])
def test_nothing_that_would_let_others_in_can_be_set(spoke: Spoke, option: str) -> None:
    make_server_files(spoke.directory, "First Bank", HOST)
    with pytest.raises(Unusable, match=f"{option} cannot be set here"):
        serve(told, spoke.directory, port=0, **dict[str, Any]({option: "h11"}))


def test_serve_is_one_line_and_ends_by_a_signal(spoke: Spoke, hub_pair: Callable[[], Path], tmp_path: Path) -> None:
    [port] = free_ports(1)
    running = Serving(port, make_server_files(spoke.directory, "First Bank", HOST))
    code = f"from bothways.spoke.receive import serve; serve({told.__module__ + ':told'!r}, {str(spoke.directory)!r}, "
    code += f"host='127.0.0.1', port={port})"
    with (tmp_path / "serve.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-c", code], stderr=log, cwd=Path(__file__).parents[2])
        try:
            end = time.monotonic() + SECONDS
            while not running.lets_in(hub_pair()):
                assert time.monotonic() < end
                assert process.poll() is None
                time.sleep(0.05)
        finally:
            os.kill(process.pid, signal.SIGTERM)
            process.wait(SECONDS)
