"""Rules on the key and the digest: what R7 allows, and keys that others can have."""

from collections.abc import Iterator
from math import gcd

from bothways.pki import keys, weak
from bothways.pki.encoding import BROKEN_DIGESTS
from bothways.pki.keys import sha256
from bothways.pki.rule import Said
from bothways.pki.rules.asked import Asked

_NEW_KEY = "Make a new key, and a request for it."
_NEW_TOOL = "Make a new key with an up-to-date OpenSSL, not with the tool or device that made this one."


def key_is_allowed(asked: Asked) -> Iterator[Said]:
    """RSA 4096 or ECDSA P-256, and of those what the contract lists."""
    key, allowed = asked.reading.public_key, asked.applicant.terms.request.keys
    if key and not (keys.allowed(key) and asked.marker in allowed):
        first, *others = (each.wanted for each in allowed)
        # A contract lists one of the two kinds, or both.
        yield f"the key is {keys.described(key)}; {first}{f' or {others[0]}' if others else ''} is wanted", _NEW_KEY


def digest_is_sha256(asked: Asked) -> Iterator[Said]:
    """SHA-256 signs the request; for a key that has no choice of digests, the key is what is wrong."""
    digest = asked.reading.digest
    told = digest in BROKEN_DIGESTS or digest.startswith("the unknown")
    wanted = asked.applicant.terms.request.digest
    if digest != wanted and not told and asked.marker:
        yield f"the request is signed with {digest}; {wanted} is wanted", f"Make it again with -{wanted}."


def key_is_not_of_roca(asked: Asked) -> Iterator[Said]:
    """The key was not made by the flawed library of Infineon's chips."""
    modulus = asked.modulus
    if modulus and weak.is_of_roca(modulus):
        yield "the key was made by a flawed chip (ROCA): its private key can be computed", _NEW_TOOL


def primes_are_far_apart(asked: Asked) -> Iterator[Said]:
    """Fermat's method does not take the modulus apart."""
    modulus = asked.modulus
    if modulus and weak.has_close_primes(modulus):
        yield "the primes of the key are so close together that its private key can be computed", _NEW_TOOL


def modulus_has_no_small_factor(asked: Asked) -> Iterator[Said]:
    """No prime below 752 divides the modulus; an even one is no key at all."""
    modulus = asked.modulus
    if modulus and (factor := weak.small_factor(modulus)):
        yield f"the modulus of the key has the factor {factor}: it is damaged, or no RSA key", _NEW_TOOL


def modulus_shares_no_factor(asked: Asked) -> Iterator[Said]:
    """No other known modulus has a prime in common with this one: from the two, both private keys follow."""
    modulus = asked.modulus
    if modulus and asked.applicant.known.moduli != 1 and gcd(modulus, asked.applicant.known.moduli) != 1:
        # Whose the other key is, is nobody's business but theirs.
        yield "the key shares a prime with another key, so that both private keys can be computed", _NEW_TOOL


def key_is_not_banned(asked: Asked) -> Iterator[Said]:
    """Nobody else is known to have the private key."""
    banned = asked.applicant.known.banned
    if banned and (why := banned.get(sha256(asked.reading.spki))) is not None:
        yield f"the key is banned for good: {why}", _NEW_KEY
