"""From what people hand in to DER, and back. Limits come before parsing; a private key is never passed on."""

import base64
import binascii
import re

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from bothways.errors import Refused
from bothways.findings import Finding, Level
from bothways.pki import pasted, pkcs7
from bothways.pki.disclosed import has_private_key, is_private_key

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
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----")
_LINE = re.compile(rb"\b(BEGIN|END) [A-Z]|\b(begin|end) (new )?certificate")
_SEQUENCE = b"\x30"
_REQUEST, _CERTIFICATE = "CERTIFICATE REQUEST", "CERTIFICATE"
_LABELS = {_REQUEST: (_REQUEST, f"NEW {_REQUEST}"), _CERTIFICATE: (_CERTIFICATE, *pkcs7.LABELS)}


def request_der(data: bytes, subject: str) -> tuple[bytes, tuple[Finding, ...]]:
    """Return the DER of the one certification request in `data`, PEM or DER (RFC 7468 section 7), and what was changed.

    Raises `Refused`.
    """
    blocks, changes = _blocks(data, REQUEST_LIMIT, _REQUEST, subject)
    if len(blocks) > 1:
        raise _refused(
            "CSR-FILE-05", f"{len(blocks)} requests were found, one is wanted", "Submit one at a time.", subject
        )
    if not changes:
        return blocks[0], ()
    said = f"the file was normalised before it was read: {'; '.join(changes)}"
    hint = "Nothing has to be done."
    return blocks[0], (Finding("CSR-NOTE-01", said, hint, "RFC 7468 section 2", subject, Level.INFO),)


def certificates_der(data: bytes, subject: str) -> tuple[bytes, ...]:
    """Return the DER of each certificate in `data`: PEM (any number), DER (one) or PKCS #7. Raises `Refused`."""
    blocks, _ = _blocks(data, CHAIN_LIMIT, _CERTIFICATE, subject)
    return tuple(
        der
        for block in blocks
        for der in (pkcs7.certificates_inside(block, subject) if pkcs7.is_pkcs7(block) else (block,))
    )


def pem(label: str, der: bytes) -> str:
    """Return one PEM block (RFC 7468), with a newline at its end."""
    body = base64.b64encode(der).decode()
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def _blocks(data: bytes, limit: int, label: str, subject: str) -> tuple[tuple[bytes, ...], list[str]]:
    if len(data) > limit:
        raise _refused(
            "CSR-FILE-01",
            f"{len(data)} bytes were given, at most {limit} are read",
            f"Give the {label.lower()} alone.",
            subject,
        )
    if has_private_key(data):
        raise _private_key(subject)
    if data[:1] == _SEQUENCE:
        return (data,), []
    text, changes = pasted.plain(data)
    if (der := pasted.bare(text)) and der[:1] == _SEQUENCE:
        if is_private_key(der):
            raise _private_key(subject)
        return (der,), [*changes, "the lines with BEGIN and END were missing"]
    blocks = [*_BLOCK.finditer(text)]
    _require_all([block[1].decode() for block in blocks], text, label, subject)
    decoded = tuple(_decoded(block[2], subject) for block in blocks)
    # What a label hides is looked at as well, for nothing says that it tells the truth; and what has none.
    around = _around(blocks, text)
    if any(is_private_key(each) for each in (*decoded, *(piece for part in around for piece in pasted.pieces(part)))):
        raise _private_key(subject)
    return decoded, changes + _changes(blocks, around)


def _require_all(labels: list[str], text: bytes, label: str, subject: str) -> None:
    if wrong := sorted({found for found in labels if found not in _LABELS[label]}):
        raise _refused(
            "CSR-FILE-03", f"found {', '.join(wrong)}, wanted {label}", f"Give the {label.lower()}.", subject
        )
    if text.count(b"-----BEGIN ") > len(labels):
        raise _refused("CSR-FILE-06", "a part that begins does not end", "Copy the file again, whole.", subject)
    if labels:
        return
    if _LINE.search(text):
        message = "the lines with BEGIN and END are damaged: five plain dashes are wanted before and after their words"
        raise _refused("CSR-FILE-06", message, "Take the file itself, not a copy from a document or e-mail.", subject)
    message = f"no {label} in PEM or DER was found; this seems to be {pasted.described(text)}"
    raise _refused("CSR-FILE-04", message, f"Give the file that begins with -----BEGIN {label}-----.", subject)


def _around(blocks: list[re.Match[bytes]], text: bytes) -> list[bytes]:
    places = [0, *(place for block in blocks for place in block.span()), len(text)]
    parts = (text[start:end].strip() for start, end in zip(places[::2], places[1::2], strict=True))
    return [each for each in parts if each]


def _changes(blocks: list[re.Match[bytes]], around: list[bytes]) -> list[str]:
    changes = []
    if any(block[1].startswith(b"NEW ") for block in blocks):
        changes.append("the old label NEW CERTIFICATE REQUEST was taken for the new one")
    if any(b" " in body or b"\t" in body or b"\n\n" in body for body in (block[2] for block in blocks)):
        changes.append("blanks and empty lines in the base64 were removed")
    if around:
        changes.append("text around it was left out")
    return changes


def _decoded(body: bytes, subject: str) -> bytes:
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error as error:
        raise _refused(
            "CSR-FILE-06", f"the base64 text is damaged: {error}", "Copy the file again, whole.", subject
        ) from error


def _private_key(subject: str) -> Refused:
    return _refused(
        "CSR-FILE-02",
        "a private key was given; it must never leave its owner, and counts as disclosed now",
        "Make a new key, and submit a request for the new one.",
        subject,
    )


def _refused(id: str, message: str, hint: str, subject: str) -> Refused:  # noqa: A002 - as in Finding
    return Refused((Finding(id, message, hint, "RFC 7468", subject),))
