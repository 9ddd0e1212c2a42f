"""Vectors on keys, digests and proof of possession."""

from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.vectors import keys
from tests.vectors.shape import (
    EC_OID,
    NULL,
    RSA_CN,
    Vector,
    attributes,
    content,
    ec_spki,
    good,
    good_rsa,
    rsa_spki,
    signed,
    spki_of,
    subject,
    vector,
)

from bothways.pki import der

_P256 = der.oid("1.2.840.10045.3.1.7")
_CURVES = {
    "p192": ec.SECP192R1,
    "p224": ec.SECP224R1,
    "p384": ec.SECP384R1,
    "p521": ec.SECP521R1,
    "secp256k1": ec.SECP256K1,
    "brainpool-p256": ec.BrainpoolP256R1,
    "brainpool-p384": ec.BrainpoolP384R1,
}
_FIELD = 2**256 - 2**224 + 2**192 + 2**96 - 1
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_G = bytes.fromhex(
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)


def vectors() -> Iterator[Vector]:
    """Return them all."""
    yield from _other_keys()
    yield from _weak_keys()
    yield from _digests()
    yield from _forms()
    yield from _unusable()
    yield from _possession()


def _other_keys() -> Iterator[Vector]:
    for size in ("1024", "2048", "3072", "4088", "4104"):
        yield vector(f"key-rsa-{size}-bits", "KEY-01", good_rsa(size))
    for exponent in (3, 17, 257, 2**32 + 1):
        yield vector(f"key-rsa-exponent-{exponent}", "KEY-01", good_rsa(exponent=exponent))
    for name, curve in _CURVES.items():
        key = keys.ecdsa(name, curve)
        yield vector(f"key-{name}", "KEY-01", signed(content(spki=spki_of(key)), key))
    edwards = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    goldilocks = ed448.Ed448PrivateKey.from_private_bytes(bytes(range(57)))
    for name, oid, other in (("ed25519", "1.3.101.112", edwards), ("ed448", "1.3.101.113", goldilocks)):
        info = content(spki=other.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
        yield vector(f"key-{name}", "KEY-01", der.signed(info, der.sequence(der.oid(oid)), other.sign(info)))


def _weak_keys() -> Iterator[Vector]:
    yield vector("key-roca", "KEY-06", good_rsa("roca"))
    yield vector("key-close-primes", "KEY-07", good_rsa("close"))
    yield vector("key-square-of-a-prime", "KEY-07", good_rsa("square"))
    yield vector("key-factor-3", "KEY-08", good_rsa("factor-3"))
    yield vector("key-factor-751", "KEY-08", good_rsa("factor-751"))
    yield vector("key-even-modulus", "KEY-08 POP-01", good_rsa("even"))
    yield vector("key-shares-a-prime", "KEY-09", good_rsa("sharing"))
    yield vector("key-banned-rsa", "KEY-10", good_rsa("banned"))
    banned = keys.ecdsa("banned")
    yield vector("key-banned-ecdsa", "KEY-10", signed(content(spki=spki_of(banned)), banned))


def _digests() -> Iterator[Vector]:
    for digest in ("sha224", "sha384", "sha512"):
        yield vector(f"digest-ecdsa-{digest}", "KEY-02", signed(content(), digest=digest))
        yield vector(f"digest-rsa-{digest}", "KEY-02", good_rsa(digest=digest))
    for digest in ("md5", "sha1"):
        yield vector(f"digest-rsa-{digest}", "KEY-02", good_rsa(digest=digest))
    yield vector("digest-ecdsa-sha1", "KEY-02", signed(content(), oid="1.2.840.10045.4.1"))
    yield vector("digest-unknown-algorithm", "KEY-02", signed(content(), oid="1.3.6.1.4.1.55555.2"))
    yield vector(
        "digest-sha1-and-another-subject", "CN-01 KEY-02", signed(content(subject(CN=RSA_CN)), oid="1.2.840.10045.4.1")
    )


def _forms() -> Iterator[Vector]:
    key = keys.ecdsa("good")
    numbers = key.public_key().public_numbers()
    x, y = numbers.x.to_bytes(32), numbers.y.to_bytes(32)
    explicit = _explicit(_G)
    yield vector("key-explicit-parameters", "KEY-04", signed(content(spki=ec_spki(b"\x04" + x + y, explicit))))
    yield vector("key-compressed-point", "KEY-04", signed(content(spki=ec_spki(bytes([2 | y[-1] & 1]) + x, _P256))))
    yield vector("key-hybrid-point", "KEY-04", signed(content(spki=ec_spki(bytes([6 | y[-1] & 1]) + x + y, _P256))))
    rsa = keys.rsa("good")
    bare = rsa_spki(der.integer(rsa.n), der.integer(rsa.e), parameters=b"")
    yield vector("key-rsa-without-parameters", "KEY-04", signed(content(subject(CN=RSA_CN), bare), rsa))
    pss = rsa_spki(der.integer(rsa.n), der.integer(rsa.e), "1.2.840.113549.1.1.10", b"")
    yield vector("key-rsa-pss", "KEY-04", signed(content(subject(CN=RSA_CN), pss), rsa))


def _explicit(generator: bytes) -> bytes:
    """Return ECParameters of P-256 with this generator (RFC 3279 section 2.3.5)."""
    field = der.sequence(der.oid("1.2.840.10045.1.1"), der.integer(_FIELD))
    curve = der.sequence(*(der.tagged(der.OCTET_STRING, each.to_bytes(32)) for each in (_FIELD - 3, _B)))
    base = der.tagged(der.OCTET_STRING, generator)
    return der.sequence(der.integer(1), field, curve, base, der.integer(_ORDER), der.integer(1))


def _unusable() -> Iterator[Vector]:
    key, rsa = keys.ecdsa("good"), keys.rsa("good")
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    points = {
        "off-the-curve": (point[:-1] + bytes([point[-1] ^ 1]), _P256),
        "at-infinity": (b"\0", _P256),
        "of-zeros": (b"\x04" + bytes(64), _P256),
        "beyond-the-field": (b"\x04" + b"\xff" * 64, _P256),
        "too-short": (point[:-1], _P256),
        "too-long": (point + b"\0", _P256),
        "empty": (b"", _P256),
        "on-sm2": (point, der.oid("1.2.156.10197.1.301")),
        "under-implicit-parameters": (point, NULL),
        # CVE-2020-0601: the sender's key is the generator, so that everybody knows the private key, 1.
        "as-its-own-generator": (point, _explicit(point)),
    }
    for name, (octets, parameters) in points.items():
        yield vector(f"key-point-{name}", "KEY-05", signed(content(spki=ec_spki(octets, parameters))))
    for name, oid in (("ecdh", "1.3.132.1.12"), ("gost", "1.2.643.7.1.1.1.1"), ("unknown", "1.3.6.1.4.1.55555.3")):
        yield vector(f"key-of-algorithm-{name}", "KEY-05", signed(content(spki=ec_spki(point, _P256, oid))))
    n, e = der.integer(rsa.n), der.integer(rsa.e)
    numbers = {
        "exponent-1": (n, der.integer(1)),
        "exponent-2": (n, der.integer(2)),
        "exponent-65536": (n, der.integer(65536)),
        "exponent-larger-than-modulus": (n, der.integer(rsa.n + 2)),
        "modulus-0": (der.integer(0), e),
        "negative-modulus": (der.tagged(der.INTEGER, rsa.n.to_bytes(512)), e),
    }
    for name, (modulus, exponent) in numbers.items():
        info = content(subject(CN=RSA_CN), rsa_spki(modulus, exponent))
        # No key of an algorithm is there, so either marker is as good as the other.
        yield vector(f"key-rsa-{name}", "KEY-05", signed(info, rsa))
    for name, large, other in (
        ("exponent-of-4000-bits", rsa.n, 1 << 3999 | 1),
        ("60000-bits", 1 << 59999 | 3, 65537),
        ("60000-bits-and-exponent", 1 << 50000 | 3, 1 << 49000 | 1),
    ):
        info = content(subject(CN=RSA_CN), rsa_spki(der.integer(large), der.integer(other)))
        factors = " KEY-08" if _has_small_factor(large) else ""
        yield vector(f"key-rsa-{name}", f"KEY-01 POP-01{factors}", signed(info, rsa))
    x25519 = bytes.fromhex("302a300506032b656e032100") + bytes(range(32))
    yield vector("key-x25519", "KEY-01 POP-01", signed(content(spki=x25519)))
    empty = der.sequence(der.sequence(der.oid(EC_OID), _P256), b"\x03\x00")
    yield vector("key-bit-string-without-octets", "FILE-07", signed(content(spki=empty)))


def _has_small_factor(modulus: int) -> bool:
    return any(modulus % factor == 0 for factor in range(3, 752, 2))


def _possession() -> Iterator[Vector]:
    info, request = content(), good()
    algorithm, signature = der.parts(request)[1:]
    other = keys.ecdsa("other")
    half = der.content(signature)[1:]
    r, s = (int.from_bytes(der.content(each)) for each in der.parts(half))
    yield vector("pop-another-tspid", "CN-01 POP-01", request.replace(b"/12345678/", b"/87654321/"))
    yield vector("pop-another-organization", "POP-01 SUBJECT-03", request.replace(b"First Bank", b"Firsr Bank"))
    yield vector("pop-key-of-somebody-else", "POP-01", signed(content(spki=spki_of(other))))
    yield vector("pop-key-replaced", "POP-01", request.replace(spki_of(keys.ecdsa("good")), spki_of(other)))
    signatures = {
        "flipped-bit": half[:-1] + bytes([half[-1] ^ 1]),
        "empty": b"",
        "zeros": der.sequence(der.integer(0), der.integer(0)),
        "order": der.sequence(der.integer(_ORDER), der.integer(_ORDER)),
        "swapped": der.sequence(der.integer(s), der.integer(r)),
        "raw": r.to_bytes(32) + s.to_bytes(32),
        "followed-by-more": half + b"\0",
        "larger-by-the-order": der.sequence(der.integer(r + _ORDER), der.integer(s)),
    }
    for name, octets in signatures.items():
        yield vector(f"pop-signature-{name}", "POP-01", der.signed(info, algorithm, octets))
    password = attributes(("1.2.840.113549.1.9.7", [der.tagged(0x0C, b"secret")]))
    changed = der.sequence(*der.parts(info)[:3], password)
    yield vector("pop-attribute-added", "ATTRIBUTE-02 POP-01", der.signed(changed, algorithm, half))
    yield vector("pop-algorithm-of-rsa", "POP-01", signed(info, oid="1.2.840.113549.1.1.11"))
    yield vector("pop-algorithm-sha384-named", "KEY-02 POP-01", signed(info, oid="1.2.840.10045.4.3.3"))
    rsa = keys.rsa("good")
    info = content(subject(CN=RSA_CN), spki_of(rsa))
    padded = der.parts(signed(info, rsa))[2]
    changed = padded[:-1] + bytes([padded[-1] ^ 1])
    yield vector("pop-rsa-flipped-bit", "POP-01", der.sequence(info, der.parts(good_rsa())[1], changed))
    yield vector("pop-rsa-by-another-key", "POP-01", signed(info, keys.rsa("banned")))
    unpadded = rsa.power(int.from_bytes(info[:64])).to_bytes(512)
    yield vector("pop-rsa-without-padding", "POP-01", der.signed(info, der.parts(good_rsa())[1], unpadded))
