"""The process that verifies: from its standard input, a socket, come checks, and to it go answers. It ends with it.

A check comes with its length before it, in four octets; an answer is one octet, 1 if the signature holds, and the
SHA-256 of the check that it answers.
"""

import contextlib
import socket
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_public_key

from bothways.pki.encoding import UNREADABLE
from bothways.pki.issue import require_signature
from bothways.pki.reading import is_possessed

FIRST = b""
"""The check that is answered before any is asked: that the process is there."""
ANSWER = 1 + sha256().digest_size
"""Octets of an answer."""
_REQUEST, _CERTIFICATE = b"R", b"C"
_LENGTH = 4
_IDLE = 60.0
_CHUNK = 1 << 16
_TOGETHER = 8
"""Answers that are sent at once: to send each alone takes as long as a tenth of its check."""


def possession_of(request: bytes) -> bytes:
    """Return the check whether a certification request (DER) is signed by the key that is in it."""
    return _REQUEST + request


def signature_by(issuer: bytes, content: bytes, signature: bytes) -> bytes:
    """Return the check whether a TBSCertificate (DER) is signed by this key (SubjectPublicKeyInfo in DER)."""
    return _CERTIFICATE + framed(issuer) + framed(signature) + framed(content)


def framed(part: bytes) -> bytes:
    """Return a check as it is sent."""
    return len(part).to_bytes(_LENGTH, "big") + part


def holds(check: bytes) -> bool:
    """Make a check. What is no check does not hold."""
    kind, asked = check[:1], check[1:]
    if kind == _REQUEST:
        return is_possessed(asked)
    if kind != _CERTIFICATE:
        return False
    try:
        (issuer, signature, content), _ = _parts(asked)
        require_signature(content, signature, _key(issuer))
    except (InvalidSignature, *UNREADABLE):
        return False
    return True


def main() -> None:
    """Answer what is asked until the other end is closed, or nothing was asked for a minute."""
    with socket.socket(fileno=0) as line, contextlib.suppress(OSError):
        line.settimeout(_IDLE)
        line.sendall(_answer(FIRST))
        received = b""
        while more := line.recv(_CHUNK):
            checks, received = _parts(received + more)
            for answers in _together(checks):
                line.sendall(answers)


def _answer(check: bytes) -> bytes:
    return bytes((holds(check),)) + sha256(check).digest()


def _together(checks: list[bytes]) -> Iterator[bytes]:
    for start in range(0, len(checks), _TOGETHER):
        yield b"".join(map(_answer, checks[start : start + _TOGETHER]))


@lru_cache(maxsize=16)
def _key(issuer: bytes) -> CertificatePublicKeyTypes:
    return load_der_public_key(issuer)  # type: ignore[return-value]  # other kinds are refused where they verify


def _parts(framed: bytes) -> tuple[list[bytes], bytes]:
    """Return the parts that are whole, and what is left."""
    found, position = [], 0
    while len(framed) >= (start := position + _LENGTH):
        end = start + int.from_bytes(framed[position:start], "big")
        if end > len(framed):
            break
        found.append(framed[start:end])
        position = end
    return found, framed[position:]


if __name__ == "__main__":
    main()
