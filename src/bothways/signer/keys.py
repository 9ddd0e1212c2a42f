"""All keys of one hub: those of the issuing CA in a token if the hub has one, all others sealed, where the hub says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from bothways.contract.document import KeyType
from bothways.errors import Unusable
from bothways.pki.statement import Statement
from bothways.registry.sealed_key import SealedKey
from bothways.signer.private_key import PrivateKey, new_key, open_key, seal_key
from bothways.signer.sealed import seal, unseal
from bothways.signer.signer import Signable, Signer, require_pair
from bothways.signer.token_uri import SCHEME, key_name, parse_token_uri

if TYPE_CHECKING:
    from bothways.signer.token import Token


@dataclass(frozen=True, slots=True)
class ProvidedKey:
    """A key that is to be put to use: the name to remember it by, its public part, and whether it was there before.

    `stored` is what is to be stored in the transaction that puts it to use; None for a key in a token, which is there.
    """

    name: str
    public_key: CertificatePublicKeyTypes
    stored: SealedKey | None = None
    existed: bool = False


class Keys:
    """The keys by their names: `pkcs11:object=...` lies in the token of the settings, any other is stored sealed.

    `find` returns what is stored under a name, `secret` the passphrase that opens it, read anew if it does not;
    `version` is that passphrase's.
    """

    def __init__(
        self, find: Callable[[str], SealedKey | None], secret: Callable[[], bytes], version: int, signer: str = ""
    ) -> None:
        self._find = find
        self._secret = secret
        self._passphrase = secret()
        self._version = version
        self._uri = parse_token_uri(signer) if signer else None
        self._signers: dict[str, Signer] = {}
        self._opened: dict[str, PrivateKey] = {}
        self._paired: dict[str, x509.Certificate] = {}
        self._token: Token | None = None

    @property
    def version(self) -> int:
        """The version of the passphrase that new keys are sealed with."""
        return self._version

    def generate(self, name: str, kind: KeyType = KeyType.ECDSA) -> ProvidedKey:
        """Make a new key, which signs from now on, and is gone unless it is stored. `name` is that of no other key."""
        key = self._opened[name] = new_key(kind)
        # First its version: where the passphrase changes in between, the key is refused, and never under the wrong one.
        version, passphrase = self._version, self._passphrase
        return ProvidedKey(name, key.public_key, SealedKey(seal_key(key, passphrase), version))

    def provide_issuing_key(self, name: str, kind: KeyType, generation: int = 1) -> ProvidedKey:
        """Return an issuing CA's key: a new one `name`, or the key in the token, which is made if it is not there.

        In the token, the first CA's is the object of the settings, and the next ones have `-2` and so on behind that.
        """
        if self._uri is None:
            return self.generate(name, kind)
        token = self._opened_token()
        label = self._uri.object if generation == 1 else f"{self._uri.object}-{generation}"
        existed = token.holds(label)
        if not existed:
            token.generate(label, kind)
        name = key_name(label)
        return ProvidedKey(name, self.signer(name).public_key, existed=existed)

    def signer(self, name: str) -> Signer:
        """Return a key by its name, opened once. Raises `Unusable`."""
        if not name.startswith(SCHEME):
            return self._private(name)
        if name not in self._signers:
            self._signers[name] = self._opened_token().signer(unquote(name.partition("=")[2]))
        return self._signers[name]

    def signer_of(self, certificate: x509.Certificate, name: str) -> Signer:
        """Return the key of a CA, after it was compared with the CA's certificate. Raises `Unusable`."""
        signer = self.signer(name)
        if self._paired.get(name) != certificate:
            require_pair(signer, certificate, name)
            self._paired[name] = certificate
        return signer

    def sign(self, name: str, unsigned: Signable) -> bytes:
        """Return the signature of one key over the bytes of a certificate or a list. Raises `Unusable`."""
        return self.signer(name).sign(unsigned)

    def request(self, name: str, subject: x509.Name, extensions: Sequence[x509.ExtensionType] = ()) -> bytes:
        """Return a certification request (RFC 2986, DER) for a key, signed by itself. Never for a CA's key.

        Raises `Unusable`.
        """
        return self._private(name).request(subject, extensions)

    def state(self, name: str, statement: Statement) -> bytes:
        """Return the signature of a key over a statement. Never for a CA's key. Raises `Unusable`."""
        return self._private(name).state(statement)

    def private_pem(self, name: str) -> str:
        """Return a key in the clear, for the data plane that has to use it. Never for the key of a CA."""
        return self._private(name).pem()

    def seal(self, secret: bytes, place: str) -> bytes:
        """Return a small secret that is stored, sealed with the passphrase."""
        return seal(self._passphrase, secret, place)

    def unseal(self, sealed: bytes, place: str) -> bytes:
        """Return a small secret as `seal` sealed it. Raises `Unusable`."""
        try:
            return unseal(self._passphrase, sealed, place)
        except Unusable:
            return unseal(self._secret(), sealed, place)

    def prove(self, name: str) -> None:
        """Raise `Unusable` unless the passphrase, as it is now, opens what is stored of a key now."""
        self._open(name)

    def close(self) -> None:
        """Log out of the token."""
        self._signers.clear()
        if self._token is not None:
            self._token.close()

    def _private(self, name: str) -> PrivateKey:
        if name not in self._opened:
            self._opened[name] = self._open(name)
        return self._opened[name]

    def _open(self, name: str) -> PrivateKey:
        found = self._find(name)
        if found is None:
            raise Unusable(f"the private key {name} is not in the database. Restore the hub from a backup.")
        try:
            key = open_key(found.pem, self._passphrase, name)
        except Unusable:
            # It may have been changed since it was read.
            fresh = self._secret()
            key = open_key(found.pem, fresh, name)
            self._passphrase = fresh
        self._version = found.passphrase
        return key

    def _opened_token(self) -> "Token":
        if self._uri is None:
            raise Unusable(
                "the issuing CA's key lies in a PKCS#11 token, and hub.toml does not say in which. "
                'Add it: [keys] signer = "pkcs11:token=...;object=...?module-path=...&pin-source=..."'
            )
        if self._token is None:
            from bothways.signer.token import Token  # noqa: PLC0415 - the binding, which only hubs with a token load

            self._token = Token(self._uri)
        return self._token
