"""A real token, in SoftHSM2: keys are made in it and never leave it, and a session that is lost is opened again."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from tests.programs import require

from bothways.contract.document import KeyType
from bothways.errors import Unusable
from bothways.pki import issue, profile
from bothways.signer.token import Token
from bothways.signer.token_uri import TokenUri, parse_token_uri

# What is left of an operation on a lost session complains when it is collected; nothing can be done for it.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

LABEL = "issuing-ca"
RSA_BITS = 4096


@pytest.fixture
def uri(token_uri: str) -> TokenUri:
    return parse_token_uri(token_uri)


@pytest.fixture
def pin_file(uri: TokenUri) -> Path:
    """The file with the PIN."""
    assert uri.pin_source is not None
    return uri.pin_source


@pytest.fixture
def token(uri: TokenUri) -> Iterator[Token]:
    opened = Token(uri)
    yield opened
    opened.close()


def signed(token: Token, now: datetime) -> Any:
    """Return a certificate that the key in the token signed for itself."""
    signer = token.signer(LABEL)
    unsigned = issue.self_signed(profile.authority("CA", "hub.example", signer.public_key, now), 1)
    return issue.assemble(unsigned, signer.sign(unsigned))


@pytest.mark.parametrize(
    ("kind", "public"), [(KeyType.ECDSA, ec.EllipticCurvePublicKey), (KeyType.RSA, rsa.RSAPublicKey)]
)
def test_a_key_that_was_made_in_the_token_signs(token: Token, now: datetime, kind: KeyType, public: type) -> None:
    assert not token.holds(LABEL)
    token.generate(LABEL, kind)
    assert token.holds(LABEL)
    certificate = signed(token, now)
    certificate.verify_directly_issued_by(certificate)
    assert isinstance(certificate.public_key(), public)


@pytest.mark.parametrize("kind", KeyType)
def test_the_key_cannot_leave_the_token_and_does_nothing_but_sign(
    token: Token, uri: TokenUri, pin_file: Path, kind: KeyType
) -> None:
    token.generate(LABEL, kind)
    pin = pin_file.read_text().strip()
    with pkcs11.lib(str(uri.module)).get_token(token_label=uri.token).open(user_pin=pin) as session:
        key = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=LABEL)
        wanted = {"SENSITIVE": True, "EXTRACTABLE": False, "SIGN": True, "DECRYPT": False, "UNWRAP": False}
        assert {name: key[pkcs11.Attribute[name]] for name in wanted} == wanted
        secret = pkcs11.Attribute.VALUE if kind is KeyType.ECDSA else pkcs11.Attribute.PRIVATE_EXPONENT
        with pytest.raises(pkcs11.exceptions.AttributeSensitive):
            key[secret]


def test_two_programs_find_the_same_key(token: Token, uri: TokenUri, now: datetime) -> None:
    token.generate(LABEL, KeyType.ECDSA)
    first = signed(token, now).public_key()
    token.close()
    assert signed(Token(uri), now).public_key() == first


def test_two_hubs_of_one_process_share_a_login(token: Token, uri: TokenUri, now: datetime) -> None:
    token.generate(LABEL, KeyType.ECDSA)
    other = Token(uri)
    assert signed(token, now).public_key() == signed(other, now).public_key()
    token.close()
    signed(other, now)
    other.close()


def test_a_session_that_was_lost_is_opened_again(token: Token, uri: TokenUri, now: datetime) -> None:
    token.generate(LABEL, KeyType.ECDSA)
    before = signed(token, now).public_key()
    # What a restart of an HSM does: every session and every handle is void.
    pkcs11.lib(str(uri.module)).reinitialize()
    assert signed(token, now).public_key() == before


def test_a_token_that_is_gone_is_told_and_used_again_when_it_is_back(
    token: Token, uri: TokenUri, now: datetime, softhsm: Path, tmp_path: Path
) -> None:
    assert softhsm == uri.module
    token.generate(LABEL, KeyType.ECDSA)
    signer = token.signer(LABEL)
    unsigned = issue.self_signed(profile.authority("CA", "hub.example", signer.public_key, now), 1)
    place = token_directory(uri)
    shutil.move(place, tmp_path / "away")
    with pytest.raises(Unusable, match=rf"the token {uri.token} .*cannot be used: .*softhsm2-util --show-slots"):
        signer.sign(unsigned)
    shutil.move(tmp_path / "away", place)
    certificate = issue.assemble(unsigned, signer.sign(unsigned))
    certificate.verify_directly_issued_by(certificate)


def token_directory(uri: TokenUri) -> Path:
    """Return where SoftHSM2 keeps a token: the directory whose token object holds the label."""
    tokens = Path(os.environ["SOFTHSM2_CONF"]).parent / "tokens"
    [found] = [each.parent for each in tokens.glob("*/token.object") if uri.token.encode() in each.read_bytes()]
    return found


def test_threads_sign_at_once(token: Token, now: datetime) -> None:
    token.generate(LABEL, KeyType.ECDSA)
    with ThreadPoolExecutor(8) as pool:
        certificates = list(pool.map(lambda _: signed(token, now), range(64)))
    for each in certificates:
        each.verify_directly_issued_by(certificates[0])


def test_the_pin_comes_from_elsewhere_where_the_uri_names_no_file(uri: TokenUri, pin_file: Path) -> None:
    there = pin_file.read_bytes().strip()
    without = replace(uri, pin_source=None)
    assert not Token(without, lambda: there).holds(LABEL)
    with pytest.raises(Unusable, match="has no pin-source"):
        Token(without).holds(LABEL)


def test_a_wrong_pin_is_told_once_and_not_printed(token: Token, pin_file: Path) -> None:
    pin_file.write_text("48151623")
    with pytest.raises(Unusable, match=r"refuses the PIN in .*pin") as raised:
        token.holds(LABEL)
    assert "48151623" not in str(raised.value)
    assert "48151623" not in repr(token)


def test_a_pin_that_others_can_read_is_refused(token: Token, pin_file: Path) -> None:
    pin_file.chmod(0o644)
    with pytest.raises(Unusable, match="others on this machine can read the PIN"):
        token.holds(LABEL)


def test_an_unknown_token_library_or_key_is_named(token: Token, uri: TokenUri, tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="the token nobody "):
        Token(replace(uri, token="nobody")).holds(LABEL)  # noqa: S106 - the name of a token
    for library in (tmp_path / "missing.so", tmp_path / "pin"):
        with pytest.raises(Unusable, match=f"library {library}.* cannot be used"):
            Token(replace(uri, module=library)).holds(LABEL)
    with pytest.raises(Unusable, match="holds 0 private keys with the label issuing-ca; one is wanted"):
        token.signer(LABEL)


def test_two_keys_of_one_label_are_not_guessed_between(token: Token) -> None:
    token.generate(LABEL, KeyType.ECDSA)
    token.generate(LABEL, KeyType.ECDSA)
    with pytest.raises(Unusable, match="holds 2 private keys"):
        token.signer(LABEL)


def test_a_key_that_no_ca_of_ours_has_is_refused(token: Token, uri: TokenUri, pin_file: Path) -> None:
    pin = pin_file.read_text().strip()
    with pkcs11.lib(str(uri.module)).get_token(token_label=uri.token).open(user_pin=pin, rw=True) as session:
        session.generate_keypair(pkcs11.KeyType.RSA, 2048, label=LABEL, store=True)
    with pytest.raises(Unusable, match=rf"is RSA with 2048 bits.*ECDSA P-256 or RSA with {RSA_BITS} is wanted"):
        token.signer(LABEL)


def test_a_key_that_another_tool_made_is_used(
    token: Token, uri: TokenUri, pin_file: Path, tmp_path: Path, now: datetime
) -> None:
    require("openssl")
    pem, pin = tmp_path / "key.pem", pin_file.read_text().strip()
    make = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(pem)]
    subprocess.run(make, check=True, capture_output=True, timeout=60)
    bring = ["softhsm2-util", "--import", str(pem), "--token", uri.token, "--label", LABEL, "--id", "01", "--pin", pin]
    subprocess.run(bring, check=True, capture_output=True, timeout=60)
    pkcs11.lib(str(uri.module)).reinitialize()
    certificate = signed(token, now)
    certificate.verify_directly_issued_by(certificate)
