"""A key and its certificate as one thing: `tls.key` and `tls.crt` are links through `current` to one directory.

A pair is changed by renaming the one link `current`. So nobody who reads, and no kill -9, finds a key beside the
certificate of another; the pair before stays whole where `previous` points to. Everything here is called by one
command at a time (`directory.alone`). With a key in a token, `tls.key` is the reference to it, and the pair has the
OpenSSL configuration that other programs need for it.
"""

import contextlib
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bothways import files
from bothways.errors import Unusable
from bothways.pki.encoding import UNREADABLE
from bothways.pki.keys import spki_pin
from bothways.signer.token_uri import TokenUri
from bothways.spoke.directory import CERTIFICATE, KEY, OPENSSL_CONF, REQUEST, Spoke, stands
from bothways.spoke.passphrase import is_encrypted, passphrase
from bothways.spoke.provider import openssl_conf
from bothways.spoke.token_key import is_reference, referenced, token_key

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_CURRENT, _PREVIOUS, _PAIRS = "current", "previous", "pairs"
_MODES = {KEY: files.PRIVATE, REQUEST: files.PUBLIC, CERTIFICATE: files.PUBLIC, OPENSSL_CONF: files.PUBLIC}


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A private key of the spoke: the file as it stands, and the key in it, or in the token that it leads to."""

    path: Path
    pem: bytes
    key: PrivateKey

    @property
    def token(self) -> TokenUri | None:
        """The URI of the key, if it lies in a token."""
        return referenced(self.pem, self.path) if is_reference(self.pem) else None

    @property
    def spki_pin(self) -> str:
        """The SPKI pin of its public key."""
        return spki_pin(self.key.public_key())


def read_key(path: Path) -> HeldKey:
    """Return the spoke's private key in the file. Raises `Unusable` if there is none, or others can read it."""
    pem = files.read_private(path, "the private key")
    key = private_key(pem, path)
    if not isinstance(key, PrivateKey):
        raise Unusable(
            f"{path} is neither an RSA nor an ECDSA key. Move it away, and make a new one: bothways spoke csr"
        )
    return HeldKey(path, pem, key)


def private_key(pem: bytes, path: Path) -> CertificateIssuerPrivateKeyTypes:
    """Return the private key in the PEM text, which came from the file; for an encrypted one, the passphrase is found.

    Of a reference it is the key in the token, which signs there. Raises `Unusable` if there is no key, or the
    passphrase is not to be had, or is another one.
    """
    if is_reference(pem):
        return token_key(pem, path)
    secret = passphrase(path) if is_encrypted(pem) else None
    try:
        key = load_pem_private_key(pem, secret)
    except UNREADABLE as error:
        if secret is not None:
            raise Unusable(f"{path} is not opened by the passphrase, or damaged. Give the right one.") from error
        raise Unusable(f"{path} is no private key in PEM. Name the file that begins with BEGIN PRIVATE KEY.") from error
    if not hasattr(key, "sign"):
        raise Unusable(f"{path} is a key that cannot sign, so no certificate can be for it. Check the file.")
    return cast("CertificateIssuerPrivateKeyTypes", key)


def held_keys(spoke: Spoke) -> tuple[HeldKey, ...]:
    """Return the keys that a certificate can be for: the one that waits for a renewal, and the one in use."""
    places = (spoke.renewal / KEY, spoke.key_file)
    return tuple(read_key(path) for path in places if stands(path))


def token_in_use(spoke: Spoke) -> TokenUri | None:
    """Return the URI of the key in use, if it lies in a token. No key is read, so no passphrase is asked for."""
    pem = files.read(spoke.key_file, "the private key") if stands(spoke.key_file) else b""
    return referenced(pem, spoke.key_file) if is_reference(pem) else None


def put_in_use(spoke: Spoke, held: HeldKey, chain_pem: bytes) -> None:
    """Make this key and its certificate the pair in use, and the one that was in use the previous one.

    The request that the key waited with goes into the pair. Raises `Unusable` if something cannot be written.
    """
    fresh = {KEY: held.pem, CERTIFICATE: chain_pem}
    if held.token:
        fresh[OPENSSL_CONF] = openssl_conf(held.token).encode()
    request = held.path.with_name(REQUEST)
    # Beside a key that was brought in, a file of that name is somebody else's.
    if held.path.parent in {spoke.directory, spoke.renewal} and stands(request):
        fresh[REQUEST] = files.read(request, "the request")
    try:
        before = _settled(spoke, fresh)
        made = _made(spoke, fresh)
        if before:
            _link(spoke.directory / _PREVIOUS, before)
        _use(spoke, made)
        tidy(spoke)
        kept = {made.name, before.name if before else ""}
        for pair in (spoke.directory / _PAIRS).iterdir():
            if pair.name not in kept:
                shutil.rmtree(pair, ignore_errors=True)
    except OSError as error:
        raise Unusable(f"{spoke.directory} cannot be written: {error.strerror}. Mend that, and try again.") from error


def put_back(spoke: Spoke) -> None:
    """Put the pair that was in use before this one in use again; the one in use becomes the one before.

    Raises `Unusable` if there is none, or something cannot be written.
    """
    before, current = spoke.directory / _PREVIOUS, spoke.directory / _CURRENT
    if previous(spoke) is None or not current.is_symlink():
        raise Unusable(f"{spoke.directory} holds no pair that was in use before, so there is none to put back.")
    try:
        old, new = before.readlink(), current.readlink()
        # In this order, after a kill between the two the pair that was put back is in use, and is the one before too.
        _use(spoke, old)
        _link(before, new)
    except OSError as error:
        raise Unusable(f"{spoke.directory} cannot be written: {error.strerror}. Mend that, and try again.") from error


def tidy(spoke: Spoke) -> None:
    """Take away what waited for the certificate that is in use now; it is whole in the pair. Also after a kill."""
    current = spoke.directory / _CURRENT
    if not stands(spoke.certificate_file):
        return
    with contextlib.suppress(OSError):
        if spoke.request_file.read_bytes() == (current / REQUEST).read_bytes():
            spoke.request_file.unlink()
    with contextlib.suppress(OSError):
        if (spoke.renewal / KEY).read_bytes() == (current / KEY).read_bytes():
            # In one step: a request without its key must not stand there.
            done = spoke.renewal.rename(spoke.directory / _PAIRS / f"done-{secrets.token_hex(4)}")
            shutil.rmtree(done)


def previous(spoke: Spoke) -> Path | None:
    """Return the directory of the pair that was in use before this one, if there was one."""
    link = spoke.directory / _PREVIOUS
    return link if (link / CERTIFICATE).is_file() else None


def _settled(spoke: Spoke, fresh: Mapping[str, bytes]) -> Path | None:
    """Return the pair in use, as a directory of its own: plain files are copied to one, and become links to it."""
    places = {KEY: spoke.key_file, CERTIFICATE: spoke.certificate_file}
    if all(path.is_symlink() and path.readlink() == Path(_CURRENT) / name for name, path in places.items()):
        return (spoke.directory / _CURRENT).readlink()
    found = {name: path.read_bytes() for name, path in places.items() if path.exists()}
    if found.items() <= {KEY: fresh[KEY]}.items():
        return None
    pair = _made(spoke, found)
    if _belong_together(found):
        _use(spoke, pair)
    return pair


def _belong_together(found: Mapping[str, bytes]) -> bool:
    try:
        certificate = x509.load_pem_x509_certificates(found[CERTIFICATE])[0]
        key = private_key(found[KEY], Path(KEY))
        return spki_pin(key.public_key()) == spki_pin(certificate.public_key())
    except (KeyError, Unusable, *UNREADABLE):
        return False


def _made(spoke: Spoke, contents: Mapping[str, bytes]) -> Path:
    """Write a new directory that nothing points to yet, and return it relative to the spoke's."""
    pairs = spoke.directory / _PAIRS
    files.make_directory(pairs)
    # mkdtemp makes a name that nobody has, readable by this user only.
    pair = Path(tempfile.mkdtemp(prefix="pair-", dir=pairs))
    for name, content in contents.items():
        files.write_new(pair / name, content, _MODES[name])
    files.sync_directory(pairs)
    return Path(_PAIRS) / pair.name


def _use(spoke: Spoke, pair: Path) -> None:
    _link(spoke.directory / _CURRENT, pair)
    # The key first: if there was no certificate, there must be none before its key is there.
    for name in (KEY, CERTIFICATE):
        _link(spoke.directory / name, Path(_CURRENT) / name)


def _link(path: Path, target: Path) -> None:
    """Make `path` a link to the target in one step, whatever stands there."""
    if path.is_symlink() and path.readlink() == target:
        return
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    temporary.symlink_to(target)
    temporary.replace(path)
    files.sync_directory(path.parent)
