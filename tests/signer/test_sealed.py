"""What is sealed is read with the same passphrase, at the same place, unchanged; and not otherwise."""

import pytest

from bothways.errors import Unusable
from bothways.signer.sealed import seal, unseal

pytestmark = pytest.mark.usefixtures("full_work")


def test_what_is_sealed_is_read_back_and_never_looks_the_same() -> None:
    first, second = (seal(b"passphrase", b"secret", "here") for _ in range(2))
    assert first != second
    assert b"secret" not in first
    assert unseal(b"passphrase", first, "here") == b"secret"


def test_what_was_sealed_once_is_read_for_good_and_trying_passphrases_stays_as_dear() -> None:
    # As it was sealed with scrypt's N of 2^14: with another one, it is not read.
    sealed = bytes.fromhex(
        "232ea15960de4b205ec34930993c48a1d6a9c2a29e0a6206097a9115496f01db0bb2d593bb8f0cab3ff48e885811db8d72f4"
    )
    assert unseal(b"passphrase", sealed, "here") == b"secret"


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
