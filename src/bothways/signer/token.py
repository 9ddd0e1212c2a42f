"""Private keys in a PKCS#11 token, an HSM or SoftHSM2: made there, used there, never outside."""

import hashlib
import secrets
from collections.abc import Callable
from contextlib import suppress
from threading import RLock
from typing import Any, TypeVar

import pkcs11
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pkcs11.constants import Attribute, ObjectClass
from pkcs11.exceptions import NoSuchKey, PinIncorrect, PinLocked, PKCS11Error, UserAlreadyLoggedIn
from pkcs11.mechanisms import KeyType as TokenKeyType
from pkcs11.mechanisms import Mechanism
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

from bothways.contract.document import KeyType
from bothways.errors import Unusable
from bothways.pki.keys import RSA_BITS, allowed, described
from bothways.signer.secret import read_secret
from bothways.signer.signer import Signable
from bothways.signer.token_uri import TokenUri

_LOCK = RLock()
"""The binding starts libraries without locks of their own, so one thread of this process talks to tokens at a time."""

_P256 = "1.2.840.10045.3.1.7"
_SESSION_LOST = (PKCS11Error, OSError)
_Value = TypeVar("_Value")


def source_pin(uri: TokenUri) -> bytes:
    """Return the PIN in the file that the URI names. Raises `Unusable`."""
    if uri.pin_source is None:
        raise Unusable(f"the PKCS#11 URI has no pin-source, so the PIN of the token {uri.token} is not known. Name it.")
    return read_secret(uri.pin_source, f"the PIN of the token {uri.token}")


class Token:
    """One token, logged in at the first use, and the handles of its keys. Raises `Unusable` for all that goes wrong.

    `pin` finds the PIN; by default it is in the file that the URI names.
    """

    def __init__(self, uri: TokenUri, pin: Callable[[], bytes] | None = None) -> None:
        self._uri = uri
        self._pin = pin or (lambda: source_pin(uri))
        self._session: Any = None
        self._private: dict[str, Any] = {}

    def holds(self, label: str) -> bool:
        """Tell whether there is a private key with this label."""
        return self._tried(lambda: bool(self._found(label, ObjectClass.PRIVATE_KEY)))

    def generate(self, label: str, kind: KeyType) -> None:
        """Make a key pair that cannot leave the token: P-256, or RSA 4096."""
        with _LOCK:
            self.close()
            try:
                self._session = self._opened(writable=True)
                self._generate(label, kind)
            except _SESSION_LOST as error:
                raise self._unusable(error) from error
            finally:
                self.close()

    def signer(self, label: str) -> "TokenKey":
        """Return a key of the token."""
        return TokenKey(self, label, self._tried(lambda: self._public(label)))

    def sign(self, label: str, kind: KeyType, content: bytes) -> bytes:
        """Return the signature over the content; a session that was lost is opened once more."""
        return self._tried(lambda: self._sign(label, kind, content))

    def close(self) -> None:
        """Log out, and forget all handles."""
        with _LOCK:
            session, self._session = self._session, None
            self._private.clear()
            if session is not None:
                # What is lost already need not be closed.
                with suppress(*_SESSION_LOST):
                    session.close()

    def _tried(self, use: Callable[[], _Value]) -> _Value:
        with _LOCK:
            try:
                self._session = self._session or self._opened()
                return use()
            except (PinIncorrect, PinLocked) as error:
                # Never twice: tokens lock after a few wrong PINs.
                raise self._unusable(error) from error
            except _SESSION_LOST:
                self.close()
            try:
                # A token that was away comes back only to a library that starts anew.
                pkcs11.lib(str(self._uri.module)).reinitialize()
                self._session = self._opened()
                return use()
            except _SESSION_LOST as error:
                self.close()
                raise self._unusable(error) from error

    def _opened(self, *, writable: bool = False) -> Any:
        wanted: dict[str, Any] = {"token_label": self._uri.token}
        if self._uri.serial:
            wanted["token_serial"] = self._uri.serial.encode()
        pin = self._pin().decode(errors="replace")
        token = pkcs11.lib(str(self._uri.module)).get_token(**wanted)
        try:
            return token.open(rw=writable, user_pin=pin)
        except UserAlreadyLoggedIn:
            # A login counts for the whole process (PKCS#11 section 5.6): another hub in it is in already.
            return token.open(rw=writable)

    def _found(self, label: str, kind: ObjectClass) -> list[Any]:
        return list(self._session.get_objects({Attribute.CLASS: kind, Attribute.LABEL: label}))

    def _one(self, label: str, kind: ObjectClass, what: str) -> Any:
        found = self._found(label, kind)
        if len(found) != 1:
            # None can also mean that the token went away, or that somebody logged this process out: tried once more.
            raise NoSuchKey(f"holds {len(found)} {what} keys with the label {label}; one is wanted")
        return found[0]

    def _public(self, label: str) -> CertificatePublicKeyTypes:
        self._one(label, ObjectClass.PRIVATE_KEY, "private")
        key = self._one(label, ObjectClass.PUBLIC_KEY, "public")
        public: Any = None
        if key.key_type is TokenKeyType.RSA:
            modulus, exponent = (int.from_bytes(key[each]) for each in (Attribute.MODULUS, Attribute.PUBLIC_EXPONENT))
            public = rsa.RSAPublicNumbers(exponent, modulus).public_key()
        elif key.key_type is TokenKeyType.EC:
            public = load_der_public_key(encode_ec_public_key(key))
        if not allowed(public):
            found = key.key_type.name if public is None else described(public)
            raise Unusable(f"the key {label} of the token is {found}; ECDSA P-256 or RSA with {RSA_BITS} is wanted.")
        found_key: CertificatePublicKeyTypes = public
        return found_key

    def _sign(self, label: str, kind: KeyType, content: bytes) -> bytes:
        if label not in self._private:
            self._private[label] = self._one(label, ObjectClass.PRIVATE_KEY, "private")
        key = self._private[label]
        if kind is KeyType.RSA:
            return bytes(key.sign(content, mechanism=Mechanism.SHA256_RSA_PKCS))
        # Tokens sign digests with ECDSA; hashing in them as well is not known to all.
        raw = bytes(key.sign(hashlib.sha256(content).digest(), mechanism=Mechanism.ECDSA))
        half = len(raw) // 2
        return encode_dss_signature(int.from_bytes(raw[:half]), int.from_bytes(raw[half:]))

    def _generate(self, label: str, kind: KeyType) -> None:
        options: dict[str, Any] = {
            "id": secrets.token_bytes(8),
            "label": label,
            "store": True,
            "capabilities": pkcs11.MechanismFlag.SIGN | pkcs11.MechanismFlag.VERIFY,
            "private_template": {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
        }
        if kind is KeyType.RSA:
            self._session.generate_keypair(TokenKeyType.RSA, RSA_BITS, **options)
        else:
            curve = {Attribute.EC_PARAMS: encode_named_curve_parameters(_P256)}
            domain = self._session.create_domain_parameters(TokenKeyType.EC, curve, local=True)
            domain.generate_keypair(**options)

    def _pin_place(self) -> str:
        return f"in {self._uri.pin_source}" if self._uri.pin_source else "that was given"

    def _unusable(self, error: Exception) -> Unusable:
        where = f"the token {self._uri.token} (library {self._uri.module})"
        if isinstance(error, PinIncorrect | PinLocked):
            locked = " and it is locked now" if isinstance(error, PinLocked) else ""
            return Unusable(f"{where} refuses the PIN {self._pin_place()}{locked}. Give the right one, and try again.")
        if isinstance(error, NoSuchKey):
            return Unusable(
                f"{where} {error}. Look with: pkcs11-tool --list-objects, and name the right one in hub.toml."
            )
        why = f"{type(error).__name__} {error}".strip()
        return Unusable(
            f"{where} cannot be used: {why}. Check that it is there and who may use it: softhsm2-util --show-slots, "
            "or pkcs11-tool --list-slots."
        )


class TokenKey:
    """A key in a token: a `Signer`."""

    def __init__(self, token: Token, label: str, public_key: CertificatePublicKeyTypes) -> None:
        self._token = token
        self._label = label
        self._public_key = public_key
        self._kind = KeyType.RSA if isinstance(public_key, rsa.RSAPublicKey) else KeyType.ECDSA

    @property
    def public_key(self) -> CertificatePublicKeyTypes:
        """The public part, as the token has it."""
        return self._public_key

    def sign(self, unsigned: Signable) -> bytes:
        """Return the signature over the bytes, with SHA-256."""
        return self._token.sign(self._label, self._kind, unsigned.der)
