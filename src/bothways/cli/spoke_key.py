"""`--key` of `bothways spoke csr` and `renew`: a kind of key, or a key in a PKCS#11 token."""

from bothways.contract.document import KeyType
from bothways.errors import Unusable
from bothways.signer.token_uri import SCHEME, TokenUri, parse_token_uri


def wanted_key(key: str, kind: KeyType | None) -> tuple[KeyType | None, TokenUri | None]:
    """Return the kind that is wanted, if one was named, and where in a token the key is. Raises `Unusable`."""
    if key.startswith(SCHEME):
        return kind, parse_token_uri(key, pin_elsewhere=True)
    if kind:
        raise Unusable(
            "--kind is for a key that is made in a token: --key pkcs11:... For one in a file, --key names it."
        )
    if key and key not in [*KeyType]:
        raise Unusable(f"--key is {key!r}, and ecdsa, rsa or the PKCS#11 URI of a key in a token is wanted.")
    return KeyType(key) if key else None, None
