"""The arithmetic against its definition: by brute force on small numbers, and on keys that are weak on purpose."""

from math import isqrt

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from tests.vectors import keys

from bothways.pki import weak


@given(st.integers(3, 2**200))
def test_close_primes_are_found_as_by_trying_each_round(modulus: int) -> None:
    start = isqrt(modulus - 1) + 1
    squares = [(start + each) ** 2 - modulus for each in range(weak.FERMAT_ROUNDS)]
    tried = any(isqrt(square) ** 2 == square for square in squares)
    assert weak.has_close_primes(modulus) is (tried and modulus % 2 == 1)


@given(st.integers(2**100, 2**101), st.integers(0, 2**50))
def test_factors_that_are_close_are_always_found(middle: int, distance: int) -> None:
    assert weak.has_close_primes((2 * middle + 1 - 2 * distance) * (2 * middle + 1 + 2 * distance))


@pytest.mark.parametrize("name", ["close", "square"])
def test_close_primes_of_real_size_are_found(name: str) -> None:
    assert weak.has_close_primes(keys.rsa(name).n)


@pytest.mark.parametrize(
    ("name", "factor"), [("factor-3", 3), ("factor-751", 751), ("even", 2), ("good", None), ("three", None)]
)
def test_small_factors(name: str, factor: int | None) -> None:
    assert weak.small_factor(keys.rsa(name).n) == factor


def test_the_first_prime_that_is_not_small_is_757() -> None:
    assert weak.small_factor(757) is None
    assert weak.small_factor(751 * 743 * 757) == 751 * 743


def test_keys_of_the_flawed_chips_are_known_by_their_form() -> None:
    assert weak.is_of_roca(keys.rsa("roca").n)
    p, q = keys.primes("roca")
    assert weak.is_of_roca(p)
    assert weak.is_of_roca(q)


def faults(modulus: int) -> bool:
    return weak.small_factor(modulus) is not None or weak.has_close_primes(modulus) or weak.is_of_roca(modulus)


@pytest.mark.parametrize("bits", [1024, 2048])
def test_new_keys_have_none_of_these_faults(bits: int) -> None:
    modulus = rsa.generate_private_key(65537, bits).public_key().public_numbers().n
    assert (weak.small_factor(modulus), weak.has_close_primes(modulus), weak.is_of_roca(modulus)) == (
        None,
        False,
        False,
    )


@pytest.mark.parametrize("name", ["good", "banned", "shared", "sharing", "2048", "3072", "three"])
def test_sound_keys_are_sound(name: str) -> None:
    modulus = keys.rsa(name).n
    assert (weak.small_factor(modulus), weak.has_close_primes(modulus), weak.is_of_roca(modulus)) == (
        None,
        False,
        False,
    )
