import pytest
from hypothesis import given
from hypothesis import strategies as st

from bothways.pki.pasted import bare, described, pieces, plain


@given(st.text(st.characters(codec="ascii", exclude_characters="\r\\\0"), min_size=3))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert plain(text.encode()) == (text.encode(), [])


@given(st.binary(max_size=200))
def test_any_bytes_become_a_text_or_stay(data: bytes) -> None:
    text, changes = plain(data)
    assert changes or text == data


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-8-sig"])
def test_encodings_of_editors_become_plain(codec: str) -> None:
    text, changes = plain("one\r\ntwo\n".encode(codec))
    assert text == b"one\ntwo\n"
    assert len(changes) == 2


@pytest.mark.parametrize("text", [b"A" * 63, b"A" * 65, b"A" * 64 + b"\n=\n=\n=", b"!" + b"A" * 64, b""])
def test_what_is_not_base64_alone_is_none(text: bytes) -> None:
    assert bare(text) is None


def test_base64_alone_is_read_in_lines_and_in_one() -> None:
    assert bare(b"AAAA" * 16 + b"\nAAA=\n") == bytes(50)
    assert bare(b"AAAA" * 16) == bytes(48)


@pytest.mark.parametrize(
    ("text", "said"), [(b" \n", "an empty file"), (b"\n<html>", "an HTML or XML page"), (b"hello", "something else")]
)
def test_a_file_without_pem_is_described(text: bytes, said: str) -> None:
    assert described(text) == said


def test_pieces_of_base64_are_found_in_any_text() -> None:
    data = b"one:\r\n" + b"AAAA" * 16 + b"\r\n-----\r\n" + b"BBBB" * 15 + b"\r\nBBB=\r\nshort: AAAA\r\n"
    assert [*pieces(data)] == [data, bytes(48), b"\x04\x10\x41" * 15 + b"\x04\x10"]
    assert [*pieces(b"")] == [b""]
