"""Arithmetic on RSA moduli that their makers spoiled: from the public modulus alone, whether it can be taken apart.

Nothing is said here about sizes and exponents (`keys`), nor about keys that somebody else knows (`rule.KnownKeys`).
"""

from functools import cache
from math import gcd, isqrt, prod

SMALL_FACTOR_BELOW = 752
"""No factor of a modulus is smaller (NIST SP 800-89 section 5.3.3)."""

FERMAT_ROUNDS = 100
"""Rounds of Fermat's factorization that a modulus withstands (CA/Browser Forum ballot SC-073)."""

_ROCA_PRIMES_MOST = 701
"""The flawed library's primes are special modulo each prime up to 701, for all moduli with 1984 bits or more.

That a sound modulus looks like one of these has a probability of 2**-167.
"""
_ROCA_GENERATOR = 65537
_SIEVES = (16, 9, 5, 7, 11, 13, 17, 19, 23, 29, 31)


def small_factor(modulus: int) -> int | None:
    """Return the product of the prime factors below 752 of the modulus, or None if there is none."""
    factor = gcd(modulus, _product_of_small_primes())
    return factor if factor > 1 else None


def has_close_primes(modulus: int) -> bool:
    """Tell whether Fermat's method finds two factors within 100 rounds, as of primes that are too close together.

    It looks for a with a² - n = b². That a difference is no square shows modulo small numbers for all rounds at once,
    so that hardly any root has to be taken. An even number has another fault, which `small_factor` finds.
    """
    if modulus % 2 == 0:
        return False
    start = isqrt(modulus - 1) + 1
    rounds = (1 << FERMAT_ROUNDS) - 1
    for sieve in _SIEVES:
        rounds &= _square_rounds(sieve)[modulus % sieve] >> start % sieve
    while rounds:
        last = rounds & -rounds
        difference = (start + last.bit_length() - 1) ** 2 - modulus
        if isqrt(difference) ** 2 == difference:
            return True
        rounds ^= last
    return False


def is_of_roca(modulus: int) -> bool:
    """Tell whether the modulus has the fingerprint of the flawed RSALib (ROCA, CVE-2017-15361).

    Modulo each small prime it is a power of 65537 there, because its factors are (Nemec et al., CCS 2017, section 3.3).
    """
    return all(powers >> modulus % prime & 1 for prime, powers in _roca_fingerprint())


@cache
def _product_of_small_primes() -> int:
    return prod(_primes(SMALL_FACTOR_BELOW))


@cache
def _roca_fingerprint() -> tuple[tuple[int, int], ...]:
    return tuple((prime, _powers(prime)) for prime in _primes(_ROCA_PRIMES_MOST + 1))


def _powers(prime: int) -> int:
    """Return the powers of the generator modulo a prime, as the bits of one number."""
    powers, power = 0, 1
    while not powers >> power & 1:
        powers |= 1 << power
        power = power * _ROCA_GENERATOR % prime
    return powers


@cache
def _square_rounds(sieve: int) -> tuple[int, ...]:
    """Return for each n modulo the sieve where a² - n is a square there: bit a, repeated for all rounds."""
    squares = {each * each % sieve for each in range(sieve)}
    return tuple(
        sum(1 << a for a in range(FERMAT_ROUNDS + sieve) if (a * a - n) % sieve in squares) for n in range(sieve)
    )


def _primes(below: int) -> list[int]:
    return [each for each in range(2, below) if all(each % factor for factor in range(2, isqrt(each) + 1))]
