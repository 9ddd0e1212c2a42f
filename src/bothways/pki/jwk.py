"""Private keys as JSON Web Keys (RFC 7517, RFC 7518 section 6), found in any text. Only to tell what was disclosed."""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from itertools import islice

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from bothways.pki import pasted
from bothways.pki.keys import CURVES, RSA_BITS

KEYS_MOST = 8
"""Keys of one file that are looked at: the arithmetic behind each RSA key takes a fifth of a second."""

_OBJECT = re.compile(rb"\{[^{}]*\}")


def private_keys(data: bytes) -> Iterator[rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey]:
    """Yield the private keys in `data` that are whole: the private numbers are those of the public ones.

    A set of keys is read as well, and what stands around it does not matter. RSA keys above 4096 bits, and those
    without their primes, are left out; of many keys, the first `KEYS_MOST` are looked at.
    """
    objects = (each for each in _OBJECT.finditer(pasted.plain(data)[0]) if b'"d"' in each[0])
    for match in islice(objects, KEYS_MOST):
        try:
            found = json.loads(match[0])
            if found.get("kty") == "RSA":
                yield _rsa(found)
            elif found.get("kty") == "EC":
                # Its public point follows from it: what else stands there says nothing.
                yield ec.derive_private_key(_number(found["d"]), CURVES[found["crv"]]())
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, binascii.Error):
            continue


def _rsa(found: dict[str, object]) -> rsa.RSAPrivateKey:
    # Without its primes it is left out: to compute them from numbers that a stranger forged takes minutes.
    n, e, d, p, q = (_number(found[each]) for each in ("n", "e", "d", "p", "q"))
    if max(n, e, d, p, q).bit_length() > RSA_BITS:
        raise ValueError("the key is too large")
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), rsa.RSAPublicNumbers(e, n)
    )
    # The library proves that they belong together.
    return numbers.private_key()


def _number(text: object) -> int:
    """Return the number in base64url without padding (RFC 7518 section 2). Raises `ValueError` for what is none."""
    if not isinstance(text, str):
        raise TypeError(type(text).__name__)
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
