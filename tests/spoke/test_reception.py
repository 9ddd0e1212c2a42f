import asyncio
import ssl
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509

from bothways.demo.customer_ca import make_server_files
from bothways.errors import Unusable
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub
from bothways.pki.chain import certificate_pem
from bothways.spoke.directory import Spoke
from bothways.spoke.reception import CALLER, Callers, Reception

HEADERS = [(b"accept", b"*/*"), (b"bothways-hub", b"evil")]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def reception(spoke: Spoke, said: list[str]) -> Reception:
    make_server_files(spoke.directory, "First Bank", "callbacks.localhost")
    return Reception(spoke.directory, tell=said.append)


def called(reception: Reception, scope: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """Return the scopes that the application got, and the messages that went out."""
    scopes: list[Any] = []
    messages: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        del receive, send
        scopes.append(scope)

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        messages.append(message)

    asyncio.run(Callers(app, reception)(scope, receive, send))
    return scopes, messages


def shown(pem: str) -> dict[str, Any]:
    """Return what a server says of a connection, as the ASGI TLS extension has it."""
    return {"extensions": {"tls": {"client_cert_chain": [pem]}}, "headers": HEADERS, "client": ("192.0.2.1", 1)}


def test_any_server_that_tells_the_certificate_has_the_caller_in_the_scope(reception: Reception, hub: Hub) -> None:
    pair = hub_state(hub).client
    [scope], messages = called(reception, {"type": "http", **shown(pair.certificate_pem)})
    assert messages == []
    assert scope[CALLER] == reception.caller(ssl.PEM_cert_to_DER_cert(pair.certificate_pem))
    assert scope["headers"] == [
        (b"accept", b"*/*"),
        (b"bothways-hub", hub.terms.hub.encode()),
        (b"bothways-environment", b"PPR"),
        (b"bothways-certificate", pair.fingerprint.encode()),
    ]


@pytest.mark.parametrize(
    "more", [{}, {"extensions": {}}, {"extensions": {"tls": {"client_cert_chain": []}}}, shown("nonsense")]
)
@pytest.mark.parametrize(
    ("kind", "message"),
    [("http", "http.response.start"), ("websocket", "websocket.close")],
)
def test_where_no_certificate_is_told_nobody_is_let_through(
    reception: Reception, said: list[str], kind: str, message: str, more: dict[str, Any]
) -> None:
    scopes, messages = called(reception, {"type": kind, "headers": HEADERS, **more})
    assert scopes == []
    assert messages[0]["type"] == message
    assert messages[0].get("status", 403) == 403
    assert said[0].startswith("refused ")


def test_another_name_is_told_with_the_address(
    reception: Reception, said: list[str], make_ca: Callable[..., tuple[object, x509.Certificate]]
) -> None:
    assert called(reception, {"type": "http", **shown(certificate_pem(make_ca("other")[1]))})[0] == []
    assert said[0].startswith("refused 192.0.2.1: RECEIVE-01: ")


def test_the_lifespan_of_the_application_is_its_own(reception: Reception) -> None:
    assert called(reception, {"type": "lifespan"}) == ([{"type": "lifespan"}], [])


def test_the_context_itself_trusts_nobody_and_has_no_certificate(reception: Reception) -> None:
    assert reception.context.verify_mode is ssl.CERT_REQUIRED
    assert reception.context.get_ca_certs() == []


def test_a_directory_without_the_servers_certificate_is_said(spoke: Spoke) -> None:
    with pytest.raises(Unusable, match=r"server\.crt"):
        Reception(spoke.directory)
    made = make_server_files(spoke.directory, "First Bank", "callbacks.localhost")
    assert Reception(spoke.directory, certificate=made.certificate, key=made.key).context
