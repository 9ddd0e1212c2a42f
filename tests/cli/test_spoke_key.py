import pytest

from bothways.cli.spoke_key import wanted_key
from bothways.contract.document import KeyType
from bothways.errors import Unusable
from bothways.signer.token_uri import EXAMPLE, parse_token_uri

TOKEN = parse_token_uri(EXAMPLE)


@pytest.mark.parametrize(
    ("key", "kind", "wanted"),
    [
        ("ecdsa", None, (KeyType.ECDSA, None)),
        ("rsa", None, (KeyType.RSA, None)),
        ("", None, (None, None)),
        (EXAMPLE, None, (None, TOKEN)),
        (EXAMPLE, KeyType.RSA, (KeyType.RSA, TOKEN)),
    ],
)
def test_a_kind_or_a_key_in_a_token(key: str, kind: KeyType | None, wanted: object) -> None:
    assert wanted_key(key, kind) == wanted


@pytest.mark.parametrize(
    ("key", "kind", "said"),
    [
        ("dsa", None, "--key is 'dsa', and ecdsa, rsa or the PKCS#11 URI"),
        ("rsa", KeyType.ECDSA, "--kind is for a key that is made in a token"),
        ("pkcs11:token=a", None, "has no object, module-path"),
    ],
)
def test_anything_else_is_refused(key: str, kind: KeyType | None, said: str) -> None:
    with pytest.raises(Unusable, match=said):
        wanted_key(key, kind)
