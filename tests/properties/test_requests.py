"""Requests of any shape and any bytes: nothing but `Refused` is raised, and what is accepted is right.

What "right" means is said here a second time, with another decoder and with arithmetic of our own, so that rules,
library and this file do not share a mistake.
"""

import hashlib
from typing import Any

import pytest
from asn1crypto import core, csr
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.vectors import keys, shape

from bothways.contract.document import Environment, Terms
from bothways.errors import Refused
from bothways.findings import Finding, errors
from bothways.pki import der
from bothways.pki.encoding import pem
from bothways.pki.rules import Applicant, judge_request

TERMS = Terms(Environment.PPR, "hub.example", "https://api.hub.example", "https://portal.hub.example")
APPLICANT = Applicant("12345678", TERMS, "First Bank")
AGREED = ["country_name", "state_or_province_name", "locality_name"]
AGREED += ["organization_name", "organizational_unit_name", "common_name"]
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
many = settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def judged(data: bytes) -> tuple[Finding, ...]:
    """Return all findings; whatever else is raised fails the test."""
    try:
        judgement = judge_request(data, APPLICANT, "tls.csr")
    except Refused as refused:
        return refused.findings
    if not errors(judgement.findings):
        assert judgement.request is not None
        require_right(judgement.request.der)
    return judgement.findings


def require_right(request: bytes) -> None:
    """Fail unless the request is what R7 to R9 want, signed by its own key."""
    decoded = csr.CertificationRequest.load(request, strict=True)
    info = decoded["certification_request_info"]
    # Attributes have no effect, and this decoder knows only some of them.
    for part in ("subject", "subject_pk_info"):
        assert info[part].dump(force=True) in request
    assert info["version"].native == "v1"
    parts = [[(each["type"].native, each["value"]) for each in rdn] for rdn in info["subject"].chosen]
    assert sorted(kind for rdn in parts for kind, _ in rdn) == sorted(AGREED)
    assert all(len(rdn) == 1 for rdn in parts)
    values = {kind: value for rdn in parts for kind, value in rdn}
    for kind, value in values.items():
        chosen = value.chosen if isinstance(value, core.Choice) else value
        assert isinstance(chosen, core.UTF8String | core.PrintableString)
        assert chosen.native.isprintable()
        assert 0 < len(chosen.native.strip()) == len(chosen.native) <= (128 if "name" in kind else 64)
    point = info["subject_pk_info"]
    marker = {"ec": "ECDSA", "rsa": "RSA"}[point.algorithm]
    assert values["common_name"].native == f"TLSMA-{marker}/12345678/PPR"
    require_signed(decoded, info.dump(), point)


def require_signed(decoded: Any, message: bytes, key: Any) -> None:
    """Fail unless the signature is by the key, which is of P-256 or RSA 4096, over SHA-256."""
    digest, signature = hashlib.sha256(message).digest(), decoded["signature"].native
    algorithm = decoded["signature_algorithm"]["algorithm"].native
    if key.algorithm == "rsa":
        numbers = key["public_key"].parsed.native
        assert (numbers["modulus"].bit_length(), numbers["public_exponent"]) == (4096, 65537)
        assert algorithm == "sha256_rsa"
        prefix = bytes.fromhex("3031300d060960864801650304020105000420")
        padded = pow(int.from_bytes(signature), 65537, numbers["modulus"]).to_bytes(512)
        assert padded == b"\0\1".ljust(512 - 52, b"\xff") + b"\0" + prefix + digest
        return
    assert (key.curve, algorithm) == (("named", "secp256r1"), "sha256_ecdsa")
    octets = bytes(key["public_key"])
    assert (len(octets), octets[0]) == (65, 4)
    point = int.from_bytes(octets[1:33]), int.from_bytes(octets[33:])
    assert (point[1] ** 2 - point[0] ** 3 + 3 * point[0] - B) % P == 0
    r, s = core.SequenceOf.load(signature, spec=core.Integer, strict=True).native
    assert 0 < r < N
    assert 0 < s < N
    inverse = pow(s, -1, N)
    there = added(times(int.from_bytes(digest) * inverse % N, G), times(r * inverse % N, point))
    assert there is not None
    assert there[0] % N == r


Point = tuple[int, int] | None


def added(one: Point, other: Point) -> Point:
    """Return the sum of two points of P-256."""
    if one is None or other is None:
        return one or other
    if one[0] == other[0]:
        if (one[1] + other[1]) % P == 0:
            return None
        slope = (3 * one[0] ** 2 - 3) * pow(2 * one[1], -1, P)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, P)
    x = (slope**2 - one[0] - other[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def times(factor: int, point: Point) -> Point:
    """Return a multiple of a point of P-256."""
    result: Point = None
    while factor:
        if factor & 1:
            result = added(result, point)
        point, factor = added(point, point), factor >> 1
    return result


def changed(octets: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    """Return the octets with pieces replaced: at a place, so many, by others."""
    for at, count, instead in changes:
        place = at % (len(octets) + 1)
        octets = octets[:place] + instead + octets[place + count :]
    return octets


CHANGES = st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 4), st.binary(max_size=4)), min_size=1, max_size=4)
WHOLE = st.sampled_from(
    [
        shape.good(),
        shape.good_rsa(),
        shape.good_pem().encode(),
        shape.good_pem().encode("utf-16"),
        shape.good_pem().replace("\n", "\r\n").encode(),
    ]
)


@pytest.mark.parametrize("data", [shape.good(), shape.good_rsa(), shape.good_pem().encode()])
def test_the_good_requests_are_right(data: bytes) -> None:
    assert judged(data) == ()


@many
@given(WHOLE, CHANGES)
def test_changed_bytes_of_a_file(whole: bytes, changes: list[tuple[int, int, bytes]]) -> None:
    judged(changed(whole, changes))


@many
@given(CHANGES)
@example([(0, 1, b"\x31")])
def test_changed_bytes_that_are_signed_again(changes: list[tuple[int, int, bytes]]) -> None:
    judged(shape.signed(changed(shape.content(), changes)))


@many
@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
@example(b"0" * 16384)
@example(b"\x30\x82\x3f\xfc" * 4096)
def test_any_bytes(data: bytes) -> None:
    assert errors(judged(data))


TAGS = [shape.UTF8] * 6 + [shape.PRINTABLE] * 4
TAGS += [shape.BMP, shape.T61, shape.IA5, shape.UNIVERSAL, shape.NUMERIC, shape.VISIBLE, 0x02, 0x04, 0x30]
NAMES = st.sampled_from([*shape.SUBJECT, *shape.SUBJECT, "emailAddress", "unknown"])
GOOD_VALUES = st.sampled_from([*shape.SUBJECT.values(), shape.RSA_CN])
VALUES = st.text(max_size=10) | GOOD_VALUES | st.tuples(GOOD_VALUES, st.text(max_size=2)).map("".join)
ATTRIBUTES = st.tuples(NAMES, st.sampled_from(TAGS), VALUES.map(lambda text: text.encode("utf-8", "surrogatepass")))
AS_AGREED = [
    (name, shape.PRINTABLE if name == "C" else shape.UTF8, text.encode()) for name, text in shape.SUBJECT.items()
]


@st.composite
def subjects(draw: st.DrawFn) -> bytes:
    """Draw a subject that is as agreed but for a few changes: one more, one less, one other, another order."""
    rdns = [[each] for each in AS_AGREED]
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, max(len(rdns) - 1, 0)))
        match draw(st.integers(0, 4)):
            case 0:
                rdns.insert(place, [draw(ATTRIBUTES)])
            case 1 if rdns:
                rdns.pop(place)
            case 2 if rdns:
                rdns[place] = [draw(ATTRIBUTES)]
            case 3 if rdns:
                rdns[place].append(draw(ATTRIBUTES))
            case _:
                rdns = draw(st.permutations(rdns))
    return shape.name_of(rdns)


OIDS = st.sampled_from(["2.5.29.19", "2.5.29.17", "2.5.29.15", "2.5.29.37", "2.5.29.14", "1.3.6.1.4.1.55555.4"])
DER_VALUES = st.sampled_from([bytes.fromhex(each) for each in ("3000", "30030101ff", "03020780", "0500", "", "0401")])
EXTENSIONS = st.builds(shape.extension, OIDS, DER_VALUES, st.sampled_from([b"", shape.TRUE, shape.FALSE]))
ASKED = st.lists(
    st.lists(EXTENSIONS, max_size=3).map(lambda each: shape.extension_request(*each))
    | st.tuples(
        st.sampled_from(["1.2.840.113549.1.9.7", "1.3.6.1.4.1.55555.5", "1.3.6.1.4.1.311.2.1.14"]),
        st.lists(st.sampled_from([shape.NULL, der.tagged(shape.UTF8, b"x")]), max_size=2),
    ),
    max_size=2,
).map(lambda each: shape.attributes(*each))
KEYS = st.sampled_from([keys.ecdsa("good")] * 6 + [keys.ecdsa("other"), keys.ecdsa("p384", ec.SECP384R1)])
WRAPPED = st.sampled_from(["der", "pem", "new", "crlf", "utf-16", "bare"])


@many
@given(subjects(), ASKED | st.just(b"\xa0\x00"), KEYS, KEYS, st.sampled_from(["sha256"] * 6 + ["sha384"]), WRAPPED)
def test_any_structure(subject: bytes, asked: bytes, key: Any, signer: Any, digest: str, wrapped: str) -> None:
    request = shape.signed(shape.content(subject, shape.spki_of(key), asked), signer, digest)
    text = pem("CERTIFICATE REQUEST", request)
    data = {
        "der": request,
        "pem": text.encode(),
        "new": text.replace("CERTIFICATE", "NEW CERTIFICATE").encode(),
        "crlf": text.replace("\n", "\r\n").encode(),
        "utf-16": text.encode("utf-16"),
        "bare": "".join(text.splitlines()[1:-1]).encode(),
    }[wrapped]
    found = {each.id for each in errors(judged(data))}
    if key is not signer:
        assert found & {"CSR-POP-01", "CSR-FILE-07", "CSR-SUBJECT-06"}
    if sorted(der.parts(subject)) == sorted(der.parts(shape.subject())) and digest == "sha256":
        assert found - {"CSR-POP-01", "CSR-KEY-01", "CSR-EXTENSION-02", "CSR-ATTRIBUTE-01"} == set()


@settings(many, max_examples=150)
@given(st.integers(0, 2**4200) | st.integers(0, 2**9000), st.integers(-9, 2**70) | st.integers(0, 2**9000))
@example(1 << 59999 | 3, 1 << 50000 | 1)
def test_any_numbers_of_an_rsa_key(modulus: int, exponent: int) -> None:
    negative = der.tagged(der.INTEGER, exponent.to_bytes(1, signed=True)) if exponent < 0 else der.integer(exponent)
    spki = shape.rsa_spki(der.integer(modulus), negative)
    assert errors(judged(shape.signed(shape.content(shape.subject(CN=shape.RSA_CN), spki))))


@many
@given(st.binary(min_size=60, max_size=70), st.sampled_from(["1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.10"]))
def test_any_point_of_a_curve(point: bytes, curve: str) -> None:
    spki = shape.ec_spki(point, der.oid(curve))
    assert errors(judged(shape.signed(shape.content(spki=spki))))
