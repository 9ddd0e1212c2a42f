"""Private keys that nothing protects though they are encrypted, or in a PKCS #12 store: to tell what was disclosed.

Read are PKCS #8 (RFC 5958) and PKCS #12 (RFC 7292), encrypted as PBES2 with PBKDF2 says (RFC 8018 section 6.2), or with
triple DES as old stores are (RFC 7292 appendix C). Nothing here trusts what it reads: how much it costs to open
something stands in it, and is read before.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import pbkdf2_hmac, sha1

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from bothways.pki import der as elements

ROUNDS_MOST = 1_000_000
"""Rounds of key derivation for one file, all that is sealed in it together: at most some seconds."""

_PBES2, _PBKDF2 = "1.2.840.113549.1.5.13", "1.2.840.113549.1.5.12"
_OLD = "1.2.840.113549.1.12.1.3"
_PRF = {
    "1.2.840.113549.2.7": "sha1",
    "1.2.840.113549.2.9": "sha256",
    "1.2.840.113549.2.10": "sha384",
    "1.2.840.113549.2.11": "sha512",
}
_CIPHERS: dict[str, tuple[Callable[[bytes], BlockCipherAlgorithm], int]] = {
    "2.16.840.1.101.3.4.1.2": (AES, 16),
    "2.16.840.1.101.3.4.1.22": (AES, 24),
    "2.16.840.1.101.3.4.1.42": (AES, 32),
    "1.2.840.113549.3.7": (TripleDES, 24),
}
_DATA, _ENCRYPTED = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.6"
_KEY_BAGS = {"1.2.840.113549.1.12.10.1.1", "1.2.840.113549.1.12.10.1.2"}
_SHA1_BLOCK, _SHA1_SIZE = 64, 20
_MALFORMED = (ValueError, IndexError, OverflowError)


@dataclass(slots=True)
class Effort:
    """The rounds of key derivation that are left for one file."""

    left: int = ROUNDS_MOST

    def spend(self, rounds: int) -> bool:
        """Take rounds away; False, and nothing is taken, if so many are not left."""
        if not 0 < rounds <= self.left:
            return False
        self.left -= rounds
        return True


def keys_in(der: bytes, effort: Effort) -> Iterator[bytes]:
    """Yield in plain PKCS #8 the keys in what may be an encrypted one or a store, if the password is empty or none is.

    What costs more than the `effort` that is left is passed over, as is all that is not understood.
    """
    if (opened := _opened(der, effort)) is not None:
        yield opened
        return
    for bag in _bags(der, effort):
        if (opened := _opened(bag, effort)) is not None:
            yield opened
        else:
            yield bag


def _bags(der: bytes, effort: Effort) -> Iterator[bytes]:
    """Yield the keys of a PKCS #12 store as they stand there: those in the open first, which cost nothing to reach."""
    try:
        _, outer, *_ = elements.parts(der)
        parts = [_content_info(each) for each in elements.parts(_octets(_content_info(outer)[1]))]
    except _MALFORMED:
        return
    for kind, content in sorted(parts, key=lambda each: each[0]):
        try:
            contents = _octets(content) if kind == _DATA else _decrypted_data(kind, content, effort)
            bags = [elements.parts(each) for each in elements.parts(contents)] if contents else []
            yield from (elements.content(bag[1]) for bag in bags if elements.dotted(bag[0]) in _KEY_BAGS)
        except _MALFORMED:
            continue


def _content_info(der: bytes) -> tuple[str, bytes]:
    kind, content = elements.parts(der)
    return elements.dotted(kind), elements.content(content)


def _octets(element: bytes) -> bytes:
    if element[0] != elements.OCTET_STRING:
        raise ValueError("no OCTET STRING")
    return elements.content(element)


def _decrypted_data(kind: str, content: bytes, effort: Effort) -> bytes | None:
    if kind != _ENCRYPTED:
        return None
    _, inner = elements.parts(content)
    _, algorithm, sealed = elements.parts(inner)
    return _decrypted(algorithm, elements.content(sealed), effort)


def _opened(der: bytes, effort: Effort) -> bytes | None:
    """Return the PKCS #8 in an EncryptedPrivateKeyInfo; None if it is none, or does not open."""
    try:
        algorithm, sealed = elements.parts(der)
        return _decrypted(algorithm, _octets(sealed), effort)
    except _MALFORMED:
        return None


def _decrypted(algorithm: bytes, sealed: bytes, effort: Effort) -> bytes | None:
    """Return the first element of what opens with an empty password. Raises `ValueError` for what is malformed."""
    kind, parameters = elements.parts(algorithm)
    name = elements.dotted(kind)
    if name == _PBES2:
        candidates = _pbes2(parameters, effort)
    elif name == _OLD:
        candidates = _old(parameters, effort)
    else:
        return None
    for cipher, iv in candidates:
        decryptor = Cipher(cipher, CBC(iv)).decryptor()
        plain = decryptor.update(sealed) + decryptor.finalize()
        try:
            # What follows is the padding. A wrong key gives no SEQUENCE of elements, but once in a blue moon.
            whole = elements.first(plain)
            if whole[0] == elements.SEQUENCE and len(elements.parts(whole)) > 0:
                return whole
        except _MALFORMED:
            continue
    return None


def _pbes2(parameters: bytes, effort: Effort) -> Iterator[tuple[BlockCipherAlgorithm, bytes]]:
    derivation, encryption = elements.parts(parameters)
    function, given = elements.parts(derivation)
    cipher, iv = elements.parts(encryption)
    known = _CIPHERS.get(elements.dotted(cipher))
    if elements.dotted(function) != _PBKDF2 or known is None:
        return
    salt, iterations, *rest = elements.parts(given)
    # The length of the key may stand between; it follows from the cipher.
    prf = next((each for each in rest if each[0] == elements.SEQUENCE), None)
    digest = _PRF.get(elements.dotted(elements.parts(prf)[0])) if prf else "sha1"
    rounds = _number(iterations)
    if digest and effort.spend(rounds):
        make, length = known
        yield make(pbkdf2_hmac(digest, b"", _octets(salt), rounds, length)), _octets(iv)


def _old(parameters: bytes, effort: Effort) -> Iterator[tuple[BlockCipherAlgorithm, bytes]]:
    salt, iterations = _octets(elements.parts(parameters)[0]), _number(elements.parts(parameters)[1])
    # An empty password is the end of a string to most, and nothing at all to some. Each is three digests a round.
    for password in (b"\0\0", b""):
        if effort.spend(3 * iterations):
            key = b"".join(_old_key(password, salt, iterations, 1, 24))
            yield TripleDES(key), b"".join(_old_key(password, salt, iterations, 2, 8))


def _old_key(password: bytes, salt: bytes, rounds: int, purpose: int, length: int) -> Iterator[bytes]:
    """Yield a key of `length` bytes, block by block (RFC 7292 appendix B.2, with SHA-1)."""
    block = _filled(salt) + _filled(password)
    for start in range(0, length, _SHA1_SIZE):
        digest = bytes((purpose,)) * _SHA1_BLOCK + block
        for _ in range(rounds):
            digest = sha1(digest, usedforsecurity=False).digest()
        yield digest[: length - start]
        more = int.from_bytes((digest * 4)[:_SHA1_BLOCK], "big") + 1
        words = [block[at : at + _SHA1_BLOCK] for at in range(0, len(block), _SHA1_BLOCK)]
        sums = [int.from_bytes(each, "big") + more & (1 << 8 * _SHA1_BLOCK) - 1 for each in words]
        block = b"".join(each.to_bytes(_SHA1_BLOCK, "big") for each in sums)


def _filled(octets: bytes) -> bytes:
    """Return the octets over and over, until they fill blocks of the digest."""
    size = -(-len(octets) // _SHA1_BLOCK) * _SHA1_BLOCK
    return (octets * (size // len(octets) + 1))[:size] if octets else b""


def _number(element: bytes) -> int:
    if element[0] != elements.INTEGER:
        raise ValueError("no INTEGER")
    return int.from_bytes(elements.content(element), "big", signed=True)
