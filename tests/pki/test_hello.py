"""Hellos made and read by hand, against the OpenSSL of the ssl module, over memory."""

import ssl
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bothways.pki.chain import certificate_pem
from bothways.pki.hello import TLS_1_2, TLS_1_3, VERSIONS, Answer, answer, client_hello

RANDOM = bytes(range(64))


@pytest.fixture
def answering(make_ca: Callable[..., Any], tmp_path: Path) -> Callable[..., bytes]:
    """Return what a server of these versions answers to a hello."""
    key, certificate = make_ca("server")
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode() + certificate_pem(certificate)
    (tmp_path / "server.pem").write_text(pem)

    def answered(hello: bytes, least: ssl.TLSVersion, most: ssl.TLSVersion) -> bytes:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "server.pem")
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version, context.maximum_version = least, most
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        incoming.write(hello)
        server = context.wrap_bio(incoming, outgoing, server_side=True)
        with pytest.raises(ssl.SSLError):
            server.do_handshake()
        return outgoing.read()

    return answered


EACH = dict(
    zip(
        VERSIONS,
        (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3),
        strict=True,
    )
)


@pytest.mark.parametrize("offered", VERSIONS)
@pytest.mark.parametrize("spoken", VERSIONS)
def test_a_server_takes_its_own_version_or_names_a_lower_one_or_refuses(
    answering: Callable[..., bytes], offered: int, spoken: int
) -> None:
    found = answer(answering(client_hello("bank.example", offered, RANDOM), EACH[spoken], EACH[spoken]))
    assert found is not None
    # A hello of TLS 1.1 offers what is below it as well, and the server names the best that it has; that of TLS 1.2 has
    # suites that nothing below knows.
    taken = offered == spoken or spoken < offered < TLS_1_2
    assert found.version == (spoken if taken else None)
    if offered < spoken:
        assert found.alert == 70


def test_an_answer_is_read_once_enough_of_it_was_heard(answering: Callable[..., bytes]) -> None:
    heard = answering(client_hello("bank.example", TLS_1_3, RANDOM), EACH[TLS_1_3], EACH[TLS_1_3])
    found = [answer(heard[:length]) for length in range(len(heard) + 1)]
    assert {each for each in found if each is not None} == {Answer(version=TLS_1_3)}
    assert found[0] is None


@pytest.mark.parametrize(
    "heard", [b"HTTP/1.1 400 Bad Request\r\n", b"220 mail\r\n", b"\x16\x03\x03\x00\x04\x0b\x00\x00\x00"]
)
def test_what_is_no_answer_to_a_hello_is_told_as_none(heard: bytes) -> None:
    assert answer(heard) == Answer()


def test_a_server_hello_that_is_cut_short_is_no_answer() -> None:
    assert answer(b"\x16\x03\x03\x00\x06\x02\x00\x00\x02\x03\x03") == Answer()


def test_the_host_name_and_nothing_else_depends_on_the_host() -> None:
    one, other = (client_hello(each, TLS_1_2, RANDOM) for each in ("a.example", "b.example"))
    assert one.replace(b"a.example", b"b.example") == other
