import io
from functools import cache
from pathlib import Path

import pytest

from bothways.errors import Unusable
from bothways.signer.sealed_file import SealedReader, SealedWriter

PASSPHRASE = b"a long passphrase"
CHUNK = (1 << 16) + 16
HEADER = 18 + 16 + 7


def sealed(content: bytes, part: int = 50_000) -> bytes:
    out = io.BytesIO()
    writer = SealedWriter(out, PASSPHRASE)
    for place in range(0, len(content), part):
        writer.write(content[place : place + part])
    writer.finish()
    return out.getvalue()


@cache
def long_one() -> bytes:
    """A sealed file of four parts: made once, for to make a key of a passphrase is dear."""
    return sealed(bytes(200_000))


def opened(data: bytes, passphrase: bytes = PASSPHRASE) -> bytes:
    return SealedReader(io.BytesIO(data), passphrase, Path("backup")).readall()


@pytest.mark.parametrize("length", [0, 1, (1 << 16) - 1, 1 << 16, (1 << 16) + 1, 3 << 16, 300_001])
def test_what_was_sealed_is_read_back_and_is_not_in_the_file(length: int) -> None:
    content = bytes(index % 251 for index in range(length))
    data = sealed(content)
    assert opened(data) == content
    assert length < 16 or content[:16] not in data


@pytest.mark.usefixtures("full_work")
def test_what_was_sealed_once_is_read_for_good_and_trying_passphrases_stays_as_dear() -> None:
    # As it was written with scrypt's N of 2^17: with another one, it is not read.
    data = bytes.fromhex(
        "626f7468776179732d7365616c65642d310a325770dca729d4ec31fe3da7842264e47a1761e5a63b9b4d8da4ae71b28b6c007c8ce248"
        "290f8b72ad45e7020565"
    )
    assert opened(data) == b"content"
    assert opened(sealed(b"content")) == b"content"


def test_no_two_files_are_sealed_alike() -> None:
    # One nonce under one key for two contents would give away both, and the means to forge (AES-GCM).
    first, second = sealed(bytes(100)), sealed(bytes(100))
    assert first[18:34] != second[18:34]
    assert first[34:HEADER] != second[34:HEADER]


def chunks(data: bytes) -> list[bytes]:
    return [data[place : place + CHUNK] for place in range(HEADER, len(data), CHUNK)]


@pytest.mark.parametrize(
    "change",
    [
        lambda head, parts: head + b"".join(parts[:-1]),
        lambda head, parts: head + b"".join([parts[1], parts[0], *parts[2:]]),
        lambda head, parts: head + b"".join([parts[0], *parts]),
        lambda head, parts: head + b"".join([*parts, parts[-1]]),
        lambda head, parts: head + b"".join(parts)[:-1],
        lambda head, parts: head + b"".join(parts) + b"x",
        lambda head, parts: head + b"x" + b"".join(parts)[1:],
        lambda head, parts: head[:-1] + b"x" + b"".join(parts),
        lambda head, _: head,
    ],
    ids=["cut off", "moved", "put in", "twice", "byte off", "byte more", "changed", "header", "nothing"],
)
def test_what_is_not_as_it_was_written_is_not_read(change: object) -> None:
    assert callable(change)
    data = long_one()
    assert len(chunks(data)) == 4
    with pytest.raises(Unusable, match="changed or cut off"):
        opened(change(data[:HEADER], chunks(data)))


def test_another_passphrase_opens_nothing() -> None:
    with pytest.raises(Unusable, match="the passphrase is another one"):
        opened(long_one(), b"another passphrase")


@pytest.mark.parametrize("data", [b"", b"bothways", bytes(100)])
def test_what_is_no_sealed_file_is_said(data: bytes) -> None:
    with pytest.raises(Unusable, match="is no backup of a hub"):
        opened(data)


def test_a_short_passphrase_seals_nothing() -> None:
    out = io.BytesIO()
    with pytest.raises(Unusable, match="has 11 characters"):
        SealedWriter(out, b"x" * 11)
    assert out.getvalue() == b""
