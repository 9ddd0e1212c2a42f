from bothways.registry.sealed_key import SealedKey


def test_it_is_not_in_what_is_printed() -> None:
    assert repr(SealedKey(b"sealed", 3)) == "SealedKey(passphrase=3)"
