"""All keys of one hub: those of the issuing CA in a token if the hub has one, all others in files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from bothways.contract.document import KeyType
from bothways.errors import Unusable
from bothways.pki.statement import Statement
from bothways.signer.key_files import KeyFiles, PublicKey
from bothways.signer.signer import Signable, Signer, require_pair
from bothways.signer.token_uri import SCHEME, key_name, parse_token_uri

if TYPE_CHECKING:
    from bothways.signer.token import Token


@dataclass(frozen=True, slots=True)
class ProvidedKey:
    """A key for a CA: the name to remember it by, its public part, and whether it was there before."""

    name: str
    public_key: CertificatePublicKeyTypes
    existed: bool = False


class Keys:
    """The keys by their names: `pkcs11:object=...` lies in the token of the settings, any other in a file."""

    def __init__(self, directory: Path, passphrase: bytes, signer: str = "") -> None:
        self._files = KeyFiles(directory, passphrase)
        self._uri = parse_token_uri(signer) if signer else None
        self._signers: dict[str, Signer] = {}
        self._paired: dict[str, x509.Certificate] = {}
        self._token: Token | None = None

    def generate(self, name: str, kind: KeyType = KeyType.ECDSA) -> PublicKey:
        """Make a new key in a file, and return its public part. Raises `Conflict`, `Unusable`."""
        return self._files.generate(name, kind)

    def provide_issuing_key(self, name: str, kind: KeyType, generation: int = 1) -> ProvidedKey:
        """Return an issuing CA's key: a new file `name`, or the key in the token, which is made if it is not there.

        In the token, the first CA's is the object of the settings, and the next ones have `-2` and so on behind that.
        """
        if self._uri is None:
            return ProvidedKey(name, self.generate(name, kind))
        token = self._opened_token()
        label = self._uri.object if generation == 1 else f"{self._uri.object}-{generation}"
        existed = token.holds(label)
        if not existed:
            token.generate(label, kind)
        name = key_name(label)
        return ProvidedKey(name, self.signer(name).public_key, existed)

    def signer(self, name: str) -> Signer:
        """Return a key by its name, opened once. Raises `Unusable`."""
        if name not in self._signers:
            if name.startswith(SCHEME):
                label = unquote(name.partition("=")[2])
                self._signers[name] = self._opened_token().signer(label)
            else:
                self._signers[name] = self._files.signer(name)
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
        """Return a certification request (RFC 2986, DER) for a key in a file, signed by itself. Never for a CA's key.

        Raises `Unusable`.
        """
        return self._files.request(name, subject, extensions)

    def state(self, name: str, statement: Statement) -> bytes:
        """Return the signature of a key in a file over a statement. Never for a CA's key. Raises `Unusable`."""
        return self._files.state(name, statement)

    def private_pem(self, name: str) -> str:
        """Return a key in the clear, for the data plane that has to use it. Never for the key of a CA."""
        return self._files.private_pem(name)

    def close(self) -> None:
        """Log out of the token."""
        self._signers.clear()
        if self._token is not None:
            self._token.close()

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
