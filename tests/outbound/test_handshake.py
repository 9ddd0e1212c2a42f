"""Whether a real server lets a certificate in, read rightly: by its alert, also a late one, or by its answer."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.conftest import free_ports
from tests.outbound.conftest import Serve
from tests.wire.witnesses import nginx, s_server

from bothways.demo.customer_ca import make_server_files
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub, contract
from bothways.operations.rotation import credential_pair, make_next
from bothways.outbound.handshake import Verdict, Way, accepts, knock
from bothways.pki.chain import certificate_pem, fingerprint
from bothways.xds.state import Anchors, CustomerServer, KeyPair


@pytest.fixture
def way(hub: Hub) -> Way:
    return Way("/", loopback_allowed=True, directory=hub.run_directory)


@pytest.fixture
def present(hub: Hub) -> KeyPair:
    return hub_state(hub).client


@pytest.fixture
def following(hub: Hub) -> KeyPair:
    return credential_pair(hub, make_next(hub))


@pytest.fixture
def stranger(make_ca: Any) -> KeyPair:
    """A certificate of another CA."""
    key, certificate = make_ca("hub", make_ca("Foreign"), ca=False)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return KeyPair(certificate_pem(certificate), pem, fingerprint(certificate))


@pytest.fixture
def others(hub: Hub, tmp_path: Path) -> Iterator[dict[str, CustomerServer]]:
    """Servers of nginx and OpenSSL, by name."""
    with ExitStack() as stack:
        (tmp_path / "client-ca.crt").write_text(contract(hub).trust.client_ca)
        files = make_server_files(tmp_path, "Bank", "other.localhost")
        ports = {
            "nginx": stack.enter_context(nginx(tmp_path, files, tmp_path / "client-ca.crt")),
            "openssl": stack.enter_context(s_server(files, tmp_path / "client-ca.crt")),
        }
        anchors = Anchors(files.chain.read_text())
        yield {
            name: CustomerServer("1", "other.localhost", port, "", anchors, established=True)
            for name, port in ports.items()
        }


def server_of(hub: Hub, tsp_id: str) -> CustomerServer:
    return next(each for each in hub_state(hub).customers if each.tsp_id == tsp_id)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_certificate_of_the_ca_is_let_in_and_one_of_another_ca_refused_in_either_version(
    hub: Hub,
    issuer: str,
    serve: Serve,
    way: Way,
    present: KeyPair,
    following: KeyPair,
    stranger: KeyPair,
    version: ssl.TLSVersion,
) -> None:
    serve(issuer).context.maximum_version = version
    server = server_of(hub, issuer)
    taken, refused = accepts(server, present, following, way), accepts(server, present, stranger, way)
    assert (taken.verdict, taken.status) == (Verdict.ACCEPTED, 200)
    assert refused.verdict is Verdict.REFUSED
    # Late, where the machine is slow, the alert is lost, and the refusal is told in other words.
    assert "unknown ca" in refused.said or version == ssl.TLSVersion.TLSv1_3


@pytest.mark.parametrize("name", ["nginx", "openssl"])
def test_servers_of_other_makes_are_read_as_well(
    others: dict[str, CustomerServer],
    way: Way,
    present: KeyPair,
    following: KeyPair,
    stranger: KeyPair,
    name: str,
) -> None:
    assert accepts(others[name], present, following, way).verdict is Verdict.ACCEPTED
    # nginx shakes hands with everybody, and answers 400.
    assert accepts(others[name], present, stranger, way).verdict is Verdict.REFUSED


def test_a_server_that_pins_by_its_answer_is_found(
    hub: Hub, issuer: str, serve: Serve, way: Way, present: KeyPair, following: KeyPair
) -> None:
    serve(issuer).pinned = present.fingerprint
    seen = accepts(server_of(hub, issuer), present, following, way)
    assert (seen.verdict, seen.status) == (Verdict.REFUSED, 403)
    assert seen.said == "TLSv1.3, answered 403; with the present certificate: TLSv1.3, answered 200"


def test_what_is_answered_to_both_is_no_refusal_of_the_new_one(
    hub: Hub, issuer: str, serve: Serve, way: Way, present: KeyPair, following: KeyPair
) -> None:
    serve(issuer).pinned = "nobody's"
    seen = accepts(server_of(hub, issuer), present, following, way)
    assert (seen.verdict, seen.status) == (Verdict.ACCEPTED, 403)


def test_a_server_that_refuses_both_says_nothing_about_the_new_one(
    hub: Hub, issuer: str, serve: Serve, way: Way, stranger: KeyPair
) -> None:
    serve(issuer)
    assert accepts(server_of(hub, issuer), stranger, stranger, way).verdict is Verdict.UNKNOWN


def test_a_server_that_is_not_believed_or_not_reached_says_nothing(
    hub: Hub, issuer: str, serve: Serve, way: Way, present: KeyPair, make_ca: Any
) -> None:
    serve(issuer)
    server = server_of(hub, issuer)
    foreign = replace(server, anchors=Anchors(certificate_pem(make_ca("Foreign")[1])))
    [closed] = free_ports(1)
    found = {
        "not believed": knock(foreign, present, way),
        "another name": knock(replace(server, host="another.localhost"), present, way),
        "refused": knock(replace(server, port=closed), present, way),
    }
    assert {each.verdict for each in found.values()} == {Verdict.UNKNOWN}
    assert "not believed" in found["not believed"].said
    assert "not believed" in found["another name"].said
    assert "not reached" in found["refused"].said


def test_a_special_address_is_not_connected_to(hub: Hub, issuer: str, serve: Serve, way: Way, present: KeyPair) -> None:
    server = serve(issuer)
    seen = knock(server_of(hub, issuer), present, replace(way, loopback_allowed=False))
    assert (seen.verdict, server.seen) == (Verdict.UNKNOWN, [])
    assert "is no public address" in seen.said


def test_who_answers_without_tls_says_nothing(hub: Hub, issuer: str, serve: Serve, way: Way, present: KeyPair) -> None:
    serve(issuer)
    with socket.create_server(("127.0.0.1", 0)) as plain:
        server = replace(server_of(hub, issuer), port=plain.getsockname()[1])
        plain.settimeout(10)

        def answer() -> None:
            line, _ = plain.accept()
            line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            line.close()

        thread = threading.Thread(target=answer)
        thread.start()
        seen = knock(server, present, way)
        thread.join()
    assert seen.verdict is not Verdict.ACCEPTED
