"""What is sealed is read with the same passphrase, at the same place, unchanged; and not otherwise."""

import pytest

from bothways.errors import Unusable
from bothways.signer.sealed import seal, unseal


def test_what_is_sealed_is_read_back_and_never_looks_the_same() -> None:
    first, second = (seal(b"passphrase", b"secret", "here") for _ in range(2))
    assert first != second
    assert b"secret" not in first
    assert unseal(b"passphrase", first, "here") == b"secret"


@pytest.mark.parametrize(
    ("passphrase", "place", "flipped"),
    [(b"another", "here", None), (b"passphrase", "elsewhere", None), (b"passphrase", "here", -1)],
)
def test_another_passphrase_place_or_bit_is_refused(passphrase: bytes, place: str, flipped: int | None) -> None:
    sealed = bytearray(seal(b"passphrase", b"secret", "here"))
    if flipped is not None:
        sealed[flipped] ^= 1
    with pytest.raises(Unusable, match="cannot be read with the hub's passphrase"):
        unseal(passphrase, bytes(sealed), place)
