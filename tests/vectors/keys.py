"""Keys that are the same each time: of elliptic curves from a label, of RSA from primes that are found from a seed.

Whoever reads this has them all. They are for vectors, and for nothing else.
"""

import hashlib
import json
from functools import cache
from math import gcd, lcm, prod
from pathlib import Path
from random import Random

from cryptography.hazmat.primitives.asymmetric import ec

PRIMES = Path(__file__).parent / "primes.json"
EXPONENT = 65537
_ROUNDS = 24


@cache
def ecdsa(label: str, curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    """Return the key of this label."""
    return ec.derive_private_key(int.from_bytes(hashlib.sha256(label.encode()).digest()[:20]), curve())


class Rsa:
    """An RSA key of any numbers, also of those that a library refuses."""

    def __init__(self, *primes: int, exponent: int = EXPONENT) -> None:
        self.n, self.e, self.primes = prod(primes), exponent, primes
        totient = lcm(*(each - 1 for each in primes)) if len(set(primes)) > 1 else primes[0] * (primes[0] - 1)
        # Where no private exponent exists, no signature is right.
        self.d = pow(exponent, -1, totient) if gcd(exponent, totient) == 1 else 1

    def signature(self, message: bytes, digest: str, prefix: bytes) -> bytes:
        """Return the signature of RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2.1)."""
        length = (self.n.bit_length() + 7) // 8
        encoded = prefix + hashlib.new(digest, message).digest()
        padded = b"\0\1" + b"\xff" * (length - len(encoded) - 3) + b"\0" + encoded
        return self.power(int.from_bytes(padded)).to_bytes(length)

    def power(self, number: int) -> int:
        """Return the number to the power of the private exponent, prime by prime where that is possible."""
        if len(set(self.primes)) < len(self.primes):
            return pow(number, self.d, self.n)
        parts = ((pow(number, self.d % (each - 1), each), self.n // each, each) for each in self.primes)
        return sum(part * rest * pow(rest, -1, each) for part, rest, each in parts) % self.n


def primes(name: str) -> tuple[int, ...]:
    """Return the primes of this name from the file."""
    return tuple(int(each, 16) for each in json.loads(PRIMES.read_text())[name])


@cache
def rsa(name: str, exponent: int = EXPONENT) -> Rsa:
    """Return the RSA key of these primes."""
    return Rsa(*primes(name), exponent=exponent)


def find_primes() -> dict[str, tuple[int, ...]]:
    """Return all primes, found anew: some minutes of work, always with the same result."""
    close = _prime("close", 2048)
    common, roca = _prime("common", 2048), [_roca_prime(f"roca {each}", 2048) for each in "pq"]
    return {
        "good": (_prime("good p", 2048), _prime("good q", 2048)),
        "banned": (_prime("banned p", 2048), _prime("banned q", 2048)),
        "shared": (common, _prime("shared", 2048)),
        "sharing": (common, _prime("sharing", 2048)),
        "close": (close, _next_prime(close)),
        "square": (close, close),
        "roca": (roca[0], roca[1]),
        "factor-3": (3, _prime("factor 3", 4094)),
        "factor-751": (751, _prime("factor 751", 4086)),
        "even": (2, _prime("even", 4095)),
        "1024": (_prime("1024 p", 512), _prime("1024 q", 512)),
        "2048": (_prime("2048 p", 1024), _prime("2048 q", 1024)),
        "3072": (_prime("3072 p", 1536), _prime("3072 q", 1536)),
        "4088": (_prime("4088 p", 2044), _prime("4088 q", 2044)),
        "4104": (_prime("4104 p", 2052), _prime("4104 q", 2052)),
        "three": tuple(_prime(f"three {each}", bits) for each, bits in (("p", 1366), ("q", 1365), ("r", 1365))),
    }


def _prime(seed: str, bits: int) -> int:
    """Return a prime whose two highest bits are set, and for which 3 and 65537 can be exponents."""
    random = Random(seed)  # noqa: S311 - it must be the same each time
    while True:
        candidate = random.getrandbits(bits) | 3 << bits - 2 | 1
        if candidate % 3 == 2 and _is_prime(candidate):
            return candidate


def _next_prime(start: int) -> int:
    candidate = start + 2
    while candidate % 3 != 2 or not _is_prime(candidate):
        candidate += 2
    return candidate


def _roca_prime(seed: str, bits: int) -> int:
    """Return a prime of the form k * M + 65537**a mod M, M the product of the first 225 primes (ROCA, section 2.1)."""
    modulus = prod(each for each in range(2, 1428) if all(each % factor for factor in range(2, each)))
    random = Random(seed)  # noqa: S311 - as above
    while True:
        k = random.getrandbits(bits - modulus.bit_length()) | 3 << bits - modulus.bit_length() - 1
        candidate = k * modulus + pow(EXPONENT, random.getrandbits(200), modulus)
        if candidate.bit_length() == bits and candidate >> bits - 2 == 3 and _is_prime(candidate):
            return candidate


def _is_prime(candidate: int) -> bool:
    if any(candidate % small == 0 for small in (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53)):
        return False
    if pow(2, candidate - 1, candidate) != 1:
        return False
    random, odd, twos = Random(candidate), candidate - 1, 0  # noqa: S311 - as above
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_is_no_witness(random.randrange(2, candidate - 1), odd, twos, candidate) for _ in range(_ROUNDS))


def _is_no_witness(base: int, odd: int, twos: int, candidate: int) -> bool:
    power = pow(base, odd, candidate)
    if power in {1, candidate - 1}:
        return True
    for _ in range(twos - 1):
        power = power * power % candidate
        if power == candidate - 1:
            return True
    return False
