"""What it is that was given instead of a request: so that the person hears more than "this cannot be read"."""

import re
from collections.abc import Callable
from contextlib import suppress

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_public_key

from bothways.errors import Refused
from bothways.findings import Finding
from bothways.pki import der as elements
from bothways.pki.encoding import UNREADABLE

_Said = tuple[str, str, str, str]
"""A finding's id, message, hint and citation."""

_INSTEAD: tuple[tuple[str, Callable[[bytes], object]], ...] = (
    ("a certificate", x509.load_der_x509_certificate),
    ("a public key alone", load_der_public_key),
    ("a revocation list", x509.load_der_x509_crl),
)
_PKCS_7 = "1.2.840.113549.1.7."
_STRINGS = {
    0x0C: ("a UTF8String", "utf-8"),
    0x13: ("a PrintableString", "ascii"),
    0x16: ("an IA5String", "ascii"),
    0x1A: ("a VisibleString", "ascii"),
    0x1E: ("a BMPString", "utf-16-be"),
    0x1C: ("a UniversalString", "utf-32-be"),
    0x14: ("a T61String", "ascii"),
    0x12: ("a NumericString", "ascii"),
}
_PRINTABLE = re.compile(rb"[A-Za-z0-9 '()+,\-./:=?]*")
_PRINTABLE_STRING = 0x13
_CONTENT_PARTS = 4
_SUBJECT = 1
STRINGS_HINT = "Make the request again with UTF-8 strings (OpenSSL: string_mask = utf8only and utf8 = yes)."


def refused_der(der: bytes, error: Exception, subject: str) -> Refused:
    """Return the refusal of bytes that the library does not read as a request, with what they are instead."""
    for look in (_followed, _another_thing, _in_ber, _without_attributes, _with_a_broken_string):
        with suppress(*UNREADABLE, IndexError):
            if found := look(der):
                id_, said, hint, citation = found
                return Refused((Finding(id_, said, hint, citation, subject),))
    said = f"this is no certification request that can be read: {_plain(error)}"
    hint = "Make the request again, and submit the file unchanged."
    return Refused((Finding("CSR-FILE-07", said, hint, "RFC 2986 section 4", subject),))


def broken_string(der: bytes) -> str | None:
    """Return which string in the subject of a request has bytes that its type does not allow, or None."""
    try:
        content = elements.parts(elements.parts(der)[0])
        values = [
            elements.parts(attribute)[1]
            for rdn in elements.parts(content[_SUBJECT])
            for attribute in elements.parts(rdn)
        ]
    except (ValueError, IndexError):
        return None
    return next(filter(None, (_broken(value) for value in values)), None)


def _followed(der: bytes) -> _Said | None:
    whole = elements.first(der)
    if len(whole) == len(der):
        return None
    x509.load_der_x509_csr(whole)
    said = f"{len(der) - len(whole)} bytes follow the request"
    return "CSR-FILE-09", said, "Submit the file as the tool wrote it, with nothing added.", "X.690 section 8.1"


def _another_thing(der: bytes) -> _Said | None:
    for name, load in _INSTEAD:
        with suppress(*UNREADABLE):
            load(der)
            return _instead(name)
    kind = elements.dotted(elements.parts(der)[0])
    return _instead("a PKCS #7 file") if kind.startswith(_PKCS_7) else None


def _instead(name: str) -> _Said:
    hint = "Give the file that begins with -----BEGIN CERTIFICATE REQUEST-----."
    return "CSR-FILE-03", f"this is {name}; wanted is a certification request", hint, "RFC 2986"


def _in_ber(der: bytes) -> _Said | None:
    deviation = elements.deviation(der)
    if not deviation:
        return None
    hint = "Make it again with a tool that writes DER, such as OpenSSL."
    return "CSR-FILE-08", f"the request is in BER, not in DER: {deviation}", hint, "X.690 section 10"


def _without_attributes(der: bytes) -> _Said | None:
    if len(elements.parts(elements.parts(der)[0])) != _CONTENT_PARTS - 1:
        return None
    said = "the request has no attributes, not even an empty set of them"
    return "CSR-FILE-07", said, "Make it again with a newer tool, such as OpenSSL.", "RFC 2986 section 4.1"


def _with_a_broken_string(der: bytes) -> _Said | None:
    broken = broken_string(der)
    return ("CSR-SUBJECT-06", broken, STRINGS_HINT, "RFC 5280 section 4.1.2.4") if broken else None


def _broken(value: bytes) -> str | None:
    octets = elements.content(value)
    if value[0] not in _STRINGS:
        return f"a value in the subject has the type {value[0]:#04x}, a string is wanted"
    name, codec = _STRINGS[value[0]]
    try:
        text = octets.decode(codec)
    except UnicodeDecodeError:
        return f"{name} in the subject has bytes that stand for no agreed characters: {octets[:80]!r}"
    if value[0] == _PRINTABLE_STRING and not _PRINTABLE.fullmatch(octets):
        return f"{name} in the subject has characters that are not printable in its sense: {text[:80]!r}"
    return None


def _plain(error: Exception) -> str:
    """Return what the library says, without the names of its own types."""
    location = re.search(r"location: \[(.*)\]", str(error))
    if not location:
        return str(error)
    names = re.findall(r'"(?:\w+::)*(\w+)"', location[1])
    return f"{names[-1].replace('_', ' ')} is not as it has to be" if names else "its outer form is not as it has to be"
