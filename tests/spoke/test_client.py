import json
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.spoke.hubs import Hubs

import bothways.spoke
from bothways import files
from bothways.cli.opening import control
from bothways.errors import NotAuthorized, Unreachable, Unusable
from bothways.operations.hub import Hub
from bothways.spoke.client import call, open_client
from bothways.spoke.directory import Spoke

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


def test_a_client_takes_the_options_of_httpx2(hubs: Hubs) -> None:
    seen: list[httpx2.Response] = []
    with bothways.spoke.Client(
        hubs.spoke.directory,
        ask=hubs.question().ask,
        headers={"x-from": "bank"},
        params={"n": "1"},
        timeout=httpx2.Timeout(5, connect=3),
        event_hooks={"response": [seen.append]},
    ) as client:
        answer = client.post("/", content=(each for each in (b"streamed", b"body")))
    assert (answer.text, answer.request.headers["x-from"], answer.request.url.query) == ("127.0.0.1", "bank", b"n=1")
    assert client.timeout == httpx2.Timeout(5, connect=3)
    assert seen == [answer]


@pytest.mark.parametrize("name", ["verify", "cert", "proxy", "transport", "trust_env", "mounts"])
def test_a_client_takes_no_option_that_would_lead_around_mutual_tls(ready_spoke: Spoke, name: str) -> None:
    for kind in (bothways.spoke.Client, bothways.spoke.AsyncClient):
        with pytest.raises(TypeError, match=name):
            kind(ready_spoke.directory, **{name: None})  # type: ignore[arg-type]


def test_the_clients_are_httpx2s_and_call_by_default_within_30_seconds(ready_spoke: Spoke) -> None:
    assert issubclass(bothways.spoke.Client, httpx2.Client)
    assert issubclass(bothways.spoke.AsyncClient, httpx2.AsyncClient)
    with bothways.spoke.Client(str(ready_spoke.directory)) as client:
        assert client.timeout == httpx2.Timeout(30)
        assert client.base_url == ready_spoke.contract.terms.endpoint


def test_a_directory_without_a_spoke_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unusable):
        bothways.spoke.Client(tmp_path)


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
