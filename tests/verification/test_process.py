"""The process that verifies: what holds and what does not, and that it ends with whoever started it."""

import socket
import subprocess
import sys
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.vectors import keys, shape

from bothways.verification.process import ANSWER, FIRST, framed, holds, possession_of, signature_by
from bothways.verification.verifier import COMMAND

CONTENT = b"the bytes of a certificate"
STARTS_ONE = """
import time
from bothways.verification.verifier import Verifier
verifier = Verifier(least=0)
verifier.ask(0)
print(flush=True)
time.sleep(600)
"""


def spki(name: str) -> bytes:
    return keys.ecdsa(name).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def signature(name: str) -> bytes:
    return keys.ecdsa(name).sign(CONTENT, ec.ECDSA(SHA256()))


FOREIGN = (
    ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
)


@pytest.mark.parametrize(
    ("check", "good"),
    [
        (possession_of(shape.good()), True),
        (possession_of(shape.good_rsa("2048")), True),
        (possession_of(shape.good() + b"\0"), False),
        (possession_of(shape.signed(shape.content(spki=shape.spki_of(keys.ecdsa("other"))))), False),
        (possession_of(shape.signed(shape.content(), oid="1.2.840.10045.4.1")), False),
        (possession_of(b""), False),
        (signature_by(spki("good"), CONTENT, signature("good")), True),
        (signature_by(spki("good"), CONTENT + b"\0", signature("good")), False),
        (signature_by(spki("good"), CONTENT, signature("other")), False),
        (signature_by(spki("good"), CONTENT, b""), False),
        (signature_by(FOREIGN, CONTENT, signature("good")), False),
        (signature_by(b"no key", CONTENT, signature("good")), False),
        (signature_by(spki("good"), CONTENT, signature("good"))[:-1], False),
        (b"X" + shape.good(), False),
        (FIRST, False),
    ],
)
def test_a_check_holds_if_its_signature_does_and_nothing_else_holds(check: bytes, good: bool) -> None:  # noqa: FBT001
    assert holds(check) is good


def test_each_check_is_answered_in_turn_by_its_digest_however_the_octets_come_in() -> None:
    checks = [possession_of(shape.good()), b"", signature_by(spki("good"), CONTENT, signature("other"))]
    octets = b"".join(map(framed, checks))
    ours, its = socket.socketpair()
    with ours, ours.makefile("rb") as answers, subprocess.Popen(COMMAND, stdin=its.fileno()) as process:
        its.close()
        assert answers.read(ANSWER) == b"\0" + sha256(FIRST).digest()
        for start in range(0, len(octets), 100):
            ours.sendall(octets[start : start + 100])
        said = [answers.read(ANSWER) for _ in checks]
        assert said == [bytes((good,)) + sha256(each).digest() for good, each in zip((1, 0, 0), checks, strict=True)]
        ours.shutdown(socket.SHUT_WR)
        assert process.wait(60) == 0


def test_it_ends_when_who_started_it_is_killed() -> None:
    command = [sys.executable, "-c", STARTS_ONE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"\n"
        process.kill()
        # Both write to it, so that it ends when the second of them has ended.
        assert process.stderr.read() == b""
