"""From what people paste, save and attach to plain text: what can be normalised is, and said; the rest is named."""

import base64
import binascii
import re
from collections.abc import Iterator

_INVISIBLE = re.compile("\u00a0|\u200b|\u200c|\u200d|\u200e|\u200f|\u202f|\u2060|\ufeff".encode())
# No two parts take the same character, so that a text that is none is seen in one go.
_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]{64,}={0,2}")
_MARK = b"\xef\xbb\xbf"
_MARKS_16 = (b"\xff\xfe", b"\xfe\xff")
_KINDS = (
    (b"\x1f\x8b", "a gzip archive"),
    (b"PK\x03\x04", "a ZIP archive or a document of an office program"),
    (b"\xd0\xcf\x11\xe0", "a document of an office program"),
    (b"{\\rtf", "a document of an office program"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"ssh-", "an SSH public key"),
    (b"ecdsa-sha2-", "an SSH public key"),
    (b"<", "an HTML or XML page"),
    (b"{", "a JSON document"),
)


def plain(data: bytes) -> tuple[bytes, list[str]]:
    """Return the text in `data` without what editors and clipboards put in, and in words what was changed."""
    changes = []
    if data[:2] in _MARKS_16 or (data[1:2] == b"\0" and data[:1].isascii()):
        try:
            data = data.decode("utf-16" if data[:2] in _MARKS_16 else "utf-16-le").encode()
            changes.append("UTF-16 was read as text")
        except UnicodeDecodeError:
            return data, []
    if data.startswith(_MARK):
        data = data.removeprefix(_MARK)
        changes.append("a byte order mark was removed")
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        changes.append("line ends of Windows or old Macs were read as line ends")
    if b"\\n" in data:
        data = data.replace(b"\\r", b"").replace(b"\\n", b"\n")
        changes.append("line ends that a program had escaped were read as line ends")
    if not data.isascii() and _INVISIBLE.search(data):
        data = _INVISIBLE.sub(b"", data)
        changes.append("invisible characters were removed")
    return data, changes


def bare(text: bytes) -> bytes | None:
    """Return the DER in a text that is base64 and nothing else, as if the lines around it had been left out."""
    if not _BASE64.fullmatch(text.strip()):
        return None
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except binascii.Error:
        return None


def pieces(data: bytes) -> Iterator[bytes]:
    """Yield what in `data` could be DER: all of it, and each piece of base64, whatever stands around that."""
    yield data
    for match in _BASE64.finditer(plain(data)[0]):
        try:
            yield base64.b64decode(b"".join(match[0].split()), validate=True)
        except binascii.Error:
            continue


def described(text: bytes) -> str:
    """Return in words what a text or file without PEM seems to be."""
    start = text.lstrip()
    if not start:
        return "an empty file"
    return next((name for begin, name in _KINDS if start.startswith(begin)), "something else")
