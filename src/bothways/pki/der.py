"""The little DER (X.690) that the library does not give away: to write what a key will sign, and to look at it."""

from datetime import UTC, datetime
from functools import cache, lru_cache

SEQUENCE, SET, INTEGER, BIT_STRING, OCTET_STRING, OBJECT_IDENTIFIER = 0x30, 0x31, 0x02, 0x03, 0x04, 0x06
UTF8_STRING, PRINTABLE_STRING = 0x0C, 0x13
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
_LONG_FORM = 0x80
_ARC_BITS_MOST = 128
_CONSTRUCTED = 0x20
_STRINGS_IN_PARTS = (0x23, 0x24, 0x2C, 0x33, 0x34, 0x36, 0x3E)
"""BIT STRING, OCTET STRING and the strings of names, in the constructed form that DER forbids."""
_GENERALIZED_FROM = 2050
"""The first year that is no UTCTime (RFC 5280 section 4.1.2.5)."""


def tagged(tag: int, content: bytes) -> bytes:
    """Return one element, with its length in the shortest form."""
    length = len(content)
    if length < _LONG_FORM:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG_FORM | len(octets))) + octets + content


def sequence(*parts: bytes) -> bytes:
    """Return a SEQUENCE of elements."""
    return tagged(SEQUENCE, b"".join(parts))


def integer(value: int) -> bytes:
    """Return an INTEGER that is not negative; a first bit that is set gets an octet of zeros before it."""
    return tagged(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


@cache
def oid(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER: the first two arcs as one number, each number in base 128 (X.690 section 8.19)."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    octets = bytearray()
    for arc in (40 * first + second, *rest):
        low, *high = [arc >> shift & 0x7F for shift in range(0, max(arc.bit_length(), 1), 7)]
        octets += bytes(0x80 | each for each in reversed(high)) + bytes((low,))
    return tagged(OBJECT_IDENTIFIER, bytes(octets))


def bit_string(octets: bytes) -> bytes:
    """Return a BIT STRING of whole octets."""
    return tagged(BIT_STRING, b"\0" + octets)


@lru_cache(maxsize=16)
def time(moment: datetime) -> bytes:
    """Return a Time (RFC 5280 section 4.1.2.5), in whole seconds: UTCTime until 2049, GeneralizedTime from 2050 on."""
    utc = moment.astimezone(UTC)
    if utc.year < _GENERALIZED_FROM:
        return tagged(UTC_TIME, f"{utc:%y%m%d%H%M%SZ}".encode())
    return tagged(GENERALIZED_TIME, f"{utc:%Y%m%d%H%M%SZ}".encode())


def signed(content: bytes, algorithm: bytes, signature: bytes) -> bytes:
    """Return SIGNED (RFC 5280 sections 4.1 and 5.1): the content, the AlgorithmIdentifier and the signature."""
    return sequence(content, algorithm, bit_string(signature))


def parts(element: bytes) -> list[bytes]:
    """Return the elements inside a constructed element, each with its tag and length. Raises `ValueError`."""
    position, last = _inside(element)
    found = []
    while position < last:
        # The short form, which nearly all have, is read in place: this is most of what a lint does.
        short = element[position + 1] if position + 1 < last else _LONG_FORM
        end = position + 2 + short if short < _LONG_FORM else _bounds(element, position)[1]
        if end > last:
            raise ValueError("an element is longer than what holds it")
        found.append(element[position:end])
        position = end
    return found


def first(octets: bytes) -> bytes:
    """Return the first element, with its tag and length, whatever follows it. Raises `ValueError`."""
    return octets[: _bounds(octets, 0)[1]]


def content(element: bytes) -> bytes:
    """Return what is in an element, which must be all there is. Raises `ValueError`."""
    start, end = _inside(element)
    return element[start:end]


def dotted(element: bytes) -> str:
    """Return an OBJECT IDENTIFIER in dotted form. Raises `ValueError`, also for arcs beyond 128 bits (X.667)."""
    arcs, arc = [], 0
    for octet in content(element):
        arc = arc << 7 | octet & 0x7F
        if arc >> _ARC_BITS_MOST:
            raise ValueError(f"an arc of an object identifier has more than {_ARC_BITS_MOST} bits")
        if octet < _LONG_FORM:
            arcs.append(arc)
            arc = 0
    if not arcs or arc:
        raise ValueError("an object identifier does not end")
    first = min(arcs[0] // 40, 2)
    return ".".join(str(each) for each in (first, arcs[0] - 40 * first, *arcs[1:]))


def deviation(octets: bytes) -> str | None:
    """Return in which way an element is not in DER but in BER (X.690 section 10), as words; None if it is in DER.

    Raises `ValueError` if it is neither.
    """
    waiting = [(0, len(octets))]
    while waiting:
        position, last = waiting.pop()
        while position < last:
            if octets[position + 1 : position + 2] == bytes((_LONG_FORM,)):
                return "a length is indefinite"
            start, end = _bounds(octets, position)
            if end > last:
                raise ValueError("an element is longer than what holds it")
            if tagged(octets[position], octets[start:end]) != octets[position:end]:
                return "a length is not in its shortest form"
            if octets[position] in _STRINGS_IN_PARTS:
                return "a string is in several parts"
            if octets[position] & _CONSTRUCTED:
                waiting.append((start, end))
            position = end
    return None


def _inside(element: bytes) -> tuple[int, int]:
    start, end = _bounds(element, 0)
    if end != len(element):
        raise ValueError(f"{len(element) - end} bytes follow the element")
    return start, end


def _bounds(octets: bytes, position: int) -> tuple[int, int]:
    if len(octets) < position + 2:
        raise ValueError("an element has no length")
    length, start = octets[position + 1], position + 2
    if length >= _LONG_FORM:
        start += length - _LONG_FORM
        length = int.from_bytes(octets[position + 2 : start], "big")
    if start + length > len(octets):
        raise ValueError("an element is longer than what holds it")
    return start, start + length
