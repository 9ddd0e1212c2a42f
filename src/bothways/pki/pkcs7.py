"""PKCS #7 as a bag of certificates (RFC 2315, RFC 5652 section 5): what Windows and Java write as `.p7b`."""

import warnings

from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from bothways.errors import Refused
from bothways.findings import Finding
from bothways.pki.der import SEQUENCE, first

LABELS = ("PKCS7", "CMS")
"""What it is called in PEM (RFC 7468 sections 8 and 9); many a tool writes CERTIFICATE instead."""

_IDENTIFIER = bytes.fromhex("06092a864886f70d0107")
"""The beginning of the object identifier of every kind of content, 1.2.840.113549.1.7."""
_LONG_FORM = _INDEFINITE = 0x80


def is_pkcs7(der: bytes) -> bool:
    """Tell whether the bytes are PKCS #7, in DER or BER."""
    if len(der) < len(_IDENTIFIER) or der[0] != SEQUENCE:
        return False
    start = 2 if der[1] < _LONG_FORM else 2 + der[1] - _LONG_FORM
    return der[start : start + len(_IDENTIFIER)] == _IDENTIFIER


def certificates_inside(der: bytes, subject: str) -> tuple[bytes, ...]:
    """Return the DER of each certificate inside, in its order; nobody has to have signed. Raises `Refused`."""
    if _is_followed(der):
        raise _refused("something follows the PKCS #7 file", subject)
    try:
        with warnings.catch_warnings():
            # That it is BER and not DER, and that serial numbers are strange: neither is the customer's to mend.
            warnings.simplefilter("ignore")
            found = pkcs7.load_der_pkcs7_certificates(der)
    except Exception as error:
        # The library has no word for all that can be wrong inside; none of it is a certificate.
        raise _refused(f"the PKCS #7 file cannot be read: {str(error) or type(error).__name__}", subject) from error
    if not found:
        raise _refused("the PKCS #7 file holds no certificate", subject)
    return tuple(each.public_bytes(Encoding.DER) for each in found)


def _is_followed(der: bytes) -> bool:
    try:
        return der[1] != _INDEFINITE and len(first(der)) < len(der)
    except ValueError:
        return False


def _refused(message: str, subject: str) -> Refused:
    hint = "Export the CA chain again, in PEM (Base-64) if that is offered."
    return Refused((Finding("CHAIN-FILE-03", message, hint, "RFC 5652 section 5", subject),))
