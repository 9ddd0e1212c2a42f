"""From what people paste to DER, and back. Limits come before parsing; a private key is never passed on."""

import base64
import binascii
import re

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_private_key

from bothways.errors import Refused
from bothways.findings import Finding

REQUEST_LIMIT = 16 * 1024
"""Bytes that a certification request may have; a real one has less than 3 KiB."""

CHAIN_LIMIT = 64 * 1024
"""Bytes that a chain may have; ten large certificates have less than 30 KiB."""

UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises for bytes that are no X.509, or X.509 that it does not know."""

BROKEN_DIGESTS = ("md5", "sha1")
"""Digests under which the library checks no signature: neither good nor bad, so they are refused by name."""

# A body has no dashes, so that each byte is looked at once, whatever a stranger sends.
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----((?:(?!-----).)*)-----END \1-----", re.DOTALL)
_SEQUENCE = 0x30


def request_der(data: bytes, subject: str) -> bytes:
    """Return the DER of the one certification request in `data`, PEM or DER (RFC 7468 section 7). Raises `Refused`."""
    blocks = _blocks(data, REQUEST_LIMIT, "CERTIFICATE REQUEST", subject)
    if len(blocks) > 1:
        raise _refused(
            "CSR-FILE-05", f"{len(blocks)} requests were found, one is wanted", "Submit one at a time", subject
        )
    return blocks[0]


def certificates_der(data: bytes, subject: str) -> tuple[bytes, ...]:
    """Return the DER of each certificate in `data`, PEM (any number) or DER (one). Raises `Refused`."""
    return _blocks(data, CHAIN_LIMIT, "CERTIFICATE", subject)


def pem(label: str, der: bytes) -> str:
    """Return one PEM block (RFC 7468), with a newline at its end."""
    body = base64.b64encode(der).decode()
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def _blocks(data: bytes, limit: int, label: str, subject: str) -> tuple[bytes, ...]:
    if len(data) > limit:
        raise _refused(
            "CSR-FILE-01",
            f"{len(data)} bytes were given, at most {limit} are read",
            f"Give the {label.lower()} alone",
            subject,
        )
    # Without the zeros of UTF-16, in which some editors save.
    if b"PRIVATE KEY-----" in data.replace(b"\0", b"") or _is_private_key(data):
        raise _refused(
            "CSR-FILE-02",
            "a private key was given; it must never leave its owner, and counts as disclosed now",
            "Make a new key, and submit a request for the new one",
            subject,
        )
    if data[:1] == bytes([_SEQUENCE]):
        return (data,)
    blocks = _BLOCK.findall(data)
    accepted = (label, f"NEW {label}") if label == "CERTIFICATE REQUEST" else (label,)
    wrong = sorted({found.decode() for found, _ in blocks if found.decode() not in accepted})
    if wrong:
        raise _refused("CSR-FILE-03", f"found {', '.join(wrong)}, wanted {label}", f"Give the {label.lower()}", subject)
    if data.count(b"-----BEGIN ") > len(blocks):
        raise _refused("CSR-FILE-06", "a part that begins does not end", "Copy the file again, whole", subject)
    if not blocks:
        raise _refused(
            "CSR-FILE-04",
            f"no {label} in PEM or DER was found",
            f"Give the file that begins with -----BEGIN {label}-----",
            subject,
        )
    return tuple(_decoded(body, subject) for _, body in blocks)


def _is_private_key(der: bytes) -> bool:
    try:
        load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    except TypeError:  # it is encrypted
        return True
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True


def _decoded(body: bytes, subject: str) -> bytes:
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error as error:
        raise _refused(
            "CSR-FILE-06", f"the base64 text is damaged: {error}", "Copy the file again, whole", subject
        ) from error


def _refused(id: str, message: str, hint: str, subject: str) -> Refused:  # noqa: A002 - as in Finding
    return Refused((Finding(id, message, f"{hint}.", "RFC 7468", subject),))
