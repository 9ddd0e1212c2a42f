import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.vectors import keys, shape

from bothways.errors import Refused
from bothways.pki.reading import read_request


def test_a_reading_holds_everything_that_was_sent() -> None:
    asked = shape.attributes(shape.extension_request(shape.extension("2.5.29.19", bytes.fromhex("3000"))))
    reading = read_request(shape.signed(shape.content(asked=asked)), "tls.csr")
    key = keys.ecdsa("good").public_key()
    assert reading.public_key == key
    assert reading.spki == key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert reading.extensions is not None
    assert [each.oid.dotted_string for each in reading.extensions] == ["2.5.29.19"]
    assert (reading.digest, reading.possessed, len(reading.attributes), reading.unreadable) == ("sha256", True, 1, {})


@pytest.mark.parametrize(
    ("request_", "possessed"),
    [
        (shape.good(), True),
        (shape.good_rsa("2048"), True),
        (shape.signed(shape.content(spki=shape.spki_of(keys.ecdsa("other")))), False),
        (shape.signed(shape.content(), oid="1.2.840.113549.1.1.11"), False),
        (shape.signed(shape.content(), oid="1.2.840.10045.4.1"), None),
    ],
)
def test_possession_is_proved_disproved_or_unknown(request_: bytes, possessed: bool | None) -> None:  # noqa: FBT001
    assert read_request(request_, "").possessed is possessed


def test_each_part_that_cannot_be_read_is_named_and_the_others_are_there() -> None:
    off = bytearray(shape.spki_of(keys.ecdsa("good")))
    off[-1] ^= 1
    asked = shape.attributes(shape.extension_request(shape.extension("2.5.29.17", shape.NULL)))
    name = shape.subject(OU=(shape.UTF8, b"\xff"))
    reading = read_request(shape.signed(shape.content(name, bytes(off), asked)), "")
    assert (reading.subject, reading.public_key, reading.extensions, reading.possessed) == (None, None, None, None)
    assert reading.unreadable.keys() == {"subject", "key", "extensions"}
    assert reading.digest == "sha256"


def test_what_cannot_be_taken_apart_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        read_request(b"\x30\x00", "tls.csr")
    assert [(each.id, each.subject) for each in refused.value.findings] == [("CSR-FILE-07", "tls.csr")]


def test_the_librarys_own_warnings_reach_nobody() -> None:
    code = "from tests.vectors import shape; from bothways.pki.reading import read_request; "
    code += "read_request(shape.with_subject(CN='x' * 1000), '')"
    done = subprocess.run([sys.executable, "-W", "default::UserWarning", "-c", code], capture_output=True, check=True)
    assert done.stderr.count(b"Attribute's length") == 0
