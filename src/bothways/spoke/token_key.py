"""Keys of a spoke in a PKCS#11 token (RFC 7512): `tls.key` is a reference to one then, which OpenSSL reads as well.

The reference is the file of pkcs11-provider, `PKCS#11 PROVIDER URI` in PEM, and behind it the public key: so who only
looks at certificate and key needs neither token nor PIN. The private key is made in the token, and never leaves it.
"""

import base64
import re
from contextlib import closing, suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, NoReturn

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256

from bothways.contract.document import KeyType
from bothways.errors import Unusable
from bothways.pki import der
from bothways.pki.statement import public_pem, read_public_pem
from bothways.signer.token_uri import TokenUri, parse_token_uri
from bothways.spoke.passphrase import pin

if TYPE_CHECKING:
    from bothways.signer.token import Token

_BEGIN, _END = "-----BEGIN PKCS#11 PROVIDER URI-----", "-----END PKCS#11 PROVIDER URI-----"
_PUBLIC = b"-----BEGIN PUBLIC KEY-----"
_ABOUT = b"PKCS#11 Provider URI v1.0"
_VISIBLE_STRING = 0x1A
_LINE = 64
_BLOCK = re.compile(f"{_BEGIN}([A-Za-z0-9+/=\\s]+){_END}")
_COUNTED = re.compile(r"(.+)-([2-9]|[1-9][0-9]{1,3})")


def is_reference(pem: bytes) -> bool:
    """Tell whether what stands as a private key is a reference to one in a token."""
    return _BEGIN.encode() in pem


def reference(uri: TokenUri, public: CertificatePublicKeyTypes) -> bytes:
    """Return the reference to the key that the URI names, in PEM. No PIN is in it."""
    content = der.sequence(der.tagged(_VISIBLE_STRING, _ABOUT), der.tagged(der.UTF8_STRING, str(uri).encode()))
    lines = [_BEGIN, *wrap(base64.b64encode(content).decode(), _LINE), _END]
    return ("\n".join(lines) + "\n" + public_pem(public)).encode()


@lru_cache(maxsize=16)
def referenced(pem: bytes, path: Path) -> TokenUri:
    """Return the URI in a reference, which came from the file; also in one that pkcs11-provider's tools wrote.

    Raises `Unusable`.
    """
    try:
        [found] = _BLOCK.findall(pem.decode())
        _, uri = (der.content(each) for each in der.parts(base64.b64decode("".join(found.split()))))
        text = uri.decode()
    except ValueError as error:
        raise Unusable(
            f"{path} is a reference to a key in a PKCS#11 token, and cannot be read: {error}. "
            "Name the key again: bothways spoke csr --key pkcs11:..."
        ) from error
    return parse_token_uri(text, pin_elsewhere=True)


def token_key(pem: bytes, path: Path) -> "EcdsaInToken | RsaInToken":
    """Return the private key of a reference. It asks the token when it signs; or now, if no public key stands there.

    Raises `Unusable`.
    """
    uri = referenced(pem, path)
    with suppress(ValueError):
        return _usable(uri, read_public_pem(pem[max(0, pem.find(_PUBLIC)) :]))
    return key_in_token(uri)


def key_in_token(uri: TokenUri) -> "EcdsaInToken | RsaInToken":
    """Return the key that the URI names, from the token itself. Raises `Unusable`, also if it is not there."""
    with closing(_opened(uri)) as token:
        return _usable(uri, token.signer(uri.object).public_key)


def is_in_token(uri: TokenUri) -> bool:
    """Tell whether the token holds a key of this label. Raises `Unusable`."""
    with closing(_opened(uri)) as token:
        return token.holds(uri.object)


def made_in_token(uri: TokenUri, kind: KeyType) -> "EcdsaInToken | RsaInToken":
    """Make the key that the URI names: P-256 or RSA 4096, for signing alone, not extractable. Raises `Unusable`."""
    with closing(_opened(uri)) as token:
        token.generate(uri.object, kind)
        return _usable(uri, token.signer(uri.object).public_key)


def next_in_token(uri: TokenUri) -> TokenUri:
    """Return the URI for the key that follows this one: `-2`, `-3` and so on behind the label, the first that is free.

    Raises `Unusable`.
    """
    counted = _COUNTED.fullmatch(uri.object)
    label, number = (counted[1], int(counted[2])) if counted else (uri.object, 1)
    with closing(_opened(uri)) as token:
        while True:
            number += 1
            if not token.holds(f"{label}-{number}"):
                # Read again, for the label may be too long now.
                return parse_token_uri(str(replace(uri, object=f"{label}-{number}")), pin_elsewhere=True)


class _InToken:
    """What both kinds of key do not do: leave the token, or be used for anything but signatures."""

    def __init__(self, uri: TokenUri, public: Any) -> None:
        self.uri = uri
        self._public = public

    @property
    def key_size(self) -> int:
        """The size of the public key, in bits."""
        return int(self._public.key_size)

    def private_bytes(self, *_: object, **__: object) -> NoReturn:
        """Raise `Unusable`: it does not leave the token."""
        raise Unusable(f"the key {self.uri.object} lies in the token {self.uri.token}, and never leaves it.")

    private_numbers = decrypt = exchange = private_bytes

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: object) -> Any:
        return self

    def _signature(self, data: bytes, kind: KeyType, *, as_agreed: bool) -> bytes:
        if not as_agreed:
            raise ValueError("a key in a token signs with SHA-256 alone, RSA with PKCS #1 v1.5 (R7)")
        with closing(_opened(self.uri)) as token:
            return token.sign(self.uri.object, kind, data)


class EcdsaInToken(_InToken, ec.EllipticCurvePrivateKey):
    """An ECDSA key in a token, for whatever takes a private key of the library."""

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Return the public part."""
        public: ec.EllipticCurvePublicKey = self._public
        return public

    @property
    def curve(self) -> ec.EllipticCurve:
        """The curve."""
        return self.public_key().curve

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        """Return the signature over the data, in DER. Raises `Unusable` if the token does not sign."""
        return self._signature(
            data, KeyType.ECDSA, as_agreed=isinstance(getattr(signature_algorithm, "algorithm", None), SHA256)
        )


class RsaInToken(_InToken, rsa.RSAPrivateKey):
    """An RSA key in a token, for whatever takes a private key of the library."""

    def public_key(self) -> rsa.RSAPublicKey:
        """Return the public part."""
        public: rsa.RSAPublicKey = self._public
        return public

    def sign(self, data: Any, padding: Any, algorithm: Any) -> bytes:
        """Return the signature over the data. Raises `Unusable` if the token does not sign."""
        agreed = isinstance(padding, PKCS1v15) and isinstance(algorithm, SHA256)
        return self._signature(data, KeyType.RSA, as_agreed=agreed)


def _usable(uri: TokenUri, public: CertificatePublicKeyTypes) -> EcdsaInToken | RsaInToken:
    if isinstance(public, rsa.RSAPublicKey):
        return RsaInToken(uri, public)
    return EcdsaInToken(uri, public)


def _opened(uri: TokenUri) -> "Token":
    try:
        from bothways.signer.token import Token  # noqa: PLC0415 - the binding, which only those with a token load
    except ImportError as error:
        raise Unusable(
            f"the key {uri.object} lies in the token {uri.token}, and the package python-pkcs11 is not there to reach "
            "it. Install it: pip install 'bothways[pkcs11]'"
        ) from error
    return Token(uri, lambda: pin(uri))
